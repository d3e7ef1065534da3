package auditlog

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// skew is the largest difference between the clocks that dated the entries, the lines and the records.
const skew = time.Minute

// Head is what the ledger says about a text, or the conversations' table about a conversation.
type Head struct {
	// Version and Seal are the item's; Version is 0 if there is no item.
	Version int64
	Seal    string
	// ReceivedAt is when the text came in; zero for a conversation, because nobody knows when it began. UpdatedAt is when the item was
	// last changed.
	ReceivedAt, UpdatedAt time.Time
	// Pending means that the latest change may not have reached the log yet.
	Pending bool
}

// Options say what to check a log against.
type Options struct {
	// Chain, if not empty, is the only one to check: a text by its MessageSid, or a conversation by [ChainOf] its ID.
	Chain string
	// From, if not zero, leaves out the lines before it. What is missing before it is not a finding.
	From time.Time
	// Ordered logs keep the entries of a text or a conversation in the order in which they were written.
	Ordered bool
	// HeadsAt is when the tables were read; zero if they are not asked.
	HeadsAt time.Time
}

// Verifier recomputes the hash chains of a log. It reads the lines one by one, in any order. For each entry it keeps the place
// and the hashes, not the content: about 700 bytes for a text with four entries.
type Verifier struct {
	options Options
	lines   int
	// chains are those of texts and of conversations, by their names.
	chains map[string]*chain
	others map[digest]digest
	// edited are the hashes on edited lines: these entries are not missing, they are edited.
	edited   map[digest]bool
	segments segments
	report   Report
}

// NewVerifier returns a Verifier for a log whose lines are still to be added.
func NewVerifier(options Options) *Verifier {
	return &Verifier{
		options: options, chains: map[string]*chain{}, others: map[digest]digest{}, edited: map[digest]bool{},
		segments: segments{sums: map[int64]string{}, heads: map[int64]Entry{}},
		report:   Report{Heads: !options.HeadsAt.IsZero(), Problems: map[string]int{}, Findings: []Finding{}},
	}
}

// Expect says what the tables had for a text or a conversation before the log was read. name is that of its chain.
func (v *Verifier) Expect(name string, head Head) {
	if v.concerns(name) {
		v.chain(name).expect(head)
	}
}

// Await says that the latest change of a text or a conversation may not have reached the log yet.
func (v *Verifier) Await(name string) {
	if v.concerns(name) {
		v.chain(name).pending = true
	}
}

func (v *Verifier) concerns(name string) bool {
	return v.options.Chain == "" || v.options.Chain == name
}

func (v *Verifier) chain(name string) *chain {
	c := v.chains[name]
	if c == nil {
		// The clone does not keep the whole line in memory.
		name = strings.Clone(name)
		_, isConversation := ConversationOf(name)
		c = &chain{isConversation: isConversation}
		v.chains[name] = c
	}
	return c
}

// Add reads the next line. Its Time may be zero if the log does not keep one next to the text.
func (v *Verifier) Add(line Line) {
	if v.lines++; line.Number > 0 {
		v.lines = line.Number
	}
	if line.Torn {
		v.report.Torn++
		return
	}
	body, stated, hashed := split(line.Text)
	entry, err := Parse(line.Text)
	if err != nil {
		v.edit(Entry{}, "the line is not an entry", stated, hashOf(body))
		return
	}
	if entry.Subject == SubjectSegment && hashOf(body) == stated {
		v.segments.note(entry)
	}
	if entry.Time.Before(v.options.From) {
		return
	}
	switch dated := line.Time.IsZero() || line.Time.Equal(entry.Time); {
	case !dated, hashed && hashOf(body) != stated, !hashed && (entry.Hash != "" || entry.Prev != ""):
		v.edit(entry, "its hash is not that of what it says", stated, hashOf(body))
	case !entry.isChained():
		v.addOther(entry, line.Text)
	case !idFits(entry):
		v.edit(entry, "its id is not that of its "+wordFor(entry)+" and version", stated)
	case v.concerns(entry.Chain()):
		c := v.chain(entry.Chain())
		c.links = append(c.links, linkOf(entry, line.Text, v.lines))
	}
}

