package relaytest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/auditlog"
)

// TestTrail holds a trail against the contract of package auditlog. open returns a new, empty log and the trail in it; it is
// called once a subtest, and subtests run side by side. The trail may show the log's lines late.
func TestTrail(t *testing.T, open func(t *testing.T) (auditlog.Log, auditlog.Trail)) {
	t.Helper()
	for name, run := range map[string]func(trailTest){
		"nothing was written":      trailTest.nothing,
		"one text's entries":       trailTest.ofOneText,
		"between two times":        trailTest.between,
		"an entry that came twice": trailTest.twice,
		"among many":               trailTest.amongMany,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, trail := open(t)
			run(trailTest{t, log, trail})
		})
	}
}

// trailTest is one subtest with its log and the trail in it.
type trailTest struct {
	*testing.T
	auditlog.Log
	auditlog.Trail
}

// step is the entry of the nth text's version, a second after the one before.
func step(n int, version int64) auditlog.Entry {
	at := recently().Truncate(time.Minute).Add(time.Duration(version) * time.Second)
	return auditlog.Entry{
		ID: fmt.Sprintf("%s.%d", MessageSid(n), version), Time: at, Subject: "message", Change: "changed", Version: version,
		MessageSid: MessageSid(n), From: "sending", To: "sent", TwilioNumber: TwilioNumber.Mask(),
		Attempt: &auditlog.Attempt{
			Number: 1, Destination: Destination.Mask(), OutboundSid: MessageSid(9000 + n),
			Status: "queued", Outcome: "accepted",
		},
	}
}

func (l trailTest) append(entries ...auditlog.Entry) {
	l.Helper()
	lines := make([]auditlog.Line, len(entries))
	for i, entry := range entries {
		line, err := entry.Line()
		if err != nil {
			l.Fatal(err)
		}
		lines[i] = line
	}
	if err := l.Append(l.Context(), lines); err != nil {
		l.Fatal(err)
	}
}

// finds waits until the search finds exactly want.
func (l trailTest) finds(sid string, from, to time.Time, want ...auditlog.Entry) {
	l.Helper()
	eventually(l.T, func() string {
		got, err := l.Find(l.Context(), sid, from, to)
		if err != nil {
			return fmt.Sprintf("Find: %v", err)
		}
		slices.SortStableFunc(got, func(a, b auditlog.Entry) int { return a.Time.Compare(b.Time) })
		if diff := cmp.Diff(append([]auditlog.Entry{}, want...), append([]auditlog.Entry{}, got...)); diff != "" {
			return fmt.Sprintf("Find from %v to %v (-want +got):\n%s", from, to, diff)
		}
		return ""
	})
}

// around is a range of time that holds all steps.
func around() (from, to time.Time) { return recently().Add(-time.Hour), recently().Add(time.Hour) }

func (l trailTest) nothing() {
	l.append(step(2, 1)) // A group without a stream is not asked.
	from, to := around()
	l.finds(MessageSid(1), from, to)
}

// ofOneText: a text that only names the other one, as the message sent for it, is not that one.
func (l trailTest) ofOneText() {
	naming := step(2, 1)
	naming.Attempt.OutboundSid = MessageSid(1)
	l.append(step(1, 1), naming, step(1, 2), step(3, 1), step(1, 3))
	from, to := around()
	l.finds(MessageSid(1), from, to, step(1, 1), step(1, 2), step(1, 3))
	l.finds(MessageSid(2), from, to, naming)
	l.finds(MessageSid(4), from, to)
}

func (l trailTest) between() {
	l.append(step(1, 1), step(1, 2), step(1, 3), step(1, 4))
	l.finds(MessageSid(1), step(1, 2).Time, step(1, 3).Time, step(1, 2), step(1, 3))
	l.finds(MessageSid(1), step(1, 2).Time.Add(time.Millisecond), step(1, 4).Time.Add(-time.Millisecond), step(1, 3))
	l.finds(MessageSid(1), step(1, 4).Time.Add(time.Second), step(1, 4).Time.Add(time.Minute))
}

func (l trailTest) twice() {
	l.append(step(1, 1), step(1, 1))
	from, to := around()
	l.finds(MessageSid(1), from, to, step(1, 1), step(1, 1))
}

func (l trailTest) amongMany() {
	for batch := range 5 {
		var entries []auditlog.Entry
		for i := range 500 {
			entries = append(entries, step(10+batch*500+i, 1))
		}
		entries = append(entries, step(1, int64(batch+1)))
		l.append(entries...)
	}
	from, to := around()
	l.finds(MessageSid(1), from, to, step(1, 1), step(1, 2), step(1, 3), step(1, 4), step(1, 5))
}
