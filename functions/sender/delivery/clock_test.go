package delivery_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// aheadBy has the sender's clock, not the queues', show a time that far ahead, until it is set right.
func (s *sender) aheadBy(d time.Duration) (setRight func()) {
	s.Now = func() time.Time { return s.clock.Now().Add(d) }
	return func() { s.Now = s.clock.Now }
}

// receivedAt is an edit that gives a text the time at which the front door took it.
func receivedAt(at time.Time) func(e *queue.Envelope) {
	return func(e *queue.Envelope) { e.ReceivedAt = at }
}

// A clock that was ahead has booked for tomorrow. Once it is right, texts to that phone go at their pace, and none is dropped.
func TestPaceAfterAClockThatWasAhead(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	s := newSender(t)
	s.PacePair = pairOf
	setRight := s.aheadBy(day)
	s.queueUp(textOf(1, receivedAt(started.Add(day))), textOf(2, receivedAt(started.Add(day))))
	s.checkBack(1)
	s.checkPosts(1)
	setRight()
	s.clock.Advance(20 * time.Second)
	s.queueUp(textOf(3, by(3)), textOf(4, by(4)))
	s.drain()
	for n := 1; n <= 4; n++ {
		s.checkState(n, ledger.Sent, "")
	}
	got := s.postedAt()
	for i := 2; i < len(got); i++ {
		if got[i]-got[i-1] < 10*time.Second || got[i] > time.Minute {
			t.Errorf("POSTs at %v, want the last three 10 s apart, within a minute", got)
		}
	}
}

// A timer that a clock ahead has set is due as long from now as it was to be then.
func TestTimerAfterAClockThatWasAhead(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	s := newSender(t)
	s.reroute(timeout(40 * time.Minute))
	setRight := s.aheadBy(day)
	s.queueUp(textOf(1, receivedAt(started.Add(day))))
	s.checkBack(0)
	setRight()
	s.drain()
	s.checkPhones(first, second)
	got := s.postedAt()
	if len(got) != 2 || got[1] < 40*time.Minute || got[1] > 56*time.Minute {
		t.Errorf("POSTs at %v, want the second when the 40 minutes are over, or a quarter of an hour later", got)
	}
}

// A POST of unknown end began by a clock that was ahead: where its message would be on Twilio's list it is not. That is no reason
// to send it again, whatever the route says.
func TestLookAfterAClockThatWasAhead(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	s := newSender(t)
	s.reroute(func(r *route.Route) { r.OnUncertain = route.Resend })
	s.twilio.answer = func(int, sms.Outbound) error { return lostPost() }
	setRight := s.aheadBy(day)
	s.queueUp(textOf(1, receivedAt(started.Add(day))))
	s.checkBack(1)
	setRight()
	s.drain()
	s.checkPosts(1)
	s.checkState(1, ledger.Uncertain, ledger.ReasonAmbiguous)
}

// A text that no moment is left for is dropped before it is too old: somebody is to hear of that.
func TestExpiredByPaceIsAWarning(t *testing.T) {
	t.Parallel()
	s := newSender(t)
	s.PacePair, s.Concurrency = pairOf, 1
	s.reroute(maxAge(15 * time.Second))
	var log strings.Builder
	s.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	s.queueUp(textOf(1, by(1)), textOf(2, by(2)), textOf(3, by(3)))
	s.pump()
	s.checkState(3, ledger.Dropped, ledger.ReasonExpired)
	if strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), "reason=expired") || s.measured["Dropped expired"] != 1 {
		t.Errorf("logged %q, measured %v; want one warning that names the reason, and a count", log.String(), s.measured)
	}
}
