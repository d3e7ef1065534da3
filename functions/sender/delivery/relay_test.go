package delivery_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

func TestTextIsRelayed(t *testing.T) {
	s := newSender(t)
	s.clock.Advance(1500 * time.Millisecond)
	s.queueUp(textOf(1, nil))
	s.checkBack(0)
	s.checkPosts(1)
	want := sms.Outbound{
		From: relaytest.TwilioNumber, To: relaytest.Destination,
		Body:           header + "The " + secretText + ", please (1)",
		StatusCallback: base + "/sms/status-callback?attempt=1&hop=0&relay_id=" + relaytest.MessageSid(1),
		ValidityPeriod: route.DefaultMaxAge - 2*time.Second, // what is left, in whole seconds
	}
	if diff := cmp.Diff(want, s.twilio.Posts()[0].Outbound); diff != "" {
		t.Errorf("POST (-want +got):\n%s", diff)
	}
	now := started.Add(1500 * time.Millisecond)
	record := ledger.Record{
		MessageSid: relaytest.MessageSid(1), Version: 2, State: ledger.Sent, TwilioNumber: relaytest.TwilioNumber, Customer: relaytest.Customer,
		Body: "The " + secretText + ", please (1)", ReceivedAt: started, UpdatedAt: now, ExpiresAt: started.Add(retention).Unix(),
		Attempts: []ledger.Attempt{{
			Number: 1, To: relaytest.Destination, Header: header, ClaimID: "claim-2", StartedAt: now, EndedAt: now,
			Outcome: ledger.OutcomeAccepted, OutboundSid: relaytest.OutboundSid(1), Status: sms.StatusQueued,
		}},
	}
	s.checkSealed()
	record.Seal = s.record(1).Seal
	if diff := cmp.Diff(record, s.record(1)); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	if lines := s.lines(); !cmp.Equal(lines, []string{"text relayed"}) {
		t.Errorf("log %q, want one line", lines)
	}
	if diff := cmp.Diff(map[string]int{"Relayed": 1, "RelayLatency": 1, "Segments": 1}, s.measured); diff != "" {
		t.Errorf("measured (-want +got):\n%s", diff)
	}
	if s.pump(); len(s.queue.Messages()) != 0 {
		t.Error("the queue still has it")
	}
}

// The claim is on record before Twilio hears of the text, and its lease outlasts the POST.
func TestClaimComesBeforeThePost(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = func(int, sms.Outbound) error {
		r := s.record(1)
		if r.State != ledger.Sending || r.Version != 1 || !r.LeaseUntil.Equal(started.Add(lease)) || len(r.Attempts) != 1 ||
			r.Attempts[0].Outcome != "" {
			t.Errorf("record during the POST: %+v", r)
		}
		return nil
	}
	s.queueUp(textOf(1, nil))
	s.checkBack(0)
	if budget := s.twilio.Posts()[0].Budget; budget <= 0 || budget > sendTimeout {
		t.Errorf("POST had %v, want at most %v", budget, sendTimeout)
	}
}

// stored is a record of text 1 in each state there is.
func stored(t *testing.T, state ledger.State) ledger.Record {
	t.Helper()
	r := relaytest.Record(1, started)
	r.State = state
	switch state {
	case ledger.Dropped:
		r.Reason = ledger.ReasonNoRoute
	case ledger.Queued, ledger.Sending, ledger.Sent, ledger.Delivered, ledger.Undelivered, ledger.Failed, ledger.Uncertain, ledger.Dead:
		r.Attempts = []ledger.Attempt{{Number: 1, To: relaytest.Destination, ClaimID: "someone's", StartedAt: started}}
	default:
		t.Fatalf("state %q", state)
	}
	return r
}

func TestSecondDeliveryNeverPostsAgain(t *testing.T) {
	for _, state := range ledger.States() {
		if state == ledger.Queued || state == ledger.Sending {
			continue // Those are not done; see below.
		}
		t.Run(string(state), func(t *testing.T) {
			s := newSender(t)
			before, err := s.ledger.Create(t.Context(), stored(t, state))
			if err != nil {
				t.Fatal(err)
			}
			s.queueUp(textOf(1, nil), textOf(1, nil))
			s.checkBack(0)
			s.clock.Advance(time.Hour)
			s.queueUp(textOf(1, nil))
			s.checkBack(0)
			s.checkPosts(0)
			if diff := cmp.Diff(before, s.record(1)); diff != "" {
				t.Errorf("a repeat changed the record (-before +after):\n%s", diff)
			}
			if diff := cmp.Diff(map[string]int{"Duplicates": 3}, s.measured); diff != "" {
				t.Errorf("measured (-want +got):\n%s", diff)
			}
			if lines := s.lines(); !cmp.Equal(lines, []string{"repeat ignored", "repeat ignored", "repeat ignored"}) {
				t.Errorf("log %q", lines)
			}
		})
	}
}

