package auditlog

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Trail finds the entries of one text in the log, for operators.
type Trail interface {
	// Find returns the text's entries from from to to, both included, in any order and each at least once. The search is
	// bounded: entries that are too old, take too long to find, or are not written yet are left out. Errors are *fault.Error.
	Find(ctx context.Context, messageSid string, from, to time.Time) ([]Entry, error)
}

// EntryOf reads a line that may be an entry of the text; ok is false if it is not.
func EntryOf(line Line, messageSid string) (entry Entry, ok bool) {
	err := json.Unmarshal(line.Text, &entry)
	return entry, err == nil && entry.MessageSid == messageSid
}

// InOrder returns what was found of one text or conversation in the order in which it happened: the changes of its record by their
// versions, because clocks differ, and in between, by its time, what operators did about it, which has no version.
func InOrder[T any](found []T, entryOf func(T) Entry) []T {
	var ordered, deeds []T
	for _, one := range found {
		if entryOf(one).IsDeed() {
			deeds = append(deeds, one)
		} else {
			ordered = append(ordered, one)
		}
	}
	slices.SortStableFunc(ordered, func(a, b T) int {
		one, other := entryOf(a), entryOf(b)
		return cmp.Or(cmp.Compare(one.Version, other.Version), one.Time.Compare(other.Time), cmp.Compare(one.ID, other.ID))
	})
	for _, deed := range deeds {
		at := slices.IndexFunc(ordered, func(one T) bool { return entryOf(one).Time.After(entryOf(deed).Time) })
		if at < 0 {
			at = len(ordered)
		}
		ordered = slices.Insert(ordered, at, deed)
	}
	return ordered
}

// IsAbout reports whether the entry is in a chain, or about what an operator did with the text that has that name.
func (e Entry) IsAbout(chain string) bool {
	return e.Chain() == chain || e.IsDeed() && e.MessageSid == chain
}

// IsDeed reports whether the entry is about what an operator did, and not about a change of a record.
func (e Entry) IsDeed() bool { return strings.HasPrefix(e.ID, actionPrefix) }
