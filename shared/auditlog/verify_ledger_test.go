package auditlog_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// lived is the log of one text that had n changes, one an hour from noon on.
func lived(t *testing.T, n int) (w written, r ledger.Record) {
	t.Helper()
	w.heads = map[string]auditlog.Head{}
	for i := range n {
		w.change(t, 1, &r, noon.Add(time.Duration(i)*time.Hour))
	}
	w.heads[r.MessageSid] = headOf(r)
	return w, r
}

// TestReadingFromSomeTimeOn: what the log keeps no longer is no finding, whatever that time is, and the rest is held together.
func TestReadingFromSomeTimeOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := write(t)
		i := rapid.IntRange(0, len(w.lines)-1).Draw(t, "first line")
		options := auditlog.Options{Ordered: true, From: w.lines[i].Time}
		report := w.verifyAs(t, rapid.Bool().Draw(t, "with the ledger"), options)
		if !report.Sound() || report.Entries != len(w.lines)-i {
			t.Errorf("report from line %d of %d: %+v", i, len(w.lines), report)
		}
		// What was deleted before that time, is not missed either.
		w.lines = w.lines[i:]
		if report := w.verifyAs(t, true, options); !report.Sound() {
			t.Errorf("report without the lines before line %d: %+v", i, report)
		}
	})
}

// TestWhatIsMissingSinceThen is found all the same.
func TestWhatIsMissingSinceThen(t *testing.T) {
	tests := []struct {
		name string
		from time.Time
		// missing is the version whose entry is not there.
		missing int
		heads   bool
		want    []string
		partial int
	}{
		{"nothing", noon.Add(2 * time.Hour), 0, true, []string{}, 1},
		{"in the middle", noon.Add(2 * time.Hour), 5, true, []string{auditlog.KindGap}, 1},
		{"in the middle, and the ledger is not asked", noon.Add(2 * time.Hour), 5, false, []string{auditlog.KindGap}, 1},
		{"at the end", noon.Add(2 * time.Hour), 6, true, []string{auditlog.KindGap}, 1},
		{"at the end of a text that began before, with no other entry since", noon.Add(5 * time.Hour), 6, true, []string{}, 0},
		{"the first", noon.Add(-time.Hour), 1, true, []string{auditlog.KindGap}, 0},
		{"the first, and the ledger is not asked", noon.Add(-time.Hour), 1, false, []string{}, 1},
		{"right behind the first that is read", noon.Add(2 * time.Hour), 4, true, []string{}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, _ := lived(t, 6)
			if tt.missing > 0 {
				w.lines = slices.Delete(w.lines, tt.missing-1, tt.missing)
			}
			report := w.verifyAs(t, tt.heads, auditlog.Options{From: tt.from})
			if diff := cmp.Diff(tt.want, kinds(report)); diff != "" || report.Partial != tt.partial {
				t.Errorf("kinds (-want +got):\n%s\n%+v", diff, report)
			}
		})
	}
}

// TestOneText: the others are neither looked at nor counted.
func TestOneText(t *testing.T) {
	w, r := lived(t, 3)
	var other ledger.Record
	for i := range 3 {
		w.change(t, 2, &other, noon.Add(time.Duration(i)*time.Minute))
	}
	w.heads[other.MessageSid] = headOf(other)
	w.lines = slices.Delete(w.lines, 4, 5)
	if report := w.verifyAs(t, true, auditlog.Options{Chain: r.MessageSid}); !report.Sound() || report.Entries != 3 || report.Texts != 1 {
		t.Errorf("report of the sound text: %+v", report)
	}
	if report := w.verifyAs(t, true, auditlog.Options{Chain: other.MessageSid}); report.Problems[auditlog.KindGap] != 1 {
		t.Errorf("report of the other text: %+v", report)
	}
}

