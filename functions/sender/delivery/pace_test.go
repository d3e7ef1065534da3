package delivery_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// booked counts the bookings that are made.
func (s *sender) booked() *int {
	n := 0
	s.faults.hook = func(op string) error {
		if op == "before Reserve" || op == "pace before Reserve" {
			n++
		}
		return nil
	}
	return &n
}

// pairOf is the limit that tests of a pair keep to: one text each ten seconds.
var pairOf = pace.Limit{N: 1, Per: 10 * time.Second}

// Over the limit, texts wait in the order in which they came; no attempt is spent, and each is booked once.
func TestPaceKeepsOrder(t *testing.T) {
	s := newSender(t)
	s.PacePair, s.Concurrency = pairOf, 1
	bookings := s.booked()
	for n := 1; n <= 6; n++ {
		s.queueUp(textOf(n, by((n+1)/2)))
	}
	s.drain()
	if diff := cmp.Diff([]time.Duration{0, 10 * time.Second, 20 * time.Second, 30 * time.Second, 40 * time.Second, 50 * time.Second},
		s.postedAt()); diff != "" {
		t.Errorf("POSTs at (-want +got):\n%s", diff)
	}
	checkOrder(t, s.twilio.Posts(), 6)
	for n := 1; n <= 6; n++ {
		s.checkState(n, ledger.Sent, "")
		if r := s.record(n); len(r.Attempts) != 1 || r.Slot != (ledger.Slot{}) {
			t.Errorf("text %d: %+v", n, r)
		}
	}
	if *bookings != 6 {
		t.Errorf("%d bookings, want one a text", *bookings)
	}
	if s.measured["Paced"] != 5 || s.measured["PaceWait"] != 5 || len(s.dead.Messages()) != 0 {
		t.Errorf("measured %v", s.measured)
	}
	checkChanges(t, s.ledger.Changes())
}

// A text that waits is on record with its moment.
func TestPacedTextIsQueued(t *testing.T) {
	s := newSender(t)
	s.PacePair, s.Concurrency = pairOf, 1
	s.queueUp(textOf(1, by(0)), textOf(2, by(1)))
	s.checkBack(1)
	at := started.Add(10 * time.Second)
	r := s.record(2)
	if r.State != ledger.Queued || r.Reason != ledger.ReasonPace || !r.NotBefore.Equal(at) || r.Slot != (ledger.Slot{At: at, To: first}) ||
		len(r.Attempts) != 0 {
		t.Errorf("record %+v", r)
	}
	if lines := s.lines(); !slices.Contains(lines, "text paced") {
		t.Errorf("log %q", lines)
	}
}

// The number's own limit counts segments, and a route may have another than the relay.
func TestPaceOfTheNumber(t *testing.T) {
	long := func(e *queue.Envelope) { e.Message.Body = strings.Repeat("x", 300) }
	for name, tt := range map[string]struct {
		relay pace.Limit
		route string
		want  []time.Duration
	}{
		"off":                   {pace.Limit{}, "", []time.Duration{0, 0, 0}},
		"the relay's":           {pace.Limit{N: 1, Per: time.Second}, "", []time.Duration{0, 3 * time.Second, 6 * time.Second}},
		"the route's is slower": {pace.Limit{N: 1, Per: time.Second}, "1/2s", []time.Duration{0, 6 * time.Second, 12 * time.Second}},
		"the route's is faster": {pace.Limit{N: 1, Per: time.Second}, "3/1s", []time.Duration{0, time.Second / 3, 4 * time.Second / 3}},
		"the route has none":    {pace.Limit{N: 1, Per: time.Second}, "off", []time.Duration{0, 0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.PaceNumber = tt.relay
			s.reroute(func(r *route.Route) { r.PaceNumber = tt.route })
			for n := 1; n <= 3; n++ {
				s.queueUp(textOf(n, func(e *queue.Envelope) { long(e); by(n)(e) }))
			}
			for len(s.queue.Messages()) > 0 {
				s.pump()
				s.clock.Advance(time.Millisecond)
			}
			got := s.postedAt()
			for i := range got {
				if i >= len(tt.want) || got[i] < tt.want[i] || got[i] > tt.want[i]+2*time.Millisecond {
					t.Fatalf("POSTs at %v, want %v", got, tt.want)
				}
			}
		})
	}
}

