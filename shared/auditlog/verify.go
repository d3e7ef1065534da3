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

// Head is what the ledger says about a text.
type Head struct {
	// Version and Seal are the record's; Version is 0 if there is no record.
	Version int64
	Seal    string
	// ReceivedAt is when the text came in, UpdatedAt when the record was last changed.
	ReceivedAt, UpdatedAt time.Time
	// Pending means that the latest change may not have reached the log yet.
	Pending bool
}

// Options say what to check a log against.
type Options struct {
	// MessageSid, if not empty, is the only text to check.
	MessageSid string
	// From, if not zero, leaves out the lines before it. What is missing before it is not a finding.
	From time.Time
	// Ordered logs keep the entries of a text in the order in which they were written.
	Ordered bool
	// HeadsAt is when the ledger was read; zero if it is not asked.
	HeadsAt time.Time
}

// Verifier recomputes the hash chains of a log. It reads the lines one by one, in any order. For each entry it keeps the place
// and the hashes, not the content: about 700 bytes for a text with four entries.
type Verifier struct {
	options Options
	lines   int
	texts   map[string]*text
	others  map[digest]digest
	// edited are the hashes on edited lines: these entries are not missing, they are edited.
	edited   map[digest]bool
	segments segments
	report   Report
}

// NewVerifier returns a Verifier for a log whose lines are still to be added.
func NewVerifier(options Options) *Verifier {
	return &Verifier{
		options: options, texts: map[string]*text{}, others: map[digest]digest{}, edited: map[digest]bool{},
		segments: segments{sums: map[int64]string{}, heads: map[int64]Entry{}},
		report:   Report{Heads: !options.HeadsAt.IsZero(), Problems: map[string]int{}, Findings: []Finding{}},
	}
}

// Expect says what the ledger had for a text before the log was read.
func (v *Verifier) Expect(messageSid string, head Head) {
	if v.concerns(messageSid) {
		v.text(messageSid).expect(head)
	}
}

// Await says that the latest change of a text may not have reached the log yet.
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
		// The clone does not keep the whole line in memory.
		v.texts[strings.Clone(messageSid)] = t
	}
	return t
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
	case entry.Subject != SubjectMessage:
		v.addOther(entry, line.Text)
	case !idFits(entry):
		v.edit(entry, "its id is not that of its text and version", stated)
	case v.concerns(entry.MessageSid):
		t := v.text(entry.MessageSid)
		t.links = append(t.links, linkOf(entry, line.Text, v.lines))
	}
}

// AddLate reads a line that reached the log after the log was read. It counts only if it removes a text that the ledger no
// longer had.
func (v *Verifier) AddLate(line Line) {
	entry, err := Parse(line.Text)
	if err != nil || !removal(entry.Change) || entry.Subject != SubjectMessage {
		return
	}
	if t := v.texts[entry.MessageSid]; t != nil && t.unexplained() {
		v.Add(line)
	}
}

// addOther counts an entry that is in no chain. An entry about a change that was set aside has the time of the setting aside,
// so two entries with one id may differ.
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

// edit notes a line that was changed. The change may have been to the text's SID, so the finding is reported whichever text is
// asked for.
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

// Ask looks up the texts that the ledger did not have when it was read and whose removal is not in the log. Most of them came
// in later. It returns how many are gone: their removal may be so recent that it has not reached the log yet.
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
		// The log was read earlier, so it may lack what the ledger has now.
		head.Pending = head.Version > 0 && !head.UpdatedAt.Before(v.options.HeadsAt)
		t.expect(head)
		if t.unexplained() {
			gone++
		}
	}
	return gone, nil
}

// Report checks what was added, and compares it with the ledger. The Verifier cannot be used again.
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

// check checks one text.
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