// wordFor says what the entry is about.
func wordFor(entry Entry) string {
	if entry.Subject == SubjectConversation {
		return "conversation"
	}
	return "text"
}

// AddLate reads a line that reached the log after the log was read. It counts only if it removes what the tables no
// longer had.
func (v *Verifier) AddLate(line Line) {
	entry, err := Parse(line.Text)
	if err != nil || !removal(entry.Change) || !entry.isChained() {
		return
	}
	if c := v.chains[entry.Chain()]; c != nil && c.unexplained() {
		v.Add(line)
	}
}

// addOther counts an entry that is in no chain. An entry about a change that was set aside has the time of the setting aside,
// so two entries with one id may differ.
func (v *Verifier) addOther(entry Entry, body []byte) {
	if v.options.Chain != "" {
		return
	}
	sum := sumOf(body)
	if entry.Subject == SubjectUnreadable {
		sum = sumOf([]byte(entry.Object))
	}
	id := sumOf([]byte(entry.ID))
	earlier, again := v.others[id]
	switch {
	case !again:
		v.others[id] = sum
		v.report.Entries++
		if entry.Subject == SubjectUnreadable {
			v.report.SetAside++
		}
	case earlier == sum:
		v.report.Duplicates++
	default:
		v.report.add(Finding{Kind: KindEdit, ID: entry.ID, Line: v.lines, Detail: detailDisputed})
	}
}

// edit notes a line that was changed. The change may have been to the text's SID, so the finding is reported whichever chain is
// asked for.
func (v *Verifier) edit(entry Entry, detail string, hashes ...string) {
	for _, hash := range hashes {
		if hash != "" {
			v.edited[digestOf(hash)] = true
		}
	}
	if name := entry.Chain(); name != "" && !v.concerns(name) {
		return
	}
	v.report.add(Finding{
		Kind: KindEdit, MessageSid: entry.MessageSid, ConversationID: entry.ConversationID, ID: entry.ID, Line: v.lines, Detail: detail,
	})
}

// Ask looks up, by the names of their chains, the texts and conversations that the tables did not have when they were read and
// whose removal is not in the log. Most of them came in later. It returns how many are gone: their removal may be so recent that
// it has not reached the log yet.
func (v *Verifier) Ask(ctx context.Context, lookUp func(ctx context.Context, name string) (Head, error)) (gone int, err error) {
	for _, name := range slices.Sorted(maps.Keys(v.chains)) {
		c := v.chains[name]
		if c.known || c.told() {
			continue
		}
		head, err := lookUp(ctx, name)
		if err != nil {
			return gone, fmt.Errorf("look up %s: %w", name, err)
		}
		// The log was read earlier, so it may lack what the table has now.
		head.Pending = head.Version > 0 && !head.UpdatedAt.Before(v.options.HeadsAt)
		c.expect(head)
		if c.unexplained() {
			gone++
		}
	}
	return gone, nil
}

// Report checks what was added, and compares it with the tables. The Verifier cannot be used again.
func (v *Verifier) Report() Report {
	for _, name := range slices.Sorted(maps.Keys(v.chains)) {
		v.check(name, v.chains[name])
	}
	if v.options.Chain == "" {
		v.segments.check(v.report.add)
	}
	slices.SortStableFunc(v.report.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.MessageSid, b.MessageSid), cmp.Compare(a.ConversationID, b.ConversationID), cmp.Compare(a.Line, b.Line))
	})
	return v.report
}

// check checks one chain.
func (v *Verifier) check(name string, c *chain) {
	duplicates := c.settle()
	v.report.Duplicates += duplicates
	v.report.Entries += len(c.links)
	switch {
	case len(c.links) == 0:
	case c.isConversation:
		v.report.Conversations++
	default:
		v.report.Texts++
	}
	for _, l := range c.links {
		if l.hashless {
			v.report.WithoutHash++
		}
	}
	w := walker{name: name, chain: c, options: v.options, edited: v.edited}
	w.order()
	w.walk()
	if len(w.found) == 0 && c.known {
		w.against()
	}
	if w.partial {
		v.report.Partial++
	}
	if c.pending {
		v.report.Pending++
	}
	for _, f := range w.found {
		v.report.add(f)
	}
}
