package auditlog

import (
	"context"
	"encoding/json"
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
