package delivery_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// same gives a text words that another one has, too.
func same(e *queue.Envelope) { e.Message.Body = "Where are you? " + secretText }

// remember puts a text of the same words on record, that was sent to the first hop at that time after the start: accepted
// under sid, or, if that is empty, with that outcome.
func (s *sender) remember(n int, after time.Duration, sid, outcome string, edit func(r *ledger.Record)) {
	s.t.Helper()
	e := textOf(n, same)
	r := ledger.Record{
		MessageSid: e.RelayID, State: ledger.Sent, TwilioNumber: e.Message.To, Customer: e.Message.From, Body: e.Message.Body,
		ReceivedAt: started.Add(after), UpdatedAt: started.Add(after),
		Attempts: []ledger.Attempt{{
			Number: 1, To: first, Header: header, ClaimID: fmt.Sprint("of ", n), StartedAt: started.Add(after),
			Outcome: outcome, OutboundSid: sid,
		}},
	}
	if sid != "" {
		r.Attempts[0].Outcome = ledger.OutcomeAccepted
	}
	if edit != nil {
		edit(&r)
	}
	if _, err := s.ledger.Create(context.Background(), r); err != nil {
		s.t.Fatal(err)
	}
}

// header is what the first text of a customer begins with.
const header = firstTag + " +18585550111: "

// alike is a message of the same words on Twilio's list, created at that time after the start.
func alike(n int, after time.Duration) sms.Listed {
	return sms.Listed{
		Sid: relaytest.OutboundSid(n), Status: sms.StatusSent, From: relaytest.TwilioNumber, To: first, Direction: sms.DirectionAPI,
		Body: header + "Where are you? " + secretText, DateCreated: started.Add(after),
	}
}

