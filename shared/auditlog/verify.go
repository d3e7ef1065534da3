package auditlog

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// The kinds of findings.
const (
	// KindGap is an entry that should be there and is not.
	KindGap = "gap"
	// KindEdit is a line that is not as it was written, or a second entry under the same id.
	KindEdit = "edit"
	// KindOrder is an entry that stands before one of the same text that was written earlier.
	KindOrder = "order"
	// KindUnsealed is a change of a record past the relay.
	KindUnsealed = "unsealed"
)

// Finding is one thing that is wrong with a log.
type Finding struct {
	Kind string `json:"kind"`
	// MessageSid is the text, absent where that is not known, and ID the entry.
	MessageSid string `json:"message_sid,omitempty"`
	ID         string `json:"id,omitempty"`
	// Line is where the entry stands among the lines handed in, from 1; 0 of one that is not there.
	Line int `json:"line,omitempty"`
	// Detail says what is wrong, in words.
	Detail string `json:"detail"`
}

// Report is what a Verifier found.
type Report struct {
	// Entries counts the different entries, Texts the texts that they tell of.
	Entries int `json:"entries"`
	Texts   int `json:"texts"`
	// Duplicates counts lines that stand more than once. A log holds each entry at least once, so that they are no finding.
	Duplicates int `json:"duplicates"`
	// SetAside counts the changes that no entry could be made of.
	SetAside int `json:"set_aside"`
	// WithoutHash counts the entries that an older version of the relay left without one: only their versions are looked at.
	WithoutHash int       `json:"without_hash"`
	Findings    []Finding `json:"findings"`
}

// Head is what the ledger says of a text.
type Head struct {
	// Version and Seal are the record's; Version is 0 if there is no record.
	Version int64
	Seal    string
	// Pending means that the log may not have heard of the latest change yet.
	Pending bool
}

// Options say what a log is held against.
type Options struct {
	// MessageSid, if not empty, is the one text to look at, and Since, if not zero, leaves out texts without an entry since.
	MessageSid string
	Since      time.Time
	// Ordered logs keep the entries of a text in the order in which they were written.
	Ordered bool
	// Partial logs are handed in from some time on: what is missing at the beginning of a text is no finding.
	Partial bool
}

// Verifier recomputes the hash chains of a log. It takes the lines one by one in any order of texts, and keeps of each entry
// its place, its hashes and its id, some 400 bytes, but none of its content.
type Verifier struct {
	options Options
	lines   int
	chains  map[string]*chain
	others  map[string][sha256.Size]byte
	heads   map[string]Head
	// edited are the hashes that stood on edited lines: what they were is not missing, it is edited.
	edited map[string]bool
	report Report
}

// NewVerifier returns a Verifier of an empty log.
func NewVerifier(options Options) *Verifier {
	return &Verifier{
		options: options, chains: map[string]*chain{}, others: map[string][sha256.Size]byte{}, heads: map[string]Head{},
		edited: map[string]bool{}, report: Report{Findings: []Finding{}},
	}
}

// Expect says what the ledger had of a text before the log was read.
func (v *Verifier) Expect(messageSid string, head Head) { v.heads[messageSid] = head }

// Add takes the next line. Its Time may be zero if the log does not keep one beside the text. It returns false if the line is
// no entry.
func (v *Verifier) Add(line Line) bool {
	v.lines++
	text, stated, hashed := split(line.Text)
	var entry Entry
	if err := json.Unmarshal(line.Text, &entry); err != nil || entry.ID == "" || entry.Subject == "" {
		v.edit("", "", "the line is no entry", stated, hashOf(text))
		return false
	}
	dated := line.Time.IsZero() || line.Time.Equal(entry.Time)
	if !dated || (hashed && hashOf(text) != stated) || (!hashed && (entry.Hash != "" || entry.Prev != "")) {
		v.edit(entry.MessageSid, entry.ID, "its hash is not that of what it says", stated, hashOf(text))
		return true
	}
	if entry.Subject != SubjectMessage || entry.MessageSid == "" {
		v.addOther(entry, line.Text)
		return true
	}
	c := v.chains[entry.MessageSid]
	if c == nil {
		c = &chain{}
		v.chains[entry.MessageSid] = c
	}
	if entry.Time.After(c.latest) {
		c.latest = entry.Time
	}
	v.take(c, link{
		id: entry.ID, version: entry.Version, line: v.lines, sum: sha256.Sum256(line.Text), prev: entry.Prev, hash: entry.Hash,
		seal: entry.Seal, unsealed: entry.Unsealed, gone: entry.Change == ChangeRemoved || entry.Change == ChangeExpired,
	})
	return true
}

