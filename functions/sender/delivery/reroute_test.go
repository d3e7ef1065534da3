package delivery_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// The route changes while a text is between its hops.
func TestRouteChangesInACascade(t *testing.T) {
	for name, tt := range map[string]struct {
		edit   func(r *route.Route)
		phones []sms.PhoneNumber
		state  ledger.State
		reason ledger.Reason
	}{
		"another fallback": {
			func(r *route.Route) { r.FallbackCarriers = []sms.PhoneNumber{third} },
			[]sms.PhoneNumber{first, third},
			ledger.Sent, "",
		},
		"a hop before": {
			func(r *route.Route) { r.DestinationCarrier, r.FallbackCarriers = third, []sms.PhoneNumber{first} },
			[]sms.PhoneNumber{first, third},
			ledger.Sent, "",
		},
		"the order": {
			func(r *route.Route) { r.DestinationCarrier, r.FallbackCarriers = second, []sms.PhoneNumber{first} },
			[]sms.PhoneNumber{first, second},
			ledger.Sent, "",
		},
		"no fallback any more": {func(r *route.Route) { r.FallbackCarriers = nil }, []sms.PhoneNumber{first}, ledger.Undelivered, ""},
		"switched off": {
			func(r *route.Route) { r.Active = false },
			[]sms.PhoneNumber{first},
			ledger.Undelivered,
			ledger.ReasonInactive,
		},
		"the fallback opted out": {
			func(r *route.Route) { r.OptedOut = []sms.PhoneNumber{second} },
			[]sms.PhoneNumber{first},
			ledger.Undelivered, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.queueUp(textOf(1, nil))
			s.checkBack(0)
			s.tell(1, sms.StatusUndelivered, 30003)
			s.pumpFrom(s.queue)
			s.checkState(1, ledger.Queued, ledger.ReasonNextHop)
			s.reroute(tt.edit)
			s.drain()
			s.checkPhones(tt.phones...)
			s.checkState(1, tt.state, tt.reason)
			checkChanges(t, s.ledger.Changes())
		})
	}
}

// The route changes while a hop's receipt is waited for.
func TestRouteChangesBeforeTheTimeout(t *testing.T) {
	for name, tt := range map[string]struct {
		edit func(r *route.Route)
		want []time.Duration
	}{
		"more patience":  {timeout(3 * time.Minute), []time.Duration{0, 3 * time.Minute}},
		"less patience":  {timeout(10 * time.Second), []time.Duration{0, time.Minute}},
		"waits for ever": {timeout(0), []time.Duration{0}},
		"no next hop":    {func(r *route.Route) { r.FallbackCarriers = nil }, []time.Duration{0}},
		"switched off":   {func(r *route.Route) { r.Active = false }, []time.Duration{0}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.reroute(timeout(time.Minute))
			s.queueUp(textOf(1, nil))
			s.checkBack(0)
			s.reroute(tt.edit)
			s.drain()
			if diff := cmp.Diff(tt.want, s.postedAt()); diff != "" {
				t.Errorf("POSTs at (-want +got):\n%s", diff)
			}
			s.checkState(1, ledger.Sent, "")
			if got := s.measured["Cascaded delivery_timeout"]; got != len(tt.want)-1 {
				t.Errorf("measured %d cascades, want %d", got, len(tt.want)-1)
			}
		})
	}
}

// Somebody writes and is put into the route before his text is out: it goes on as the text of a stranger that it was when it came, but
// not to himself.
func TestStrangerBecomesAPhoneOfTheRoute(t *testing.T) {
	const stranger sms.PhoneNumber = "+18585550145"
	s := newSender(t)
	s.twilio.answer = func(int, sms.Outbound) error { return refusal(fault.Transient, 0) }
	s.hears(1, stranger, "Is anybody there?")
	s.twilio.answer = nil
	s.reroute(func(r *route.Route) { r.FallbackCarriers = []sms.PhoneNumber{stranger} })
	s.sent()
	s.until(time.Minute)
	s.checkSent(toPhone + firstTag + " " + string(stranger) + ": Is anybody there?")
	s.checkState(1, ledger.Sent, "")
	if s.waiting() != 0 {
		t.Errorf("%d messages are left", s.waiting())
	}
}

func TestStrangerBecomesTheOnlyPhone(t *testing.T) {
	const stranger sms.PhoneNumber = "+18585550145"
	s := newSender(t)
	s.twilio.answer = func(int, sms.Outbound) error { return refusal(fault.Transient, 0) }
	s.hears(1, stranger, "Is anybody there?")
	s.reroute(func(r *route.Route) { r.DestinationCarrier, r.FallbackCarriers = stranger, nil })
	s.sent()
	s.until(time.Minute)
	s.checkSent()
	if s.waiting() != 0 || !s.record(1).State.Final() {
		t.Errorf("%d messages are left, and the text is %s", s.waiting(), s.record(1).State)
	}
}