// Text 1's POST was not answered, and Twilio did not take it; what else is on the list must not be taken for it, and what is
// there for it must be.
func TestTextsOfTheSameWords(t *testing.T) {
	const sent, uncertain = ledger.Sent, ledger.Uncertain
	type other = func(s *sender)
	known := func(n int, after time.Duration) other {
		return func(s *sender) {
			s.remember(n, after, relaytest.OutboundSid(n), "", nil)
			s.twilio.Add(alike(n, after))
		}
	}
	open := func(n int, after time.Duration, outcome string, edit func(r *ledger.Record)) other {
		return func(s *sender) { s.remember(n, after, "", outcome, edit) }
	}
	listed := func(m sms.Listed) other { return func(s *sender) { s.twilio.Add(m) } }
	changed := func(edit func(m *sms.Listed)) other {
		m := alike(91, 0)
		edit(&m)
		return listed(m)
	}
	for name, tt := range map[string]struct {
		others []other
		state  ledger.State
		reason ledger.Reason
		sid    int
	}{
		"nothing is there":              {nil, uncertain, ledger.ReasonUnknownOutcome, 0},
		"it is there":                   {[]other{listed(alike(91, 0))}, sent, "", 91},
		"it is there, before our clock": {[]other{listed(alike(91, -29*time.Second))}, sent, "", 91},
		"it is there, late":             {[]other{listed(alike(91, 89*time.Second))}, sent, "", 91},
		"it is too old":                 {[]other{listed(alike(91, -32*time.Second))}, uncertain, ledger.ReasonUnknownOutcome, 0},
		"it is too young":               {[]other{listed(alike(91, 92*time.Second))}, uncertain, ledger.ReasonUnknownOutcome, 0},
		"another's is there":            {[]other{known(2, 0)}, uncertain, ledger.ReasonUnknownOutcome, 0},
		"another's and it":              {[]other{known(2, 0), listed(alike(91, 0))}, sent, "", 91},
		"three others' and it": {
			[]other{known(2, -9*time.Second), known(3, 0), known(4, 9*time.Second), listed(alike(91, 0))},
			sent, "", 91,
		},
		"another POST is open": {[]other{open(2, -time.Second, "", nil), listed(alike(91, 0))}, uncertain, ledger.ReasonAmbiguous, 0},
		"another POST is unknown": {
			[]other{open(2, -time.Second, "unknown", nil), listed(alike(91, 0))},
			uncertain,
			ledger.ReasonAmbiguous, 0,
		},
		"another is unknown, none listed": {[]other{open(2, -time.Second, "unknown", nil)}, uncertain, ledger.ReasonUnknownOutcome, 0},
		"another was unknown long ago":    {[]other{open(2, -time.Hour, "unknown", nil), listed(alike(91, 0))}, sent, "", 91},
		"another, by a clock ahead": {
			[]other{open(2, time.Hour, "unknown", nil), listed(alike(91, 0))},
			uncertain,
			ledger.ReasonAmbiguous, 0,
		},
		"another failed": {[]other{open(2, -time.Second, "transient", nil), listed(alike(91, 0))}, sent, "", 91},
		"another began before, two there": {
			[]other{open(2, -time.Second, "unknown", nil), listed(alike(91, 0)), listed(alike(92, time.Second))},
			sent, "", 92,
		},
		"another began after, two there": {
			[]other{open(2, time.Second, "unknown", nil), listed(alike(91, 0)), listed(alike(92, time.Second))},
			sent, "", 91,
		},
		"two others, three there": {
			[]other{
				open(2, -time.Second, "unknown", nil), open(3, time.Second, "unknown", nil), listed(alike(91, 0)),
				listed(alike(92, time.Second)), listed(alike(93, 2*time.Second)),
			},
			sent, "", 92,
		},
		"two others, two there": {
			[]other{
				open(2, -time.Second, "unknown", nil), open(3, time.Second, "unknown", nil), listed(alike(91, 0)),
				listed(alike(92, time.Second)),
			},
			uncertain, ledger.ReasonAmbiguous, 0,
		},
		"a rival of another customer": {[]other{
			open(2, 0, "unknown", func(r *ledger.Record) { r.Customer = "+18585550169" }),
			listed(alike(91, 0)),
		}, sent, "", 91},
		"a rival of another number": {[]other{
			open(2, 0, "unknown", func(r *ledger.Record) { r.TwilioNumber = otherNumber }),
			listed(alike(91, 0)),
		}, sent, "", 91},
		"a rival to another phone": {
			[]other{open(2, 0, "unknown", func(r *ledger.Record) { r.Attempts[0].To = second }), listed(alike(91, 0))},
			sent, "", 91,
		},
		"a rival of other words": {
			[]other{open(2, 0, "unknown", func(r *ledger.Record) { r.Body = "Here " + secretText }), listed(alike(91, 0))},
			sent, "", 91,
		},
		"a rival that came days ago": {
			[]other{open(2, 0, "unknown", func(r *ledger.Record) { r.ReceivedAt = started.Add(-71 * time.Hour) }), listed(alike(91, 0))},
			uncertain, ledger.ReasonAmbiguous, 0,
		},
		"blanks at its ends": {[]other{changed(func(m *sms.Listed) { m.Body = " " + m.Body + "\n" })}, sent, "", 91},
		"other words":        {[]other{changed(func(m *sms.Listed) { m.Body += "!" })}, uncertain, ledger.ReasonUnknownOutcome, 0},
		"a reply": {
			[]other{changed(func(m *sms.Listed) { m.Direction = "outbound-reply" })},
			uncertain,
			ledger.ReasonUnknownOutcome, 0,
		},
		"listed on two pages, twice": {
			[]other{listed(alike(91, 0)), listed(alike(91, 0)), open(2, 0, "unknown", nil)},
			uncertain,
			ledger.ReasonAmbiguous, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.twilio.answer = always(lostPost())
			for _, add := range tt.others {
				add(s)
			}
			s.queueUp(textOf(1, same))
			s.drain()
			s.checkPosts(1)
			s.checkState(1, tt.state, tt.reason)
			last, _ := s.record(1).Current()
			if want := relaytest.OutboundSid(tt.sid); tt.sid != 0 && last.OutboundSid != want {
				t.Errorf("found %s, want %s", last.OutboundSid, want)
			}
		})
	}
}

