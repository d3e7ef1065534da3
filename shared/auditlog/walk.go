package auditlog

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

const detailDisputed = "another entry has the same id and says something else"

// walker goes through the sorted entries of one chain and notes what is wrong. After a finding it continues from there, so that
// one mistake is one finding.
type walker struct {
	name    string
	chain   *chain
	options Options
	edited  map[digest]bool
	found   []Finding
	// partial means that the chain began before the first line that was checked.
	partial bool

	version int64
	at      time.Time
	// head is the hash that the next entry must have as Prev, if sure.
	head digest
	sure bool
}

func (w *walker) say(kind string, l link, format string, args ...any) {
	w.add(Finding{Kind: kind, ID: l.id(w.name), Line: l.line, Detail: fmt.Sprintf(format, args...)})
}

// gap notes a missing entry.
func (w *walker) gap(format string, args ...any) {
	w.add(Finding{Kind: KindGap, Detail: fmt.Sprintf(format, args...)})
}

// add notes a finding about the chain.
func (w *walker) add(f Finding) {
	if id, ok := ConversationOf(w.name); ok {
		f.ConversationID = id
	} else {
		f.MessageSid = w.name
	}
	w.found = append(w.found, f)
}

// table names what keeps the chain's item.
func (w *walker) table() string {
	if w.chain.isConversation {
		return "the conversations' table"
	}
	return "the ledger"
}

// order notes entries that come after later ones.
func (w *walker) order() {
	if !w.options.Ordered {
		return
	}
	newest := int64(0)
	for _, l := range slices.SortedFunc(slices.Values(w.chain.links), func(a, b link) int { return cmp.Compare(a.line, b.line) }) {
		if l.version < newest && !l.disputed {
			w.say(KindOrder, l, "it comes after version %d", newest)
		}
		newest = max(newest, l.version)
	}
}

// walk notes gaps, edits and changes that the relay did not make.
func (w *walker) walk() {
	w.sure = true
	for _, l := range w.chain.links {
		w.step(l)
	}
}

func (w *walker) step(l link) {
	begins := w.begins()
	switch {
	case l.disputed:
		if l.version != w.version || w.sure {
			w.say(KindEdit, l, "%s", detailDisputed)
		}
		w.version, w.at, w.sure = l.version, l.time(), false
		return
	case l.version > w.version+1 && begins:
		w.partial = true
	case l.adopted && w.version == 0:
		// The entry itself says that the log has no earlier one.
	case l.version > w.version+1:
		if !w.edited[l.prev] {
			w.say(KindGap, l, "%s before it missing", versions(w.version+1, l.version-1))
		}
	case w.sure && !begins && l.prev != w.head && !w.edited[l.prev]:
		w.say(KindEdit, l, "it does not follow the entry before it: one of the two was changed")
	}
	switch {
	case l.unsealed == nil:
	case *l.unsealed == digest{}:
		w.say(KindUnsealed, l, "the record lost its seal: someone changed it past the relay, or an older version of the relay wrote it")
	default:
		w.say(KindUnsealed, l, "someone changed the record past the relay")
	}
	w.version, w.at, w.head, w.sure = l.version, l.time(), l.head(), true
}

// begins reports whether the entries before the next one may be older than the lines checked.
func (w *walker) begins() bool {
	early := w.options.From.Add(skew)
	switch {
	case w.options.From.IsZero():
		return false
	case w.version == 0:
		return !w.chain.known || w.chain.version == 0 || time.UnixMilli(w.chain.received).Before(early)
	default:
		return w.at.Before(early)
	}
}

// versions names a range of versions.
func versions(from, to int64) string {
	if from == to {
		return fmt.Sprintf("version %d is", from)
	}
	return fmt.Sprintf("versions %d to %d are", from, to)
}

// against compares entries that fit together with the ledger, or the conversations' table.
func (w *walker) against() {
	c := w.chain
	if len(c.links) == 0 {
		old := !w.options.From.IsZero() && time.UnixMilli(c.updated).Before(w.options.From.Add(skew))
		if c.version > 0 && !c.pending && !old && !w.edited[c.seal] {
			w.gap("%s has version %d, and the log has no entry of it", w.table(), c.version)
		}
		return
	}
	last := c.links[len(c.links)-1]
	switch {
	case c.version == 0:
		if !c.told() && !c.pending {
			w.gap("%s has no record of it, and no entry records a removal", w.table())
		}
	case last.version < c.version:
		if !c.pending && !w.edited[c.seal] {
			w.gap("%s missing at the end", versions(last.version+1, c.version))
		}
	case !w.carried():
		if !c.pending && !w.edited[c.seal] {
			w.say(KindEdit, last, "the seal in %s is that of another entry", w.table())
		}
	default:
		w.behind()
	}
}

// carried reports whether the stored item is as one of the entries left it.
func (w *walker) carried() bool {
	return slices.ContainsFunc(w.chain.links, func(l link) bool {
		return l.version == w.chain.version && !l.gone && l.head() == w.chain.seal
	})
}

// behind notes the first entry that is newer than the stored item, unless it was written about when the table was read.
func (w *walker) behind() {
	i := slices.IndexFunc(w.chain.links, func(l link) bool { return l.version > w.chain.version || l.gone })
	if i >= 0 && !w.options.HeadsAt.IsZero() && w.chain.links[i].time().Before(w.options.HeadsAt.Add(-skew)) && !w.chain.pending {
		w.say(KindBehind, w.chain.links[i], "the record in %s is older: version %d", w.table(), w.chain.version)
	}
}
