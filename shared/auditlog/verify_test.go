package auditlog_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// written is a log as it was written, and the ledger whose changes it records.
type written struct {
	lines []auditlog.Line
	// texts says which text each line belongs to.
	texts []int
	heads map[string]auditlog.Head
}

// write draws a log of a few texts, each with a few changes, in between one another.
func write(t *rapid.T) written {
	w := written{heads: map[string]auditlog.Head{}}
	at := noon
	texts := rapid.IntRange(1, 4).Draw(t, "texts")
	stored := make([]ledger.Record, texts)
	for range rapid.IntRange(texts, 20).Draw(t, "changes") {
		n := rapid.IntRange(0, texts-1).Draw(t, "text")
		at = at.Add(time.Millisecond)
		w.change(t, n, &stored[n], at)
	}
	for _, r := range stored {
		if r.Version > 0 {
			w.heads[r.MessageSid] = headOf(r)
		}
	}
	return w
}

func headOf(r ledger.Record) auditlog.Head {
	return auditlog.Head{Version: r.Version, Seal: r.Seal, ReceivedAt: r.ReceivedAt, UpdatedAt: r.UpdatedAt}
}

// change lets a text go one version on, in the ledger and in the log.
func (w *written) change(t rapid.TB, n int, stored *ledger.Record, at time.Time) {
	t.Helper()
	before, after := *stored, *stored
	if before.Version == 0 {
		after = relaytest.Record(n, at)
	}
	after.State, after.UpdatedAt = ledger.Sending, at
	after, err := auditlog.Seal(before, after)
	if err != nil {
		t.Fatal(err)
	}
	after.Version++
	change, old := auditlog.ChangeChanged, &before
	if before.Version == 0 {
		change, old = auditlog.ChangeCreated, nil
	}
	w.append(t, n, old, &after, change, at)
	*stored = after
}

func (w *written) append(t rapid.TB, n int, before, after *ledger.Record, change string, at time.Time) {
	t.Helper()
	entry, err := auditlog.MessageEntry(before, after, change, auditlog.Seen{SequenceNumber: fmt.Sprint(len(w.lines)), At: at})
	if err != nil {
		t.Fatal(err)
	}
	line, err := entry.Line()
	if err != nil {
		t.Fatal(err)
	}
	w.lines, w.texts = append(w.lines, line), append(w.texts, n)
}

// verify hands all in; without heads, the ledger is not asked.
func (w written) verify(t rapid.TB, heads bool) auditlog.Report {
	t.Helper()
	return w.verifyAs(t, heads, auditlog.Options{Ordered: true})
}

func (w written) verifyAs(t rapid.TB, heads bool, options auditlog.Options) auditlog.Report {
	t.Helper()
	v := auditlog.NewVerifier(options)
	if heads {
		for sid, head := range w.heads {
			v.Expect(sid, head)
		}
	}
	for _, line := range w.lines {
		v.Add(line)
	}
	if heads {
		gone := func(context.Context, string) (auditlog.Head, error) { return auditlog.Head{}, nil }
		if _, err := v.Ask(context.Background(), gone); err != nil {
			t.Fatal(err)
		}
	}
	report := v.Report()
	total := 0
	for _, n := range report.Problems {
		total += n
	}
	if total != len(report.Findings) || report.Sound() != (total == 0) || report.Heads == options.HeadsAt.IsZero() {
		t.Errorf("report contradicts itself: %+v", report)
	}
	return report
}

// kinds returns the kinds of a report's findings, each once.
func kinds(report auditlog.Report) []string {
	found := []string{}
	for _, f := range report.Findings {
		found = append(found, f.Kind)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// TestUntouchedLogHasNoFindings, however often the stream has handed a change over.
func TestUntouchedLogHasNoFindings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := write(t)
		n := len(w.lines)
		from := rapid.IntRange(0, n-1).Draw(t, "again from")
		w.lines = append(w.lines, w.lines[from:]...)
		report := w.verify(t, true)
		if len(report.Findings) > 0 || report.Entries != n || report.Duplicates != n-from || report.Texts != len(w.heads) {
			t.Errorf("report is %+v of %d lines, %d of them twice", report, n, n-from)
		}
	})
}

