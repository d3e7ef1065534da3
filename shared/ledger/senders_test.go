package ledger_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// story is a life in which only that happens which senders do, who ask Next and hold a claim, and what Twilio says of the
// messages that it has.
type story struct {
	*life
	// resends and timeouts are the route's settings.
	resends, timeouts bool
	// journeys holds the statuses that Twilio's message of an attempt goes through, for the POSTs that reached it.
	journeys map[int][]sms.Status
	// unanswered are the attempts whose POST has not come back to its sender.
	unanswered []int
	// heardDelivered is set once a receipt has said so while it could still change something.
	heardDelivered bool
}

// maxAttempts is the most there may be at one phone.
const maxAttempts = 3

func newStory(t *rapid.T) *story {
	return &story{
		life: newLife(), resends: rapid.Bool().Draw(t, "resends"), timeouts: rapid.Bool().Draw(t, "timeouts"),
		journeys: map[int][]sms.Status{},
	}
}

// nextHopOf returns the first hop at which another attempt may be made, -1 for none.
func (s *story) nextHopOf(r ledger.Record) int {
	return slices.IndexFunc([]int{0, 1, 2}, func(n int) bool { return r.HopOpen(hop(n)) })
}

// hasNext reports whether the text may go on from that hop.
func (s *story) hasNext(from int) bool {
	return slices.ContainsFunc([]int{0, 1, 2}, func(n int) bool { return n != from && s.record.HopOpen(hop(n)) })
}

// sender does what Next says.
func (s *story) sender(t *rapid.T) {
	last, _ := s.record.Current()
	switch step, _ := s.record.Next(s.now); step {
	case ledger.StepClaim:
		s.attempts(t)
	case ledger.StepDoubt:
		r, changed := s.record.Doubt(last.Number, lost, s.now, s.now)
		s.become(t, "Doubt", r, changed, nil)
	case ledger.StepLook:
		s.looks(t, last)
	case ledger.StepWait, ledger.StepDone:
	}
}

// attempts makes the next attempt, or finds that there is none.
func (s *story) attempts(t *rapid.T) {
	n := s.nextHopOf(s.record)
	switch whim := rapid.IntRange(0, 9).Draw(t, "whim"); {
	case whim == 0:
		r, err := s.record.Drop(ledger.ReasonExpired, s.now)
		s.become(t, "Drop", r, true, err)
		return
	case whim == 1 && n >= 0:
		r, err := s.record.Book(ledger.Slot{At: s.now.Add(time.Second), To: hop(n)}, s.now)
		s.become(t, "Book", r, true, err)
		return
	case n < 0:
		r, err := s.record.GiveUp(s.now)
		s.become(t, "GiveUp", r, true, err)
		return
	case s.record.AttemptsSpentOn(hop(n)) >= maxAttempts:
		r, err := s.record.Die(ledger.ReasonAttemptsExhausted, s.now)
		s.become(t, "Die", r, true, err)
		return
	}
	s.mayBeClaimed(t, n)
	r, err := s.record.Claim(fmt.Sprint(len(s.past)), n, hop(n), lease, s.now)
	s.become(t, "Claim", r, true, err)
	number := current(r)
	s.unanswered = append(s.unanswered, number)
	if rapid.Bool().Draw(t, "reaches Twilio") {
		s.journeys[number] = rapid.SampledFrom([][]sms.Status{
			{"queued", "sent", "delivered"}, {"queued", "sent", "undelivered"}, {"queued", "failed"}, {"queued", "sent"},
		}).Draw(t, "journey")
	}
}

// mayBeClaimed: a text that may still be delivered, as far as anyone knows, is not sent again to that phone or another.
func (s *story) mayBeClaimed(t *rapid.T, n int) {
	t.Helper()
	for _, a := range s.record.Attempts {
		switch {
		case a.Outcome == "":
			t.Fatalf("attempt %d is open, and the text is to be claimed again", a.Number)
		case a.Unknown() && !s.resends:
			t.Fatalf("nobody knows what became of attempt %d, and the text is to be claimed again", a.Number)
		case a.Accepted() && !a.Status.Lost() && a.To == hop(n):
			t.Fatalf("attempt %d is %q, and the text is to go to the same phone again", a.Number, a.Status)
		case a.Accepted() && !a.Status.Lost() && s.record.HopOpen(a.To):
			t.Fatalf("attempt %d is %q at a phone that nobody has given up, and the text is to go to another", a.Number, a.Status)
		}
	}
}

// looks asks Twilio, which may not have the message on its list yet.
func (s *story) looks(t *rapid.T, last ledger.Attempt) {
	_, there := s.journeys[last.Number]
	onward := park
	if s.resends && s.record.AttemptsSpentOn(last.To) < maxAttempts {
		onward = resend
	}
	switch {
	case there && rapid.Bool().Draw(t, "listed"):
		r, changed := s.record.Discover(last.Number, sid(last.Number), sms.StatusQueued, s.now)
		s.become(t, "Discover", r, changed, nil)
	case last.Looks < 2:
		r, changed := s.record.Looked(last.Number, s.now.Add(time.Second), s.now)
		s.become(t, "Looked", r, changed, nil)
	default:
		r, changed, err := s.record.Conclude(last.Number, onward, s.now)
		s.become(t, "Conclude", r, changed, err)
	}
}