// addOther takes an entry that is in no chain. An entry of a change set aside is dated when that was, so that it may differ.
func (v *Verifier) addOther(entry Entry, text []byte) {
	sum := sha256.Sum256(text)
	if entry.Subject == SubjectUnreadable {
		sum = sha256.Sum256([]byte(entry.Object))
	}
	earlier, again := v.others[entry.ID]
	switch {
	case !again:
		v.others[entry.ID] = sum
		v.report.Entries++
		if entry.Subject == SubjectUnreadable {
			v.report.SetAside++
		}
	case bytes.Equal(earlier[:], sum[:]):
		v.report.Duplicates++
	case v.options.MessageSid == "":
		v.find(Finding{Kind: KindEdit, ID: entry.ID, Line: v.lines, Detail: "another entry has the same id"})
	}
}

// take adds an entry to its text's chain, unless it stands there already.
func (v *Verifier) take(c *chain, l link) {
	for i, earlier := range c.links {
		switch {
		case earlier.id != l.id:
		case earlier.sum == l.sum:
			v.report.Duplicates++
			return
		default:
			c.links[i].disputed, l.disputed = true, true
		}
	}
	c.links = append(c.links, l)
	v.report.Entries++
	if l.hash == "" {
		v.report.WithoutHash++
	}
}

func (v *Verifier) edit(sid, id, detail string, hashes ...string) {
	for _, hash := range hashes {
		if hash != "" {
			v.edited[hash] = true
		}
	}
	v.find(Finding{Kind: KindEdit, MessageSid: sid, ID: id, Line: v.lines, Detail: detail})
}

func (v *Verifier) find(f Finding) { v.report.Findings = append(v.report.Findings, f) }

// Report holds what was handed in together and against the ledger. lookUp, if not nil, is asked about texts that the ledger
// did not have when Expect was called.
func (v *Verifier) Report(ctx context.Context, lookUp func(ctx context.Context, messageSid string) (Head, error)) (Report, error) {
	sids := map[string]bool{}
	for sid := range v.chains {
		sids[sid] = true
	}
	for sid := range v.heads {
		sids[sid] = true
	}
	for _, sid := range slices.Sorted(maps.Keys(sids)) {
		if !v.concerns(sid) {
			continue
		}
		head, known := v.heads[sid]
		if !known && lookUp != nil {
			var err error
			if head, err = lookUp(ctx, sid); err != nil {
				return v.report, fmt.Errorf("look up %s: %w", sid, err)
			}
			known = true
		}
		v.check(sid, v.chains[sid], head, known)
	}
	slices.SortStableFunc(v.report.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.MessageSid, b.MessageSid), cmp.Compare(a.Line, b.Line))
	})
	return v.report, nil
}

// concerns reports whether the text is to be looked at.
func (v *Verifier) concerns(sid string) bool {
	if v.options.MessageSid != "" {
		return sid == v.options.MessageSid
	}
	c := v.chains[sid]
	return c == nil || v.options.Since.IsZero() || !c.latest.Before(v.options.Since)
}

// check looks at one text.
func (v *Verifier) check(sid string, c *chain, head Head, known bool) {
	if c == nil {
		c = &chain{}
	} else {
		v.report.Texts++
	}
	found := c.walk(v.options, v.edited)
	if known && len(found) == 0 {
		found = c.against(head, v.edited)
	}
	for _, f := range found {
		f.MessageSid = sid
		v.find(f)
	}
}