func TestRepeatsInOneBatch(t *testing.T) {
	s := newSender(t)
	s.queueUp(textOf(1, nil), textOf(1, nil), textOf(2, nil), textOf(1, nil))
	s.drain()
	s.checkPosts(2)
	s.checkState(1, ledger.Sent, "")
	s.checkState(2, ledger.Sent, "")
}

func TestDropped(t *testing.T) {
	from := func(from, to sms.PhoneNumber) func(e *queue.Envelope) {
		return func(e *queue.Envelope) { e.Message.From, e.Message.To = from, to }
	}
	keyword := func(word string) func(e *queue.Envelope) {
		return func(e *queue.Envelope) { e.Message.OptOutType = word }
	}
	manual := func(from, to, destination sms.PhoneNumber) func(e *queue.Envelope) {
		return func(e *queue.Envelope) {
			e.Kind, e.Message.From, e.Message.To, e.Destination = queue.KindManual, from, to, destination
		}
	}
	const unrouted sms.PhoneNumber = "+18585550190"
	for name, tt := range map[string]struct {
		edit   func(e *queue.Envelope)
		reason ledger.Reason
	}{
		"no route":                           {from(relaytest.Customer, unrouted), ledger.ReasonNoRoute},
		"number of another channel":          {from(relaytest.Customer, "whatsapp:"+relaytest.TwilioNumber), ledger.ReasonNoRoute},
		"inactive":                           {from(relaytest.Customer, idleNumber), ledger.ReasonInactive},
		"from a routed number":               {from(otherNumber, relaytest.TwilioNumber), ledger.ReasonLoop},
		"from a number routed, but inactive": {from(idleNumber, relaytest.TwilioNumber), ledger.ReasonLoop},
		"from a routed number to no route":   {from(otherNumber, unrouted), ledger.ReasonLoop},
		"from itself":                        {from(relaytest.TwilioNumber, relaytest.TwilioNumber), ledger.ReasonLoop},
		"from itself, unrouted":              {from(unrouted, unrouted), ledger.ReasonLoop},
		"STOP":                               {keyword("STOP"), ledger.ReasonOptOut},
		"START":                              {keyword("START"), ledger.ReasonKeyword},
		"HELP":                               {keyword("HELP"), ledger.ReasonKeyword},
		"a keyword yet to come":              {keyword("PAUSE"), ledger.ReasonKeyword},
		"manual, no route":                   {manual("", unrouted, ""), ledger.ReasonNoRoute},
		"manual, inactive":                   {manual("", idleNumber, ""), ledger.ReasonInactive},
		"manual to a routed number":          {manual("", relaytest.TwilioNumber, otherNumber), ledger.ReasonLoop},
		"manual to an inactive number":       {manual("", relaytest.TwilioNumber, idleNumber), ledger.ReasonLoop},
		"manual to itself":                   {manual("", relaytest.TwilioNumber, relaytest.TwilioNumber), ledger.ReasonLoop},
		"manual to itself, unrouted":         {manual("", unrouted, unrouted), ledger.ReasonLoop},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.queueUp(textOf(1, tt.edit), textOf(1, tt.edit))
			s.drain()
			s.checkPosts(0)
			s.checkState(1, ledger.Dropped, tt.reason)
			if r := s.record(1); r.Version != 1 || len(r.Attempts) != 0 {
				t.Errorf("record %+v, want one write and no attempt", r)
			}
			want := map[string]int{"Outcome dropped": 1, "Dropped " + string(tt.reason): 1, "Duplicates": 1}
			if !tt.reason.Intended() {
				want["ReachedNobody"] = 1
			}
			if diff := cmp.Diff(want, s.measured); diff != "" {
				t.Errorf("measured (-want +got):\n%s", diff)
			}
			if lines := s.lines(); !cmp.Equal(lines, []string{"text ended unsent", "repeat ignored"}) {
				t.Errorf("log %q", lines)
			}
		})
	}
}

