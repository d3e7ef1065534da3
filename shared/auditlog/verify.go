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

// skew is how far the clocks may be apart that dated the entries, the lines and the records.
const skew = time.Minute

// Head is what the ledger says of a text.
type Head struct {
	// Version and Seal are the record's; Version is 0 if there is no record.
	Version int64
	Seal    string
	// ReceivedAt is when the text came in, UpdatedAt when the record was last changed.
	ReceivedAt, UpdatedAt time.Time
	// Pending means that the log may not have heard of the latest change yet.
	Pending bool
}

// Options say what a log is held against.
type Options struct {
	// MessageSid, if not empty, is the one text to look at.
	MessageSid string
	// From, if not zero, leaves out the lines before it: the log keeps them no longer, or nobody asks. What is missing before it
	// is no finding.
	From time.Time
	// Ordered logs keep the entries of a text in the order in which they were written.
	Ordered bool
	// HeadsAt is when the ledger was read; zero if it is not asked.
	HeadsAt time.Time
}

// Verifier recomputes the hash chains of a log. It takes the lines one by one, in any order, and keeps of each entry its place
// and its hashes, but none of its content: some 700 bytes for a text of four entries.
type Verifier struct {
	options Options
	lines   int
	texts   map[string]*text
	others  map[digest]digest
	// edited are the hashes that stood on edited lines: what they were is not missing, it is edited.
	edited   map[digest]bool
	segments segments
	report   Report
}

// NewVerifier returns a Verifier of an empty log.
func NewVerifier(options Options) *Verifier {
	return &Verifier{
		options: options, texts: map[string]*text{}, others: map[digest]digest{}, edited: map[digest]bool{},
		segments: segments{sums: map[int64]string{}, heads: map[int64]Entry{}},
		report:   Report{Heads: !options.HeadsAt.IsZero(), Problems: map[string]int{}, Findings: []Finding{}},
	}
}

// Expect says what the ledger had of a text before the log was read.
func (v *Verifier) Expect(messageSid string, head Head) {
	if v.concerns(messageSid) {
		v.text(messageSid).expect(head)
	}
}

// Await says that the log may not have heard yet of the latest change of a text.
func (v *Verifier) Await(messageSid string) {
	if v.concerns(messageSid) {
		v.text(messageSid).pending = true
	}
}

func (v *Verifier) concerns(messageSid string) bool {
	return v.options.MessageSid == "" || v.options.MessageSid == messageSid
}

func (v *Verifier) text(messageSid string) *text {
	t := v.texts[messageSid]
	if t == nil {
		t = &text{}
		// The line that the name comes from is not to be kept for it.
		v.texts[strings.Clone(messageSid)] = t
	}
	return t
}

// Add takes the next line. Its Time may be zero if the log does not keep one beside the text.
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
		v.edit(Entry{}, "the line is no entry", stated, hashOf(body))
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
	case entry.Subject != SubjectMessage:
		v.addOther(entry, line.Text)
	case !idFits(entry):
		v.edit(entry, "its id is not that of its text and version", stated)
	case v.concerns(entry.MessageSid):
		t := v.text(entry.MessageSid)
		t.links = append(t.links, linkOf(entry, line.Text, v.lines))
	}
}

// AddLate takes a line that came into the log after it was read, if it tells of the removal of a text that the ledger had no
// more.
func (v *Verifier) AddLate(line Line) {
	entry, err := Parse(line.Text)
	if err != nil || !removal(entry.Change) || entry.Subject != SubjectMessage {
		return
	}
	if t := v.texts[entry.MessageSid]; t != nil && t.unexplained() {
		v.Add(line)
	}
}

// addOther takes an entry that is in no chain. An entry of a change set aside is dated when that was, so that it may differ.
func (v *Verifier) addOther(entry Entry, body []byte) {
	if v.options.MessageSid != "" {
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

// edit notes a line that was changed. Which text it was of may be what was changed, so that it is told of whichever is asked for.
func (v *Verifier) edit(entry Entry, detail string, hashes ...string) {
	for _, hash := range hashes {
		if hash != "" {
			v.edited[digestOf(hash)] = true
		}
	}
	if entry.MessageSid != "" && !v.concerns(entry.MessageSid) {
		return
	}
	v.report.add(Finding{Kind: KindEdit, MessageSid: entry.MessageSid, ID: entry.ID, Line: v.lines, Detail: detail})
}

// Ask looks up the texts that the ledger did not have when it was read, and whose removal the log does not tell of. Most of them
// came in since. It returns how many are gone: their removal may be so recent that the log has yet to hear of it.
func (v *Verifier) Ask(ctx context.Context, lookUp func(ctx context.Context, messageSid string) (Head, error)) (gone int, err error) {
	for _, sid := range slices.Sorted(maps.Keys(v.texts)) {
		t := v.texts[sid]
		if t.known || t.told() {
			continue
		}
		head, err := lookUp(ctx, sid)
		if err != nil {
			return gone, fmt.Errorf("look up %s: %w", sid, err)
		}
		// The log was read before: it need not have what the ledger has by now.
		head.Pending = head.Version > 0 && !head.UpdatedAt.Before(v.options.HeadsAt)
		t.expect(head)
		if t.unexplained() {
			gone++
		}
	}
	return gone, nil
}

// Report holds what was handed in together and against the ledger. The Verifier is used up then.
func (v *Verifier) Report() Report {
	for _, sid := range slices.Sorted(maps.Keys(v.texts)) {
		v.check(sid, v.texts[sid])
	}
	if v.options.MessageSid == "" {
		v.segments.check(v.report.add)
	}
	slices.SortStableFunc(v.report.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.MessageSid, b.MessageSid), cmp.Compare(a.Line, b.Line))
	})
	return v.report
}

// check looks at one text.
func (v *Verifier) check(sid string, t *text) {
	duplicates := t.settle()
	v.report.Duplicates += duplicates
	v.report.Entries += len(t.links)
	if len(t.links) > 0 {
		v.report.Texts++
	}
	for _, l := range t.links {
		if l.hashless {
			v.report.WithoutHash++
		}
	}
	w := walker{sid: sid, text: t, options: v.options, edited: v.edited}
	w.order()
	w.walk()
	if len(w.found) == 0 && t.known {
		w.against()
	}
	if w.partial {
		v.report.Partial++
	}
	if t.pending {
		v.report.Pending++
	}
	for _, f := range w.found {
		v.report.add(f)
	}
}
