package delivery_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// checkOptedOut holds the marked hops of the texts' route against what they must be.
func (s *sender) checkOptedOut(want ...sms.PhoneNumber) {
	s.t.Helper()
	var got []sms.PhoneNumber
	s.reroute(func(r *route.Route) { got = r.OptedOut })
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("opted out (-want +got):\n%s", diff)
	}
}

// fromHop is a text of the first hop to its own number.
func fromHop(n int, body, optOutType string) queue.Envelope {
	return textOf(n, func(e *queue.Envelope) {
		e.Message.From, e.Message.Body, e.Message.OptOutType = first, body, optOutType
	})
}

// Twilio says that a hop has opted out: it is marked, and no text is tried at it until it texts START.
func TestOptedOutHopIsMarkedAndPassedOver(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = answers(refusal(fault.OptedOut, 21610))
	s.queueUp(textOf(1, nil))
	s.checkBack(0)
	s.checkOptedOut(first)
	s.queueUp(textOf(2, nil))
	s.checkBack(0)
	s.checkPhones(first, second, second)
	if ref := s.twilio.Posts()[2].Ref; ref.Hop != 1 || ref.Attempt != 1 {
		t.Errorf("POST says attempt %d at hop %d", ref.Attempt, ref.Hop)
	}
	s.queueUp(fromHop(3, "start ", ""))
	s.checkBack(0)
	s.checkState(3, ledger.Dropped, ledger.ReasonKeyword)
	s.checkOptedOut()
	s.queueUp(textOf(4, nil))
	s.checkBack(0)
	s.checkPhones(first, second, second, first)
	if s.measured["OptedOut"] != 1 {
		t.Errorf("measured %v", s.measured)
	}
}

// A receipt may say it, too.
func TestOptedOutByAReceipt(t *testing.T) {
	s := newSender(t)
	s.queueUp(textOf(1, nil))
	s.checkBack(0)
	s.tell(1, sms.StatusFailed, 21610)
	s.drain()
	s.checkOptedOut(first)
	s.checkPhones(first, second)
	if s.measured["OptedOut"] != 1 {
		t.Errorf("measured %v", s.measured)
	}
}

// The hop's own words mark it, and a customer's do not.
func TestKeywordsOfAHop(t *testing.T) {
	for name, tt := range map[string]struct {
		body, optOutType string
		marked, before   bool
		reason           ledger.Reason
	}{
		"STOP":                             {"STOP", "", true, false, ledger.ReasonOptOut},
		"in small letters, with a blank":   {" unsubscribe\n", "", true, false, ledger.ReasonOptOut},
		"by Twilio's word":                 {"no more of this", sms.OptOutStop, true, false, ledger.ReasonOptOut},
		"Twilio's word comes first":        {"STOP", sms.OptOutHelp, false, false, ""},
		"START":                            {"START", "", false, true, ledger.ReasonKeyword},
		"START by Twilio's word":           {"hello again", sms.OptOutStart, false, true, ledger.ReasonKeyword},
		"HELP":                             {"HELP", "", true, true, ""},
		"anything else":                    {"STOP it, please", "", false, false, ""},
		"anything else while it is marked": {"on my way", "", true, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			if tt.before {
				s.reroute(func(r *route.Route) { r.OptedOut = []sms.PhoneNumber{first} })
			}
			s.queueUp(fromHop(1, tt.body, tt.optOutType))
			s.checkBack(0)
			if r := s.record(1); tt.reason != "" && (r.State != ledger.Dropped || r.Reason != tt.reason) || tt.reason == "" && !r.IsHeld() {
				t.Errorf("text is %s, %q; want reason %q, or held without one", r.State, r.Reason, tt.reason)
			}
			if tt.marked {
				s.checkOptedOut(first)
			} else {
				s.checkOptedOut()
			}
		})
	}
	s := newSender(t)
	s.queueUp(textOf(1, func(e *queue.Envelope) { e.Message.Body = "STOP" }))
	s.checkBack(0)
	s.checkPosts(1)
	s.checkOptedOut()
}

// The mark counts at once for a text that is between its hops.
func TestStopInACascade(t *testing.T) {
	s := newSender(t)
	s.reroute(func(r *route.Route) { r.FallbackCarriers = []sms.PhoneNumber{second, third} })
	s.queueUp(textOf(1, nil))
	s.checkBack(0)
	s.queueUp(textOf(2, func(e *queue.Envelope) { e.Message.From, e.Message.Body = second, "STOP" }))
	s.checkBack(0)
	s.tell(1, sms.StatusUndelivered, 30003)
	s.drain()
	if posts := s.twilio.Posts(); len(posts) != 4 || posts[3].To != third || posts[3].Ref.RelayID != relaytest.MessageSid(1) {
		t.Errorf("posts %+v, want the text's last one to the third phone", posts)
	}
	if notices := s.noticed(); notices != 2 {
		t.Errorf("%d notices, want one to each of the others", notices)
	}
}