// A manual text shown as from nobody is compared with all that its number has sent.
func TestManualTextsOfTheSameWords(t *testing.T) {
	manual := func(e *queue.Envelope) { e.Kind, e.Message.From, e.Message.Body = queue.KindManual, "", secretText }
	s := newSender(t)
	s.twilio.answer = answers(nil, lostPost())
	s.queueUp(textOf(2, manual), textOf(1, manual))
	s.drain()
	s.checkPosts(2)
	s.checkState(1, ledger.Uncertain, ledger.ReasonUnknownOutcome)
}

// There are more texts than can be read in a look: what was found may be any of theirs.
func TestTooManyTextsToCompare(t *testing.T) {
	for n, want := range map[int]ledger.State{480: ledger.Sent, 520: ledger.Uncertain} {
		s := newSender(t)
		s.twilio.answer = answers(lostAnswer())
		for i := range n {
			other := func(r *ledger.Record) { r.Body = fmt.Sprint(secretText, i) }
			s.remember(10+i, time.Duration(i-n)*time.Second, relaytest.OutboundSid(1000+i), "", other)
		}
		s.queueUp(textOf(1, same))
		s.drain()
		s.checkPosts(1)
		if r := s.record(1); r.State != want {
			t.Errorf("among %d texts: %q (%s), want %q", n, r.State, r.Reason, want)
		}
	}
}

// Two texts of the same words reach the second hop, one by a timer and one by its own message, and neither POST is
// answered. Each finds a message of its own.
func TestBothUnknownAtOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		errs   []error
		states []ledger.State
	}{
		"both taken":    {[]error{lostAnswer(), lostAnswer()}, []ledger.State{ledger.Sent, ledger.Sent}},
		"neither taken": {[]error{lostPost(), lostPost()}, []ledger.State{ledger.Uncertain, ledger.Uncertain}},
		// Text 2 is the first to the phone, so that text 1 has a brief header.
		"the first taken":  {[]error{lostAnswer(), lostPost()}, []ledger.State{ledger.Uncertain, ledger.Sent}},
		"the second taken": {[]error{lostPost(), lostAnswer()}, []ledger.State{ledger.Sent, ledger.Uncertain}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.twilio.answer = func(n int, _ sms.Outbound) error {
				switch n {
				case 1:
					return nil
				case 2:
					return refusal(fault.Unreachable, 21614)
				default:
					return tt.errs[n-3]
				}
			}
			s.queueUp(textOf(1, same))
			s.checkBack(0)
			s.tell(1, sms.StatusUndelivered, 30003)
			s.pumpFrom(s.queue)
			s.queueUp(textOf(2, same))
			s.pump()
			s.checkPhones(first, first, second, second)
			s.drain()
			s.checkPosts(4)
			var sids []string
			for n, want := range tt.states {
				r := s.record(n + 1)
				if r.State != want {
					t.Errorf("text %d is %q (%s), want %q", n+1, r.State, r.Reason, want)
				}
				if last, _ := r.Current(); last.OutboundSid != "" {
					sids = append(sids, last.OutboundSid)
				}
			}
			slices.Sort(sids)
			if len(slices.Compact(slices.Clone(sids))) != len(sids) {
				t.Errorf("both texts have the message %s", strings.Join(sids, ", "))
			}
			checkChanges(t, s.ledger.Changes())
		})
	}
}

// Other numbers' texts do not count towards those that can be read, not even for a text from nobody.
func TestManualTextsOfOtherNumbers(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = answers(lostAnswer())
	for i := range 600 {
		elsewhere := func(r *ledger.Record) { r.TwilioNumber = otherNumber }
		s.remember(10+i, time.Duration(i-600)*time.Second, relaytest.OutboundSid(1000+i), "", elsewhere)
	}
	s.queueUp(textOf(1, func(e *queue.Envelope) { e.Kind, e.Message.From = queue.KindManual, "" }))
	s.drain()
	s.checkPosts(1)
	s.checkState(1, ledger.Sent, "")
}