// TestOneMistakeIsFoundAsWhatItIs: each way to touch one line is found, and as nothing else.
func TestOneMistakeIsFoundAsWhatItIs(t *testing.T) {
	for name, tt := range map[string]struct {
		// touch returns false if this log offers no place for it.
		touch func(t *rapid.T, w *written, i int) bool
		want  []string
	}{
		"a line is removed": {func(_ *rapid.T, w *written, i int) bool {
			w.lines = slices.Delete(slices.Clone(w.lines), i, i+1)
			return true
		}, []string{auditlog.KindGap}},
		"a byte is changed": {func(t *rapid.T, w *written, i int) bool {
			text := bytes.Clone(w.lines[i].Text)
			at := rapid.IntRange(0, len(text)-1-75).Draw(t, "byte")
			text[at]++
			w.lines[i].Text = text
			return true
		}, []string{auditlog.KindEdit}},
		"a digit of its hash is changed": {func(t *rapid.T, w *written, i int) bool {
			text := bytes.Clone(w.lines[i].Text)
			text[len(text)-3] ^= 1
			w.lines[i].Text = text
			return true
		}, []string{auditlog.KindEdit}},
		"a line is rewritten, with a hash that fits": {func(t *rapid.T, w *written, i int) bool {
			text := bytes.Replace(w.lines[i].Text, []byte(`"to":"sending"`), []byte(`"to":"failed"`), 1)
			w.lines[i].Text = auditlog.Rehash(text)
			return true
		}, []string{auditlog.KindEdit}},
		"a line is given another version, with a hash that fits": {func(_ *rapid.T, w *written, i int) bool {
			text := bytes.Replace(w.lines[i].Text, []byte(`"version":`), []byte(`"version":1`), 1)
			w.lines[i].Text = auditlog.Rehash(text)
			return true
		}, []string{auditlog.KindEdit, auditlog.KindGap}},
		"its hash is removed": {func(_ *rapid.T, w *written, i int) bool {
			text, _, _ := bytes.Cut(w.lines[i].Text, []byte(`,"hash":`))
			text, _, _ = bytes.Cut(text, []byte(`,"prev":`))
			w.lines[i].Text = append(bytes.Clone(text), '}')
			return true
		}, []string{auditlog.KindEdit}},
		"such a line is next to it": {func(t *rapid.T, w *written, i int) bool {
			text := bytes.Replace(w.lines[i].Text, []byte(`"to":"sending"`), []byte(`"to":"failed"`), 1)
			w.lines = slices.Insert(slices.Clone(w.lines), i+1, auditlog.Line{Time: w.lines[i].Time, Text: auditlog.Rehash(text)})
			return true
		}, []string{auditlog.KindEdit}},
		"its time in the log is another": {func(_ *rapid.T, w *written, i int) bool {
			w.lines[i].Time = w.lines[i].Time.Add(time.Second)
			return true
		}, []string{auditlog.KindEdit}},
		"two lines of a text change places": {func(_ *rapid.T, w *written, i int) bool {
			for j := i + 1; j < len(w.lines); j++ {
				if w.texts[j] == w.texts[i] {
					w.lines[i], w.lines[j] = w.lines[j], w.lines[i]
					return true
				}
			}
			return false
		}, []string{auditlog.KindOrder}},
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				w := write(t)
				if !tt.touch(t, &w, rapid.IntRange(0, len(w.lines)-1).Draw(t, "line")) {
					t.Skip("there is no such place")
				}
				report := w.verify(t, true)
				if diff := cmp.Diff(tt.want, kinds(report)); diff != "" {
					t.Errorf("kinds (-want +got):\n%s\n%+v", diff, report.Findings)
				}
			})
		})
	}
}

// TestOnlyTheLedgerTells of a tail that was cut off, and of a chain that was rewritten whole.
func TestOnlyTheLedgerTells(t *testing.T) {
	lived := func() written {
		w, at := written{heads: map[string]auditlog.Head{}}, noon
		var r ledger.Record
		for i := range 3 {
			w.change(t, 1, &r, at.Add(time.Duration(i)*time.Second))
		}
		w.heads[r.MessageSid] = headOf(r)
		return w
	}
	sid := relaytest.MessageSid(1)
	other := lived()
	for name, tt := range map[string]struct {
		touch func(w *written)
		want  []string
	}{
		"nothing":             {func(*written) {}, []string{}},
		"the tail is cut off": {func(w *written) { w.lines = w.lines[:2] }, []string{auditlog.KindGap}},
		"all is gone":         {func(w *written) { w.lines = nil }, []string{auditlog.KindGap}},
		"the record is gone":  {func(w *written) { w.heads = nil }, []string{auditlog.KindGap}},
		"all is rewritten": {
			func(w *written) { w.heads[sid] = auditlog.Head{Version: 3, Seal: other.heads[sid].Seal[1:] + "0"} },
			[]string{auditlog.KindEdit},
		},
		"the log is not yet so far": {func(w *written) { w.lines, w.heads[sid] = w.lines[:2], pending(w.heads[sid]) }, []string{}},
		"the log is further": {func(w *written) {
			w.heads[sid] = auditlog.Head{Version: 2, Seal: string(w.lines[1].Text[len(w.lines[1].Text)-66 : len(w.lines[1].Text)-2])}
		}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			w := lived()
			tt.touch(&w)
			report := w.verify(t, true)
			if diff := cmp.Diff(tt.want, kinds(report)); diff != "" {
				t.Errorf("kinds (-want +got):\n%s\n%+v", diff, report.Findings)
			}
			if without := w.verify(t, false); len(without.Findings) > 0 {
				t.Errorf("found without the ledger: %+v", without.Findings)
			}
		})
	}
}