// noticed returns how many notices were sent to phones on duty.
func (s *sender) noticed() (n int) {
	for _, p := range s.twilio.Posts() {
		if strings.HasPrefix(p.Ref.RelayID, "NT") {
			n++
		}
	}
	return n
}

// All hops have opted out: the text is tried all the same, and fails for the reason that Twilio gives. If Twilio takes it,
// the mark was wrong and goes.
func TestAllHopsOptedOut(t *testing.T) {
	mark := func(r *route.Route) { r.OptedOut = []sms.PhoneNumber{first, second} }
	s := newSender(t)
	s.reroute(mark)
	s.twilio.answer = always(refusal(fault.OptedOut, 21610))
	s.queueUp(textOf(1, nil))
	s.checkBack(0)
	s.checkPhones(first, second)
	s.checkState(1, ledger.Failed, ledger.ReasonRefused)
	s.checkOptedOut(first, second)

	s = newSender(t)
	s.reroute(mark)
	s.queueUp(textOf(1, nil))
	s.checkBack(0)
	s.checkPhones(first)
	s.checkState(1, ledger.Sent, "")
	s.checkOptedOut(second)
}

// The mark cannot be written. With Twilio's refusal, the text goes on without it; with a hop's own STOP, that is all there
// is to do, and it comes again.
func TestMarkIsNotWritten(t *testing.T) {
	for _, op := range []string{"routes before Put", "routes after Put"} {
		for _, kind := range []fault.Kind{fault.Transient, fault.Throttled, fault.Fatal, fault.Unknown} {
			t.Run(op+" "+kind.String(), func(t *testing.T) {
				s := newSender(t)
				s.twilio.answer = answers(refusal(fault.OptedOut, 21610))
				s.fail(op, broken(kind, 1)...)
				s.queueUp(textOf(1, nil))
				s.checkBack(0)
				s.checkPhones(first, second)
				s.checkState(1, ledger.Sent, "")

				s = newSender(t)
				s.fail(op, broken(kind, 1)...)
				s.queueUp(fromHop(1, "STOP", ""))
				s.checkBack(1)
				s.drain()
				s.checkState(1, ledger.Dropped, ledger.ReasonOptOut)
				s.checkOptedOut(first)
			})
		}
	}
}

// Someone else changes the route at the same moment: the mark is added to that change.
func TestMarkMeetsAChange(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = answers(refusal(fault.OptedOut, 21610))
	s.faults.hook = once(s, "routes before Put", func() {
		s.reroute(func(r *route.Route) { r.FallbackCarriers = []sms.PhoneNumber{third} })
	})
	s.queueUp(textOf(1, nil))
	s.drain()
	s.checkOptedOut(first)
	s.checkPhones(first, third)
}

// A manual text's own destination is no hop: it is neither marked nor passed over.
func TestManualDestinationIsNoHop(t *testing.T) {
	s := newSender(t)
	s.reroute(func(r *route.Route) { r.OptedOut = []sms.PhoneNumber{first} })
	s.twilio.answer = answers(refusal(fault.OptedOut, 21610))
	s.queueUp(textOf(1, func(e *queue.Envelope) { e.Kind, e.Message.From, e.Destination = queue.KindManual, "", third }))
	s.checkBack(0)
	s.checkPhones(third)
	s.checkState(1, ledger.Failed, ledger.ReasonRefused)
	s.checkOptedOut(first)
	s.queueUp(textOf(2, func(e *queue.Envelope) { e.Kind, e.Message.From, e.Destination = queue.KindManual, "", first }))
	s.checkBack(0)
	s.checkPhones(third, first)
	s.checkOptedOut(first)
}

// A cache before the table forgets what is marked.
func TestMarkIsNotForgotten(t *testing.T) {
	s := newSender(t)
	s.Routes, s.Concurrency = route.NewCache(s.routes, s.clock.Now), 1
	s.twilio.answer = answers(refusal(fault.OptedOut, 21610))
	s.queueUp(textOf(1, nil), textOf(2, nil))
	s.checkBack(0)
	s.checkPhones(first, second, second)
	s.clock.Advance(time.Second)
	s.queueUp(fromHop(3, "START", ""), textOf(4, nil))
	s.drain()
	s.checkPhones(first, second, second, first)
}

// A STOP comes again, long after the hop has taken it back: it is a repeat, and marks nothing.
func TestRepeatOfAStop(t *testing.T) {
	s := newSender(t)
	for _, e := range []queue.Envelope{fromHop(1, "STOP", ""), fromHop(2, "START", ""), fromHop(1, "STOP", "")} {
		s.queueUp(e)
		s.checkBack(0)
		s.clock.Advance(10 * time.Minute)
	}
	s.checkOptedOut()
	if s.measured["Duplicates"] != 1 {
		t.Errorf("measured %v", s.measured)
	}
}