// A second hop is another pair, and waits for itself.
func TestPaceOfASecondHop(t *testing.T) {
	s := newSender(t)
	s.PacePair, s.Concurrency = pairOf, 1
	s.twilio.answer = func(_ int, m sms.Outbound) error {
		if m.To == first {
			return refusal(fault.Unreachable, 21614)
		}
		return nil
	}
	s.queueUp(textOf(1, by(0)), textOf(2, by(1)))
	s.drain()
	s.checkPhones(first, second, first, second)
	if diff := cmp.Diff([]time.Duration{0, 0, 10 * time.Second, 10 * time.Second}, s.postedAt()); diff != "" {
		t.Errorf("POSTs at (-want +got):\n%s", diff)
	}
}

// A moment is good for one attempt: what fails books again.
func TestSlotIsUsedOnce(t *testing.T) {
	s := newSender(t)
	s.PacePair, s.Concurrency = pairOf, 1
	bookings := s.booked()
	s.twilio.answer = answers(nil, refusal(fault.Transient, 0))
	s.queueUp(textOf(1, by(0)), textOf(2, by(1)))
	s.drain()
	if diff := cmp.Diff([]time.Duration{0, 10 * time.Second, 20 * time.Second}, s.postedAt()); diff != "" {
		t.Errorf("POSTs at (-want +got):\n%s", diff)
	}
	if *bookings != 3 {
		t.Errorf("%d bookings, want 3", *bookings)
	}
}

// A text may be a little late for its moment; if it is later, it books another.
func TestSlotsGrace(t *testing.T) {
	for late, want := range map[time.Duration]int{0: 2, 5 * time.Second: 2, 5*time.Second + time.Millisecond: 3, time.Hour: 3} {
		t.Run(late.String(), func(t *testing.T) {
			s := newSender(t)
			s.PacePair, s.Concurrency = pairOf, 1
			bookings := s.booked()
			s.queueUp(textOf(1, by(0)), textOf(2, by(1)))
			s.checkBack(1)
			s.clock.Advance(10*time.Second + late)
			s.drain()
			s.checkPosts(2)
			s.checkState(2, ledger.Sent, "")
			if *bookings != want {
				t.Errorf("%d bookings, want %d", *bookings, want)
			}
		})
	}
}

// The route changes while a text waits for its moment: the moment was another phone's.
func TestSlotOfAnotherPhone(t *testing.T) {
	s := newSender(t)
	s.PacePair, s.Concurrency = pairOf, 1
	bookings := s.booked()
	s.queueUp(textOf(1, by(0)), textOf(2, by(1)))
	s.checkBack(1)
	s.reroute(func(r *route.Route) { r.DestinationCarrier = third })
	s.clock.Advance(10 * time.Second)
	s.checkBack(0)
	s.checkPhones(first, third)
	if *bookings != 3 {
		t.Errorf("%d bookings, want 3", *bookings)
	}
}

// A repeat of a text, and one that comes back early or after it was sent, books nothing.
func TestRepeatsDoNotBook(t *testing.T) {
	s := newSender(t)
	s.PacePair, s.Concurrency = pairOf, 1
	s.queueUp(textOf(1, by(0)), textOf(2, by(1)))
	s.checkBack(1)
	bookings := s.booked()
	out, err := textOf(2, by(1)).Outgoing()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		early := []queue.Delivery{{MessageID: "early", Group: "elsewhere", Body: out.Body, ReceiveCount: 2}}
		if _, err := s.Handle(t.Context(), batchOf(early)); err != nil {
			t.Fatal(err)
		}
		s.clock.Advance(time.Second)
	}
	s.drain()
	s.checkPosts(2)
	late := []queue.Delivery{{MessageID: "late", Group: "elsewhere", Body: out.Body, ReceiveCount: 2}}
	if _, err := s.Handle(t.Context(), batchOf(late)); err != nil {
		t.Fatal(err)
	}
	if *bookings != 0 {
		t.Errorf("%d bookings by repeats", *bookings)
	}
}