func pending(h auditlog.Head) auditlog.Head {
	h.Pending = true
	return h
}

// TestChangePastTheRelayIsAFinding, and one alone: the chain goes on from what the record carried then.
func TestChangePastTheRelayIsAFinding(t *testing.T) {
	for name, seal := range map[string]string{"the seal stays": "as it was", "the seal is gone": "", "the seal is another": "5ea1"} {
		t.Run(name, func(t *testing.T) {
			w, at := written{heads: map[string]auditlog.Head{}}, noon
			var r ledger.Record
			w.change(t, 1, &r, at)
			before := r
			r.State = ledger.Failed
			if seal != "as it was" {
				r.Seal = seal
			}
			w.append(t, 1, &before, &r, auditlog.ChangeChanged, at)
			w.change(t, 1, &r, at.Add(time.Second))
			w.append(t, 1, &r, nil, auditlog.ChangeExpired, at.Add(time.Hour))
			report := w.verify(t, true)
			if diff := cmp.Diff([]string{auditlog.KindUnsealed}, kinds(report)); diff != "" || len(report.Findings) != 1 {
				t.Errorf("kinds (-want +got):\n%s\n%+v", diff, report.Findings)
			}
		})
	}
}

// TestWhatIsNoEntry is a finding; what the ledger cannot answer is an error.
func TestWhatIsNoEntry(t *testing.T) {
	v := auditlog.NewVerifier(auditlog.Options{})
	v.Add(auditlog.Line{Text: []byte(`nonsense`)})
	v.Add(auditlog.Line{Text: []byte(`{}`)})
	w := written{}
	w.change(t, 1, &ledger.Record{}, noon)
	v.Add(w.lines[0])
	away := errors.New("the ledger is away")
	if _, err := v.Ask(t.Context(), func(context.Context, string) (auditlog.Head, error) {
		return auditlog.Head{}, away
	}); !errors.Is(err, away) {
		t.Errorf("error %v, want the ledger's", err)
	}
	if report := v.Report(); len(report.Findings) != 2 || report.Findings[1].Line != 2 {
		t.Errorf("report %+v", report)
	}
}

// TestFindingsAreBounded: what is no log at all does not fill the memory with findings, and each is counted.
func TestFindingsAreBounded(t *testing.T) {
	v := auditlog.NewVerifier(auditlog.Options{})
	for range 3 * auditlog.MaxFindings {
		v.Add(auditlog.Line{Text: []byte(`nonsense`)})
	}
	if report := v.Report(); len(report.Findings) != auditlog.MaxFindings || report.Problems[auditlog.KindEdit] != 3*auditlog.MaxFindings {
		t.Errorf("%d findings of %v", len(report.Findings), report.Problems)
	}
}

// BenchmarkVerify measures a log of 1,000 texts with four changes each, and what is kept of a text.
func BenchmarkVerify(b *testing.B) {
	w := written{}
	for n := range 1000 {
		var r ledger.Record
		for i := range 4 {
			w.change(b, n, &r, noon.Add(time.Duration(i)*time.Second))
		}
	}
	b.ReportAllocs()
	kept := uint64(0)
	for b.Loop() {
		before := heap()
		v := auditlog.NewVerifier(auditlog.Options{Ordered: true})
		for _, line := range w.lines {
			v.Add(line)
		}
		kept += heap() - before
		if report := v.Report(); !report.Sound() {
			b.Fatal(report)
		}
	}
	b.ReportMetric(float64(kept)/float64(1000*b.N), "B-kept/text")
}

// heap returns the bytes in use.
func heap() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// BenchmarkSeal measures what sealing a record costs its writer.
func BenchmarkSeal(b *testing.B) {
	r := relaytest.Record(1, noon)
	claimed, err := r.Claim("0f0e", 0, relaytest.Destination, time.Minute, noon)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := auditlog.Seal(ledger.Record{}, claimed); err != nil {
			b.Fatal(err)
		}
	}
}
