package delivery_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// resend is an edit that makes a route send texts again whose outcome nobody knows.
func resend(r *route.Route) { r.OnUncertain = route.Resend }

func TestResend(t *testing.T) {
	s := newSender(t)
	s.reroute(resend)
	s.twilio.answer = answers(lostPost())
	s.queueUp(textOf(1, nil), textOf(2, nil))
	s.drain()
	if diff := cmp.Diff([]time.Duration{0, 122 * time.Second, 122 * time.Second}, s.postedAt()); diff != "" {
		t.Errorf("POSTs at (-want +got):\n%s", diff)
	}
	s.checkState(1, ledger.Sent, "")
	s.checkOutcomes("1@0 unknown, 2@0 accepted queued")
	checkChanges(t, s.ledger.Changes())
	if s.measured["Outcome uncertain"] != 0 {
		t.Errorf("measured %v", s.measured)
	}
}

// The most attempts there may be holds for those, too.
func TestResendEnds(t *testing.T) {
	s := newSender(t)
	s.reroute(resend)
	s.twilio.answer = always(lostPost())
	s.queueUp(textOf(1, nil))
	s.drain()
	s.checkPosts(maxAttempts)
	s.checkState(1, ledger.Uncertain, ledger.ReasonUnknownOutcome)
	if n := len(s.dead.Messages()); n != 0 {
		t.Errorf("%d dead letters", n)
	}
}

// What was found is not sent again, and neither is what its receipt has settled.
func TestResendOnlyWhatIsNotThere(t *testing.T) {
	for name, change := range map[string]func(s *sender){
		"found":            func(*sender) {},
		"receipt at last":  func(s *sender) { s.twilio.listLag = time.Hour; s.tell(1, sms.StatusSent, 0) },
		"receipt in doubt": func(s *sender) { s.twilio.listLag = time.Hour; s.tell(1, sms.StatusDelivered, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.reroute(resend)
			s.twilio.answer = answers(lostAnswer())
			s.queueUp(textOf(1, nil))
			s.checkBack(1)
			change(s)
			s.drain()
			s.checkPosts(1)
		})
	}
}

// After a resend, the first message turns up: the text is delivered, and that is recorded.
func TestFirstMessageTurnsUpAfterAResend(t *testing.T) {
	s := newSender(t)
	s.reroute(resend)
	s.twilio.answer, s.twilio.listLag = answers(lostAnswer()), time.Hour
	s.queueUp(textOf(1, nil))
	s.drain()
	s.checkPosts(2)
	s.tell(1, sms.StatusDelivered, 0)
	s.drain()
	s.checkState(1, ledger.Delivered, "")
	s.checkOutcomes("1@0 accepted delivered, 2@0 accepted queued")
}

// A resend that meets trouble to the end leaves it open, too: an operator looks at it, and it is no dead letter.
func TestResendMeetsTrouble(t *testing.T) {
	s := newSender(t)
	s.reroute(resend)
	s.twilio.answer = func(n int, _ sms.Outbound) error {
		if n == 1 {
			return lostPost()
		}
		return refusal(fault.Transient, 0)
	}
	s.queueUp(textOf(1, nil))
	s.drain()
	s.checkPosts(maxAttempts)
	s.checkState(1, ledger.Uncertain, ledger.ReasonUnknownOutcome)
	if s.measured["Outcome uncertain"] != 1 || len(s.dead.Messages()) != 0 {
		t.Errorf("measured %v", s.measured)
	}
	checkChanges(t, s.ledger.Changes())
}

// A resend that is refused leaves it open whether the first one was taken: nothing says that the text has failed.
func TestResendIsRefused(t *testing.T) {
	for name, err := range map[string]error{
		"for good": refusal(fault.Permanent, 21617), "by both hops": refusal(fault.Unreachable, 21614),
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.reroute(resend)
			s.twilio.answer = answers(lostPost(), err, err)
			s.queueUp(textOf(1, nil))
			s.drain()
			s.checkState(1, ledger.Uncertain, ledger.ReasonUnknownOutcome)
			if n := len(s.dead.Messages()); n != 0 {
				t.Errorf("%d dead letters", n)
			}
			checkChanges(t, s.ledger.Changes())
		})
	}
}

// What is ambiguous is not sent again, whatever the route says: the phone may have got it.
func TestAmbiguousIsNotResent(t *testing.T) {
	s := newSender(t)
	s.reroute(resend)
	s.twilio.answer = always(lostPost())
	s.remember(2, 0, "", "unknown", nil)
	s.twilio.Add(alike(91, 0))
	s.queueUp(textOf(1, same))
	s.drain()
	s.checkPosts(1)
	s.checkState(1, ledger.Uncertain, ledger.ReasonAmbiguous)
	if s.measured["Looked ambiguous"] != looks+1 {
		t.Errorf("measured %v", s.measured)
	}
}

// An attempt of the same text, before it was sent again, is told apart like that of another.
func TestOwnEarlierAttempt(t *testing.T) {
	s := newSender(t)
	s.reroute(resend)
	s.twilio.answer = answers(lostPost(), lostAnswer())
	s.queueUp(textOf(1, nil))
	s.drain()
	s.checkPosts(2)
	s.checkState(1, ledger.Sent, "")
	if last, _ := s.record(1).Current(); last.Number != 2 || last.OutboundSid != relaytest.OutboundSid(2) {
		t.Errorf("attempt %+v", last)
	}
}

// The looks are set so short that the window of the first POST reaches into that of the second: the message that turns up may
// be either's.
func TestOwnEarlierAttemptIsARival(t *testing.T) {
	s := newSender(t)
	s.reroute(resend)
	s.ReconcileLooks, s.ReconcileInterval = 1, time.Second
	s.twilio.answer, s.twilio.listLag = answers(lostAnswer(), lostPost()), 3*time.Second
	s.queueUp(textOf(1, nil))
	s.drain()
	s.checkPosts(2)
	s.checkState(1, ledger.Uncertain, ledger.ReasonAmbiguous)
}

// A text was given up, and a receipt says that its message was lost: the next hop is due.
func TestLossOfAnUncertainText(t *testing.T) {
	s := newSender(t)
	s.twilio.answer, s.twilio.listLag = answers(lostAnswer()), time.Hour
	s.queueUp(textOf(1, nil))
	s.drain()
	s.checkState(1, ledger.Uncertain, ledger.ReasonUnknownOutcome)
	s.tell(1, sms.StatusUndelivered, 30003)
	s.drain()
	s.checkPhones(first, second)
	s.checkState(1, ledger.Sent, "")
	s.checkOutcomes("1@0 accepted done undelivered, 2@1 accepted queued")
	checkChanges(t, s.ledger.Changes())
}

// After a resend, the first message is reported lost: the second one is waited for.
func TestLossOfTheFirstAfterAResend(t *testing.T) {
	s := newSender(t)
	s.reroute(resend)
	s.twilio.answer, s.twilio.listLag = answers(lostAnswer()), time.Hour
	s.queueUp(textOf(1, nil))
	s.drain()
	s.checkPosts(2)
	s.tell(1, sms.StatusUndelivered, 30003)
	s.drain()
	s.checkPosts(2)
	s.checkState(1, ledger.Sent, "")
	s.tell(2, sms.StatusUndelivered, 30003)
	s.drain()
	s.checkPhones(first, first, second)
}