// TestTextsThatTheLedgerDidNotHave when it was read came in since, or are gone, which the log has to say sooner or later.
func TestTextsThatTheLedgerDidNotHave(t *testing.T) {
	w, r := lived(t, 3)
	removed := w
	removed.append(t, 1, &r, nil, auditlog.ChangeExpired, noon.Add(9*time.Hour))
	last := removed.lines[3]
	tests := []struct {
		name string
		// lines are read at first, late ones later.
		lines, late []auditlog.Line
		head        auditlog.Head
		await       bool
		gone        int
		want        []string
	}{
		{"it came in since, and went on", w.lines[:1], nil, headOf(r), false, 0, []string{}},
		{"its removal is in the log", removed.lines, nil, auditlog.Head{}, false, 0, []string{}},
		{"its removal comes into the log later", w.lines, []auditlog.Line{w.lines[2], last}, auditlog.Head{}, false, 1, []string{}},
		{"its removal is known to be on its way", w.lines, nil, auditlog.Head{}, true, 0, []string{}},
		{"its removal never comes", w.lines, []auditlog.Line{w.lines[2]}, auditlog.Head{}, false, 1, []string{auditlog.KindGap}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := auditlog.NewVerifier(auditlog.Options{})
			for _, line := range tt.lines {
				v.Add(line)
			}
			if tt.await {
				v.Await(r.MessageSid)
			}
			gone, err := v.Ask(t.Context(), func(context.Context, string) (auditlog.Head, error) { return tt.head, nil })
			if err != nil || gone != tt.gone {
				t.Errorf("%d are gone, want %d; error %v", gone, tt.gone, err)
			}
			for _, line := range tt.late {
				v.AddLate(line)
			}
			report := v.Report()
			if diff := cmp.Diff(tt.want, kinds(report)); diff != "" || report.Duplicates != 0 {
				t.Errorf("kinds (-want +got):\n%s\n%+v", diff, report)
			}
		})
	}
}

// TestLedgerThatWasSetBack: entries from long before it was read mention more than it has.
func TestLedgerThatWasSetBack(t *testing.T) {
	w, _ := lived(t, 2)
	earlier := w.heads
	w, r := lived(t, 3)
	w.heads = earlier
	third := w.lines[2].Time
	for name, tt := range map[string]struct {
		readAt time.Time
		want   []string
	}{
		"an hour later":      {third.Add(time.Hour), []string{auditlog.KindBehind}},
		"some seconds later": {third.Add(10 * time.Second), []string{}},
		"before":             {third.Add(-time.Hour), []string{}},
		"at a time unknown":  {time.Time{}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			report := w.verifyAs(t, true, auditlog.Options{HeadsAt: tt.readAt})
			if diff := cmp.Diff(tt.want, kinds(report)); diff != "" {
				t.Errorf("kinds (-want +got):\n%s\n%+v", diff, report)
			}
		})
	}
	w.append(t, 1, &r, nil, auditlog.ChangeRemoved, third.Add(time.Second))
	w.heads = map[string]auditlog.Head{r.MessageSid: headOf(r)}
	report := w.verifyAs(t, true, auditlog.Options{HeadsAt: third.Add(time.Hour)})
	if diff := cmp.Diff([]string{auditlog.KindBehind}, kinds(report)); diff != "" {
		t.Errorf("a record that was removed is there again (-want +got):\n%s\n%+v", diff, report)
	}
}

// TestRecordsWithoutASeal, of an older version of the relay, are compared by version; and the chain begins with the first seal.
func TestRecordsWithoutASeal(t *testing.T) {
	w := written{heads: map[string]auditlog.Head{}}
	old := relaytest.Record(1, noon)
	old.State, old.UpdatedAt, old.Version = ledger.Sending, noon, 1
	w.append(t, 1, nil, &old, auditlog.ChangeCreated, noon)
	before := old
	old.Version, old.UpdatedAt = 2, noon.Add(time.Second)
	w.append(t, 1, &before, &old, auditlog.ChangeChanged, noon)
	w.heads[old.MessageSid] = headOf(old)
	if report := w.verify(t, true); !report.Sound() || report.WithoutHash != 2 {
		t.Errorf("report of an old log: %+v", report)
	}
	cut := w
	cut.lines = w.lines[:1]
	if report := cut.verify(t, true); report.Problems[auditlog.KindGap] != 1 {
		t.Errorf("report of an old log without its end: %+v", report)
	}
	w.change(t, 1, &old, noon.Add(time.Minute))
	w.heads[old.MessageSid] = headOf(old)
	if report := w.verify(t, true); !report.Sound() || report.WithoutHash != 2 || report.Entries != 3 {
		t.Errorf("report of a log that goes on with seals: %+v", report)
	}
	lines := w.lines
	w.lines = slices.Delete(slices.Clone(lines), 1, 2)
	if report := w.verify(t, true); report.Problems[auditlog.KindGap] != 1 {
		t.Errorf("report without the second line: %+v", report)
	}
}
