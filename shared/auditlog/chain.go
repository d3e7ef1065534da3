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

// link is what is kept of one entry of a chain.
type link struct {
	version int64
	line    int
	at      int64 // in milliseconds since 1970
	// self is the entry's hash, or the hash of the whole line if the entry has none.
	self, prev digest
	// unsealed is the record's seal after a change without the relay; nil for other entries.
	unsealed *digest
	// suffix is the part of the entry's id after chain and version.
	suffix string
	// hashless: an older version of the relay wrote the entry. gone: the entry is a removal. disputed: another entry has the
	// same id.
	hashless, gone, disputed bool
	// adopted: the entry says that it begins the chain, although its version is a later one.
	adopted bool
}

// conversationPrefix is the beginning of the name of a conversation's chain, and of the ids in it.
const conversationPrefix = SubjectConversation + ":"

// ChainOf returns the name of a conversation's chain by its ID. The chain of a text has the name of the text, its MessageSid.
func ChainOf(conversationID string) string { return conversationPrefix + conversationID }

// ConversationOf returns the ID of the conversation whose chain has that name; ok is false if it is the chain of a text.
func ConversationOf(chain string) (id string, ok bool) {
	return strings.CutPrefix(chain, conversationPrefix)
}

// Chain returns the name of the chain that the entry is in, empty if it is in none.
func (e Entry) Chain() string {
	switch {
	case e.Subject == SubjectMessage:
		return e.MessageSid
	case e.Subject == SubjectConversation && e.ConversationID != "":
		return ChainOf(e.ConversationID)
	default:
		return ""
	}
}

// isChained reports whether the entry should be in a chain.
func (e Entry) isChained() bool { return e.Subject == SubjectMessage || e.Chain() != "" }

// idFits reports whether an entry has the id that it should have in its chain.
func idFits(entry Entry) bool {
	_, ok := suffixOf(entry)
	return ok && entry.Chain() != ""
}

// suffixOf returns the part of an entry's id after chain and version: nothing, the word for a removal, or a place in the
// stream.
func suffixOf(entry Entry) (suffix string, ok bool) {
	suffix, ok = strings.CutPrefix(entry.ID, entry.Chain()+"."+strconv.FormatInt(entry.Version, 10))
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
		adopted: entry.Subject == SubjectConversation && entry.Reason == ReasonAdopted,
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
func (l link) id(chain string) string {
	return chain + "." + strconv.FormatInt(l.version, 10) + l.suffix
}

func (l link) sameID(other link) bool { return l.version == other.version && l.suffix == other.suffix }

func (l link) time() time.Time { return time.UnixMilli(l.at) }

// chain is the entries of one text or of one conversation, and what the ledger, or the conversations' table, says about it.
type chain struct {
	links          []link
	isConversation bool
	// known is whether the table was asked; version 0 means that it has no item.
	known   bool
	pending bool
	version int64
	seal    digest
	// received and updated are the item's, in milliseconds since 1970.
	received, updated int64
}

func (c *chain) expect(head Head) {
	c.known, c.pending = true, c.pending || head.Pending
	c.version, c.seal = head.Version, digestOf(head.Seal)
	c.received, c.updated = head.ReceivedAt.UnixMilli(), head.UpdatedAt.UnixMilli()
}

// told reports whether an entry says that the item was removed.
func (c *chain) told() bool { return slices.ContainsFunc(c.links, func(l link) bool { return l.gone }) }

// unexplained reports whether the table has no item of the chain, and no entry says why.
func (c *chain) unexplained() bool { return c.known && c.version == 0 && !c.pending && !c.told() }

// settle sorts the links by when their changes were made: by version, a removal last, and changes without the relay by their
// place in the stream, which is the end of their id. It keeps the first of identical entries and returns how many it dropped.
// It marks different entries with the same id.
func (c *chain) settle() (dropped int) {
	rank := func(l link) int {
		if l.gone {
			return 1
		}
		return 0
	}
	slices.SortFunc(c.links, func(a, b link) int {
		return cmp.Or(cmp.Compare(a.version, b.version), cmp.Compare(rank(a), rank(b)), cmp.Compare(len(a.suffix), len(b.suffix)),
			cmp.Compare(a.suffix, b.suffix), bytes.Compare(a.self[:], b.self[:]), cmp.Compare(a.line, b.line))
	})
	before := len(c.links)
	c.links = slices.CompactFunc(c.links, func(a, b link) bool { return a.sameID(b) && a.self == b.self })
	for i := 1; i < len(c.links); i++ {
		if c.links[i].sameID(c.links[i-1]) {
			c.links[i].disputed, c.links[i-1].disputed = true, true
		}
	}
	return before - len(c.links)
}
