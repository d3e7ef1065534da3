package relaytest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// TestAuditLog holds an audit log against the contract of package auditlog. open returns a new, empty log and a function
// that reads everything it has kept, in any order; it is called once a subtest, and subtests run side by side. The log
// may show its lines late. Times lie within five days before now. What an *auditlog.IncompleteError says is for each
// adapter's own tests: only they can make it fail half-way.
func TestAuditLog(t *testing.T, open func(t *testing.T) (auditlog.Log, func(t *testing.T) []auditlog.Line)) {
	t.Helper()
	for _, tt := range auditLogTests() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			log, kept := open(t)
			tt.run(auditLogTest{t, log, kept})
		})
	}
}

// auditLogCase is one subtest of the suite.
type auditLogCase struct {
	name string
	run  func(auditLogTest)
}

func auditLogTests() []auditLogCase {
	return []auditLogCase{
		{"nothing to append", auditLogTest.nothing},
		{"an entry is kept as it is", auditLogTest.entry},
		{"lines in no order of time", auditLogTest.unsorted},
		{"appends add up", auditLogTest.addUp},
		{"lines of one time", auditLogTest.sameTime},
		{"more than 24 hours", auditLogTest.days},
		{"more than 10,000 lines", auditLogTest.many},
		{"more than 1 MiB", auditLogTest.heavy},
		{"appends side by side", auditLogTest.sideBySide},
	}
}

// auditLogTest is one subtest with its log.
type auditLogTest struct {
	*testing.T
	auditlog.Log

	kept func(t *testing.T) []auditlog.Line
}

// line is a line of JSON, at least size bytes long, made age ago.
func line(name string, age time.Duration, size int) auditlog.Line {
	text := fmt.Sprintf(`{"id":%q,"pad":%q}`, name, strings.Repeat("é", size/2))
	return auditlog.Line{Time: recently().Truncate(time.Minute).Add(-age), Text: []byte(text)}
}

func (l auditLogTest) append(lines ...auditlog.Line) {
	l.Helper()
	if err := l.Append(l.Context(), lines); err != nil {
		l.Fatalf("Append of %d lines: %v", len(lines), err)
	}
}

// keeps waits until the log shows exactly want, in any order.
func (l auditLogTest) keeps(want []auditlog.Line) {
	l.Helper()
	want = sorted(want)
	eventually(l.T, func() string {
		got := sorted(l.kept(l.T))
		if len(got) != len(want) {
			return fmt.Sprintf("%d lines kept, want %d", len(got), len(want))
		}
		for i := range want {
			if !got[i].Time.Equal(want[i].Time) || !bytes.Equal(got[i].Text, want[i].Text) {
				return fmt.Sprintf("line %d (-want +got):\n%s", i, cmp.Diff(printable(want[i]), printable(got[i])))
			}
		}
		return ""
	})
}

func sorted(lines []auditlog.Line) []auditlog.Line {
	return slices.SortedFunc(slices.Values(lines), func(a, b auditlog.Line) int {
		if c := a.Time.Compare(b.Time); c != 0 {
			return c
		}
		return bytes.Compare(a.Text, b.Text)
	})
}

func printable(l auditlog.Line) string {
	return fmt.Sprintf("%v %d bytes: %.200s", l.Time.UTC(), len(l.Text), l.Text)
}

func (l auditLogTest) nothing() {
	l.append()
	l.keeps(nil)
}

func (l auditLogTest) entry() {
	e := auditlog.Entry{
		ID: "SM00000000000000000000000000000001.3", Time: recently(), Subject: "message", Change: "changed", Version: 3,
		MessageSid: MessageSid(1), From: "sending", To: "sent", TwilioNumber: TwilioNumber.Mask(), Customer: Customer.Mask(),
		Attempt: &auditlog.Attempt{Number: 1, Destination: Destination.Mask(), OutboundSid: MessageSid(2), Outcome: ledger.OutcomeAccepted},
		Reason:  `<&> "quoted" 🙂`,
	}
	made, err := e.Line()
	if err != nil {
		l.Fatalf("Line: %v", err)
	}
	l.append(made)
	l.keeps([]auditlog.Line{made})
}

func (l auditLogTest) unsorted() {
	var lines []auditlog.Line
	for i := range 50 {
		// 31 and 50 share no divisor.
		lines = append(lines, line(fmt.Sprint(i), time.Duration(i*31%50)*time.Second, 0))
	}
	given := slices.Clone(lines)
	l.append(lines...)
	l.keeps(given)
	if diff := cmp.Diff(given, lines); diff != "" {
		l.Errorf("Append reordered the caller's lines (-before +after):\n%s", diff)
	}
}

func (l auditLogTest) addUp() {
	var want []auditlog.Line
	for i := range 5 {
		// Each is older than the one before it.
		next := line(fmt.Sprint(i), time.Duration(i)*time.Minute, 0)
		l.append(next)
		want = append(want, next)
	}
	l.keeps(want)
}

func (l auditLogTest) sameTime() {
	same := line("same", 0, 0)
	lines := []auditlog.Line{same, line("other", 0, 0), line("third", time.Millisecond, 0)}
	l.append(lines...)
	l.keeps(lines)
}

func (l auditLogTest) days() {
	var lines []auditlog.Line
	for hours := range 100 {
		lines = append(lines, line(fmt.Sprint(hours), time.Duration(hours*37%100)*time.Hour, 0))
	}
	exactlyADay := line("a day", 24*time.Hour, 0)
	lines = append(lines, exactlyADay, line("a day and 1 ms", 24*time.Hour+time.Millisecond, 0))
	l.append(lines...)
	l.keeps(lines)
}

func (l auditLogTest) many() {
	var lines []auditlog.Line
	for i := range 10_001 {
		lines = append(lines, line(fmt.Sprint(i), time.Duration(i*7919%10_001)*time.Millisecond, 0))
	}
	l.append(lines...)
	l.keeps(lines)
}

func (l auditLogTest) heavy() {
	var lines []auditlog.Line
	for i := range 40 {
		lines = append(lines, line(fmt.Sprint(i), time.Duration(i)*time.Second, 60_000+i))
	}
	lines = append(lines, line("a long one", time.Hour, 240_000))
	l.append(lines...)
	l.keeps(lines)
}

func (l auditLogTest) sideBySide() {
	var want []auditlog.Line
	var wg sync.WaitGroup
	for writer := range 8 {
		var own []auditlog.Line
		for i := range 20 {
			own = append(own, line(fmt.Sprintf("%d/%d", writer, i), time.Duration(i)*time.Second, 0))
		}
		want = append(want, own...)
		wg.Go(func() {
			if err := l.Append(l.Context(), own); err != nil {
				l.Errorf("Append by %d: %v", writer, err)
			}
		})
	}
	wg.Wait()
	l.keeps(want)
}
