package auditlog

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"
)

// link is what is kept of one entry of a text.
type link struct {
	id         string
	version    int64
	line       int
	sum        [sha256.Size]byte
	prev, hash string
	// seal is what the record carried after a change past the relay, which unsealed marks.
	seal     string
	unsealed bool
	// gone is the entry of a removal.
	gone bool
	// disputed entries share their id with another.
	disputed bool
}

// head returns what the next entry has to follow.
func (l link) head() string {
	if l.unsealed {
		return l.seal
	}
	return l.hash
}

// chain is the entries of one text.
type chain struct {
	// links are in the order in which they stand in the log.
	links  []link
	latest time.Time
}

// sorted returns the links in the order in which their changes were made: by version, a removal last, and changes past the
// relay by their place in the stream, which their ids end with.
func (c *chain) sorted() []link {
	rank := func(l link) int {
		if l.gone {
			return 1
		}
		return 0
	}
	return slices.SortedStableFunc(slices.Values(c.links), func(a, b link) int {
		return cmp.Or(cmp.Compare(a.version, b.version), cmp.Compare(rank(a), rank(b)), cmp.Compare(len(a.id), len(b.id)), cmp.Compare(a.id, b.id))
	})
}

// walk goes along the chain and returns what is wrong with it. After a finding it goes on from there, so that one mistake is
// one finding.
func (c *chain) walk(options Options, edited map[string]bool) []Finding {
	var found []Finding
	say := func(kind string, l link, format string, args ...any) {
		found = append(found, Finding{Kind: kind, ID: l.id, Line: l.line, Detail: fmt.Sprintf(format, args...)})
	}
	w := walker{version: 0, sure: true, partial: options.Partial, edited: edited, say: say}
	newest := int64(0)
	for _, l := range c.links {
		if options.Ordered && l.version < newest && !l.disputed {
			say(KindOrder, l, "it stands behind version %d", newest)
		}
		newest = max(newest, l.version)
	}
	for _, l := range c.sorted() {
		w.step(l)
	}
	return found
}

// walker is how far a chain has been walked.
type walker struct {
	version int64
	// head is what the next entry has to follow, if sure.
	head    string
	sure    bool
	partial bool
	edited  map[string]bool
	say     func(kind string, l link, format string, args ...any)
}

func (w *walker) step(l link) {
	begins := w.version == 0 && w.partial
	switch {
	case l.disputed:
		if l.version != w.version || w.sure {
			w.say(KindEdit, l, "another entry has the same id")
		}
		w.version, w.head, w.sure = l.version, "", false
		return
	case l.version > w.version+1 && !begins:
		if !w.edited[l.prev] {
			w.say(KindGap, l, "%s before it missing", versions(w.version+1, l.version-1))
		}
	case w.sure && !begins && l.prev != w.head && !w.edited[l.prev]:
		w.say(KindEdit, l, "it does not follow the entry before it: one of the two was changed")
	}
	if l.unsealed {
		w.say(KindUnsealed, l, "someone changed the record past the relay")
	}
	w.version, w.head, w.sure = l.version, l.head(), true
}

// versions names a stretch of versions.
func versions(from, to int64) string {
	if from == to {
		return fmt.Sprintf("version %d is", from)
	}
	return fmt.Sprintf("versions %d to %d are", from, to)
}

// against holds a chain without findings of its own against the ledger.
func (c *chain) against(head Head, edited map[string]bool) []Finding {
	links := c.sorted()
	gap := func(detail string) []Finding { return []Finding{{Kind: KindGap, Detail: detail}} }
	if len(links) == 0 {
		if head.Seal == "" || head.Pending || edited[head.Seal] {
			return nil
		}
		return gap(fmt.Sprintf("the ledger has version %d, and the log has no entry of it", head.Version))
	}
	last := links[len(links)-1]
	switch {
	case head.Version == 0:
		if last.gone || head.Pending {
			return nil
		}
		return gap("the ledger has no record of it, and no entry tells of a removal")
	case head.Seal == "":
		return nil
	}
	for _, l := range links {
		if l.version == head.Version && !l.gone && l.head() == head.Seal {
			return nil
		}
	}
	if head.Pending || edited[head.Seal] {
		return nil
	}
	if last.version < head.Version {
		return gap(fmt.Sprintf("%s missing at the end", versions(last.version+1, head.Version)))
	}
	return []Finding{{Kind: KindEdit, ID: last.id, Line: last.line, Detail: "the ledger's seal is that of another entry"}}
}