// answers lets a POST come back to its sender, however late, or never.
func (s *story) answers(t *rapid.T) {
	if len(s.unanswered) == 0 {
		return
	}
	i := rapid.IntRange(0, len(s.unanswered)-1).Draw(t, "answer")
	number := s.unanswered[i]
	s.unanswered = slices.Delete(s.unanswered, i, i+1)
	at := s.record.Attempts[slices.IndexFunc(s.record.Attempts, func(a ledger.Attempt) bool { return a.Number == number })].Hop
	_, there := s.journeys[number]
	onward := map[fault.Kind]ledger.Onward{
		fault.Transient: {To: ledger.Queued, NotBefore: s.now.Add(time.Second)}, fault.Permanent: refused,
		fault.Unreachable: noHop,
	}
	if s.hasNext(at) {
		onward[fault.Unreachable] = nextHop
	}
	switch kind := rapid.SampledFrom([]fault.Kind{fault.Transient, fault.Permanent, fault.Unreachable}).Draw(t, "kind"); {
	case rapid.IntRange(0, 3).Draw(t, "lost") == 0:
		r, changed := s.record.Doubt(number, lost, s.now.Add(time.Second), s.now)
		s.become(t, "Doubt", r, changed, nil)
	case there:
		r, changed := s.record.Accept(number, sid(number), sms.StatusQueued, s.now)
		s.become(t, "Accept", r, changed, nil)
	default:
		r, changed, err := s.record.End(number, &fault.Error{Kind: kind}, onward[kind], s.now)
		s.become(t, "End", r, changed, err)
	}
}

// receipts brings any receipt that Twilio may send, in any order, and however often.
func (s *story) receipts(t *rapid.T) {
	number := s.attempt(t)
	journey := s.journeys[number]
	if len(journey) == 0 {
		return
	}
	i := slices.IndexFunc(s.record.Attempts, func(a ledger.Attempt) bool { return a.Number == number })
	status := rapid.SampledFrom(journey).Draw(t, "status")
	onward := toNobody
	if status.Lost() {
		onward = rapid.SampledFrom([]ledger.Onward{toNobody, later}).Draw(t, "onward")
		if s.hasNext(s.record.Attempts[i].Hop) {
			onward = nextHop
		}
	}
	s.heardDelivered = s.heardDelivered || status == sms.StatusDelivered && !s.record.State.Final()
	receipt := sms.Receipt{Sid: sid(number), Status: status, CallbackRef: sms.CallbackRef{Attempt: number}}
	r, changed := s.record.Apply(receipt, onward, s.now)
	s.become(t, "Apply", r, changed, nil)
}

// timer gives up waiting for a receipt, if the text has another hop to go to.
func (s *story) timer(t *rapid.T) {
	if last, ok := s.record.Current(); ok && s.timeouts && s.hasNext(last.Hop) {
		r, changed := s.record.TimeOut(last.Number, s.now)
		s.become(t, "TimeOut", r, changed, nil)
	}
}

func (s *story) check(t *rapid.T) {
	t.Helper()
	r := s.record
	if s.heardDelivered && r.State != ledger.Delivered {
		t.Fatalf("a receipt said delivered in time, and the text is %q", r.State)
	}
	for _, a := range r.Attempts {
		if _, there := s.journeys[a.Number]; a.Accepted() && (!there || a.OutboundSid != sid(a.Number)) {
			t.Fatalf("attempt %d is accepted as %q, and Twilio does not have it", a.Number, a.OutboundSid)
		}
	}
	if hadAll := len(s.unanswered) == 0; hadAll && r.State == ledger.Uncertain && !slices.ContainsFunc(r.Attempts, ledger.Attempt.Unknown) {
		t.Fatalf("the text is uncertain, and nothing about it is")
	}
}

// TestSendersAndReceiptsOnly: however these mix, nothing is sent again that may still be delivered, and the text ends.
func TestSendersAndReceiptsOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		t.Repeat(map[string]func(*rapid.T){
			"time passes": s.events()["time passes"],
			"sender":      s.sender,
			"answer":      s.answers,
			"receipt":     s.receipts,
			"timer":       s.timer,
			"":            s.check,
		})
		for range 100 {
			if step, _ := s.record.Next(s.now); step == ledger.StepDone {
				return
			}
			s.now = s.now.Add(lease)
			s.sender(t)
			s.check(t)
		}
		t.Fatalf("after 100 further steps the text is still %q: %+v", s.record.State, s.record.Attempts)
	})
}
