package auditlog

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"
)

// digest is a hash; the zero value means no hash.
type digest [sha256.Size]byte

// digestOf reads a hash as entries write it. A text that is not a hash gets a digest of its own, which equals no real hash.
func digestOf(text string) (d digest) {
	if text == "" {
		return digest{}
	}
	if n, err := hex.Decode(d[:], []byte(text)); len(text) != hashChars || n != len(d) || err != nil {
		return sumOf([]byte("no hash: " + text))
	}
	return d
}

func sumOf(text []byte) digest { return sha256.Sum256(text) }

// link is what is kept of one entry of a text.
type link struct {
	version int64
	line    int
	at      int64 // in milliseconds since 1970
	// self is the entry's hash, or the hash of the whole line if the entry has none.
	self, prev digest
	// unsealed is the record's seal after a change without the relay; nil for other entries.
	unsealed *digest
	// suffix is the part of the entry's id after text and version.
	suffix string
	// hashless: an older version of the relay wrote the entry. gone: the entry is a removal. disputed: another entry has the
	// same id.
	hashless, gone, disputed bool
}

// idFits reports whether a text's entry has the id that it should have.
func idFits(entry Entry) bool {
	_, ok := suffixOf(entry)
	return ok && entry.MessageSid != ""
}

// suffixOf returns the part of an entry's id after text and version: nothing, the word for a removal, or a place in the
// stream.
func suffixOf(entry Entry) (suffix string, ok bool) {
	suffix, ok = strings.CutPrefix(entry.ID, entry.MessageSid+"."+strconv.FormatInt(entry.Version, 10))
	if removal(entry.Change) {
		return suffix, ok && suffix == "."+entry.Change
	}
	return suffix, ok && (suffix == "" || suffix[0] == '@')
}

func removal(change string) bool { return change == ChangeRemoved || change == ChangeExpired }

func linkOf(entry Entry, line []byte, number int) link {
	suffix, _ := suffixOf(entry)
	l := link{
		version: entry.Version, line: number, at: entry.Time.UnixMilli(), self: digestOf(entry.Hash), prev: digestOf(entry.Prev),
		suffix: strings.Clone(suffix), gone: removal(entry.Change), hashless: entry.Hash == "",
	}
	if l.hashless {
		l.self = sumOf(line)
	}
	if entry.Unsealed {
		seal := digestOf(entry.Seal)
		l.unsealed = &seal
	}
	return l
}

// head returns the hash that the next entry must have as Prev, and that the record must have as its seal.
func (l link) head() digest {
	switch {
	case l.unsealed != nil:
		return *l.unsealed
	case l.hashless:
		return digest{}
	default:
		return l.self
	}
}

// id returns the entry's id.
func (l link) id(sid string) string { return sid + "." + strconv.FormatInt(l.version, 10) + l.suffix }

func (l link) sameID(other link) bool { return l.version == other.version && l.suffix == other.suffix }

func (l link) time() time.Time { return time.UnixMilli(l.at) }

// text is the entries of one text, and what the ledger says about it.
type text struct {
	links []link
	// known is whether the ledger was asked; version 0 means that it has no record.
	known   bool
	pending bool
	version int64
	seal    digest
	// received and updated are the record's, in milliseconds since 1970.
	received, updated int64
}

func (t *text) expect(head Head) {
	t.known, t.pending = true, t.pending || head.Pending
	t.version, t.seal = head.Version, digestOf(head.Seal)
	t.received, t.updated = head.ReceivedAt.UnixMilli(), head.UpdatedAt.UnixMilli()
}

// told reports whether an entry says that the record was removed.
func (t *text) told() bool { return slices.ContainsFunc(t.links, func(l link) bool { return l.gone }) }

// unexplained reports whether the ledger has no record of the text, and no entry says why.
func (t *text) unexplained() bool { return t.known && t.version == 0 && !t.pending && !t.told() }

// settle sorts the links by when their changes were made: by version, a removal last, and changes without the relay by their
// place in the stream, which is the end of their id. It keeps the first of identical entries and returns how many it dropped.
// It marks different entries with the same id.
func (t *text) settle() (dropped int) {
	rank := func(l link) int {
		if l.gone {
			return 1
		}
		return 0
	}
	slices.SortFunc(t.links, func(a, b link) int {
		return cmp.Or(cmp.Compare(a.version, b.version), cmp.Compare(rank(a), rank(b)), cmp.Compare(len(a.suffix), len(b.suffix)),
			cmp.Compare(a.suffix, b.suffix), bytes.Compare(a.self[:], b.self[:]), cmp.Compare(a.line, b.line))
	})
	before := len(t.links)
	t.links = slices.CompactFunc(t.links, func(a, b link) bool { return a.sameID(b) && a.self == b.self })
	for i := 1; i < len(t.links); i++ {
		if t.links[i].sameID(t.links[i-1]) {
			t.links[i].disputed, t.links[i-1].disputed = true, true
		}
	}
	return before - len(t.links)
}