// What merely resembles a drop is relayed.
func TestNotDropped(t *testing.T) {
	const unrouted sms.PhoneNumber = "+18585550190"
	for name, tt := range map[string]struct {
		edit func(e *queue.Envelope)
		to   sms.PhoneNumber
	}{
		"STOP in the body alone":   {func(e *queue.Envelope) { e.Message.Body = "STOP" }, relaytest.Destination},
		"the hop of another route": {func(e *queue.Envelope) { e.Message.From = otherPhone }, relaytest.Destination},
		"a hop on another channel": {func(e *queue.Envelope) { e.Message.From = "whatsapp:" + relaytest.Destination }, relaytest.Destination},
		"a short code":             {func(e *queue.Envelope) { e.Message.From = "24365" }, relaytest.Destination},
		"manual by the route":      {func(e *queue.Envelope) { e.Kind, e.Message.From = queue.KindManual, "" }, relaytest.Destination},
		"manual shown as from a hop": {
			func(e *queue.Envelope) { e.Kind, e.Message.From = queue.KindManual, relaytest.Destination },
			relaytest.Destination,
		},
		"manual to a destination": {func(e *queue.Envelope) { e.Kind, e.Destination = queue.KindManual, unrouted }, unrouted},
		"manual from no route": {func(e *queue.Envelope) {
			e.Kind, e.Message.To, e.Destination = queue.KindManual, "+18585550191", unrouted
		}, unrouted},
		"manual past an idle route": {func(e *queue.Envelope) {
			e.Kind, e.Message.To, e.Destination = queue.KindManual, idleNumber, unrouted
		}, unrouted},
		"destination of no manual": {func(e *queue.Envelope) { e.Destination = unrouted }, relaytest.Destination},
		"manual to the hop by number": {
			func(e *queue.Envelope) { e.Kind, e.Destination = queue.KindManual, relaytest.Destination },
			relaytest.Destination,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			e := textOf(1, tt.edit)
			s.queueUp(e)
			s.checkBack(0)
			s.checkPosts(1)
			s.checkState(1, ledger.Sent, "")
			if posts := s.twilio.Posts(); len(posts) == 1 && (posts[0].To != tt.to || posts[0].From != e.Message.To) {
				t.Errorf("POST from %s to %s, want to %s", posts[0].From, posts[0].To, tt.to)
			}
			if r := s.record(1); r.Manual != (e.Kind == queue.KindManual) || (r.Manual && r.Destination != e.Destination) {
				t.Errorf("record %+v", r)
			}
		})
	}
}

// A route that goes away or comes back decides about the next attempt.
func TestRouteChangesBetweenAttempts(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = answers(refusal(fault.Transient, 0))
	s.queueUp(textOf(1, nil))
	s.checkBack(1)
	s.checkState(1, ledger.Queued, "")
	s.Routes = remembersNothing{relaytest.NewMemoryRoutes()}
	s.drain()
	s.checkPosts(1)
	s.checkState(1, ledger.Dropped, ledger.ReasonNoRoute)
	if r := s.record(1); len(r.Attempts) != 1 {
		t.Errorf("attempts %+v, want the one there was", r.Attempts)
	}
}

func TestRoutesCannotBeLookedUp(t *testing.T) {
	s := newSender(t)
	s.fail("routes before Lookup", broken(fault.Transient, 2)...)
	s.queueUp(textOf(1, nil), textOf(2, nil))
	s.checkBack(2)
	s.checkPosts(0)
	if n := len(s.ledger.Changes()); n != 0 {
		t.Errorf("%d changes of the ledger: a wait is no attempt", n)
	}
	s.drain()
	s.checkPosts(2)
}

// Every change of a record is a transition of the state machine, or none of the state, and counts one version.
func checkChanges(t rapid.TB, changes []ledger.Record) {
	t.Helper()
	last := map[string]ledger.Record{}
	for _, r := range changes {
		before := last[r.MessageSid]
		if r.Version != before.Version+1 {
			t.Errorf("%s: version %d after %d", r.MessageSid, r.Version, before.Version)
		}
		if r.State != before.State && !before.State.MayBecome(r.State) {
			t.Errorf("%s: %q after %q", r.MessageSid, r.State, before.State)
		}
		if r.UpdatedAt.Before(before.UpdatedAt) {
			t.Errorf("%s: updated at %v after %v", r.MessageSid, r.UpdatedAt, before.UpdatedAt)
		}
		if cmp.Equal(before, r, cmpopts.IgnoreFields(ledger.Record{}, "Version", "UpdatedAt")) {
			t.Errorf("%s: version %d changes nothing: the audit log would show a change although nothing changed", r.MessageSid, r.Version)
		}
		last[r.MessageSid] = r
	}
}

func TestNoBaseURLAsksForNoReceipts(t *testing.T) {
	s := newSender(t)
	s.PublicBaseURL = ""
	s.queueUp(textOf(1, nil))
	s.checkBack(0)
	if got := s.twilio.Posts()[0].StatusCallback; got != "" {
		t.Errorf("StatusCallback %q", got)
	}
}
