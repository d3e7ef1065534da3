package delivery_test

import (
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// What a text to three phones costs at the stores: three times what it costs for one, and the text's own record twice, and one read of the
// customer's item. Noting that he waits costs the same.
func TestCallsOfARing(t *testing.T) {
	calls := func(edit func(r *route.Route)) map[string]int {
		s := newSender(t)
		s.reroute(func(r *route.Route) {
			r.FallbackCarriers, r.ClaimTime = []sms.PhoneNumber{relaytest.Fallback, third}, route.Duration(time.Hour)
		})
		s.reroute(edit)
		s.hears(1, relaytest.Customer, "Hello")
		called := map[string]int{}
		s.clock.Advance(time.Minute)
		s.faults.hook = func(op string) error {
			if !strings.Contains(op, " after ") {
				called[strings.Replace(op, " before", "", 1)]++
			}
			return nil
		}
		s.hears(2, relaytest.Customer, "Are you there?")
		s.faults.hook = nil
		return called
	}
	one, three := calls(func(*route.Route) {}), calls(func(r *route.Route) { r.Ring = route.RingAll })
	for op, n := range one {
		want := n
		switch op {
		case "ledger Create", "ledger Update", "conversations Read":
			want = 3*n + 1
		case "conversations PutPhone", "pace Reserve", "twilio Create":
			want = 3 * n
		}
		if strings.HasPrefix(op, "routes ") {
			// The sender remembers routes.
			continue
		}
		if three[op] != want {
			t.Errorf("%s: %d times for one phone and %d times for three, want %d", op, n, three[op], want)
		}
		delete(three, op)
	}
	for op, n := range three {
		if !strings.HasPrefix(op, "routes ") {
			t.Errorf("%s: %d times for three phones only", op, n)
		}
	}
	if one["ledger Create"] != 1 || one["conversations Put"] != 1 {
		t.Errorf("one phone: %v", one)
	}
}

// While the last phone of a ring is tried, an operator has the text sent to an earlier one again, and that phone gets it: the ring is not
// lost.
func TestRedrivenWhileTheRingIsLost(t *testing.T) {
	s := ringing(t)
	s.twilio.answer = always(refusal(fault.Transient, 0))
	writes := 0
	s.faults.hook = func(op string) error {
		// Each death is a write behind the third letter's.
		if op == "ledger after Update" && len(s.dead.Messages()) == 3 {
			if writes++; writes == 1 {
				s.faults.hook, s.twilio.answer = nil, nil
				s.redriven(s.dead.Messages()[1])
			}
		}
		return nil
	}
	s.queueUp(textOf(1, nil))
	s.drain()
	s.checkRung(ledger.Dead, ledger.Sent, ledger.Dead)
	s.checkState(1, ledger.Sent, "")
	checkChanges(t, s.ledger.Changes())
}