// Someone else books at the same moment: the text is back soon, with nothing on record and no attempt spent.
func TestBookingMeetsAnother(t *testing.T) {
	s := newSender(t)
	s.PacePair, s.Concurrency = pairOf, 1
	s.Spread = func() float64 { return 0.5 }
	asked := 200 * time.Millisecond
	busy := &fault.Error{Kind: fault.Throttled, RetryAfter: asked}
	s.fail("pace before Reserve", busy, busy)
	s.queueUp(textOf(1, nil), textOf(2, nil))
	if diff := cmp.Diff(map[int]time.Duration{1: asked * 3 / 2, 2: 0}, s.handedOut()); diff != "" {
		t.Errorf("came back after (-want +got):\n%s", diff)
	}
	if n := len(s.ledger.Changes()); n != 0 || s.measured["Paced"] != 0 {
		t.Errorf("%d changes of the ledger, measured %v", n, s.measured)
	}
	s.drain()
	checkOrder(t, s.twilio.Posts(), 2)
}

// The book cannot be asked, or its answer is lost: no attempt is spent, and the order holds.
func TestBookIsDown(t *testing.T) {
	for _, op := range []string{"pace before Reserve", "pace after Reserve"} {
		for _, kind := range []fault.Kind{fault.Transient, fault.Throttled, fault.Permanent, fault.Fatal, fault.Unknown} {
			t.Run(op+" "+kind.String(), func(t *testing.T) {
				s := newSender(t)
				s.PacePair, s.Concurrency = pairOf, 1
				s.fail(op, broken(kind, 3)...)
				s.queueUp(textOf(1, nil), textOf(2, nil))
				s.checkBack(2)
				s.checkPosts(0)
				s.drain()
				checkOrder(t, s.twilio.Posts(), 2)
				for n := 1; n <= 2; n++ {
					if r := s.record(n); len(r.Attempts) != 1 {
						t.Errorf("text %d: %s", n, outcomes(r))
					}
				}
			})
		}
	}
}

// The moment is booked, and cannot be written down: the text books again when it comes back.
func TestSlotIsNotWritten(t *testing.T) {
	for _, op := range []string{"ledger before Create", "ledger after Create"} {
		for _, kind := range []fault.Kind{fault.Transient, fault.Unknown, fault.Fatal} {
			t.Run(op+" "+kind.String(), func(t *testing.T) {
				s := newSender(t)
				s.PacePair, s.Concurrency = pairOf, 1
				s.queueUp(textOf(1, by(0)))
				s.checkBack(0)
				s.fail(op, broken(kind, 6)...)
				s.queueUp(textOf(2, by(1)))
				s.drain()
				s.checkPosts(2)
				s.checkState(2, ledger.Sent, "")
				checkChanges(t, s.ledger.Changes())
			})
		}
	}
}

// While a text waits for its moment, a receipt or an operator's change takes it over: it is not sent at its moment.
func TestPacedTextIsTakenOver(t *testing.T) {
	s := newSender(t)
	s.PacePair, s.Concurrency = pairOf, 1
	s.queueUp(textOf(1, by(0)), textOf(2, by(1)))
	s.checkBack(1)
	s.reroute(func(r *route.Route) { r.Active = false })
	s.drain()
	s.checkPosts(1)
	s.checkState(2, ledger.Dropped, ledger.ReasonInactive)
}

// Two senders have the text at once, and each books: one of them sends.
func TestTwoSendersBook(t *testing.T) {
	s := newSender(t)
	s.PacePair, s.Concurrency = pairOf, 1
	s.queueUp(textOf(1, by(0)))
	s.checkBack(0)
	s.faults.hook = once(s, "pace after Reserve", func() {
		out, err := textOf(2, by(1)).Outgoing()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Handle(context.Background(),
			batchOf([]queue.Delivery{{MessageID: "other", Group: "elsewhere", Body: out.Body}})); err != nil {
			t.Fatal(err)
		}
	})
	s.queueUp(textOf(2, by(1)))
	s.drain()
	s.checkPosts(2)
	s.checkState(2, ledger.Sent, "")
	checkChanges(t, s.ledger.Changes())
	if n := len(s.pace.State(relaytest.TwilioNumber).Recent[first]); n == 0 {
		t.Error("nothing is booked")
	}
}
