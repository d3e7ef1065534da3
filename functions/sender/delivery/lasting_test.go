package delivery_test

import (
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/retry"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// maxReceives is the most receives that SQS lets a queue count before it buries a message.
const maxReceives = 1000

// A ledger that is out of order for a day must not bring a text to the queue's own limit: it is looked at less and less.
func TestLastingFaultsBuryNothing(t *testing.T) {
	s := newSender(t)
	s.Policy = retry.NewPolicy(2*time.Second, maxAttempts)
	s.faults.hook = func(op string) error {
		if op == "ledger before Create" {
			return &fault.Error{Kind: fault.Throttled}
		}
		return nil
	}
	s.queueUp(textOf(1, nil))
	looks := 0
	for end := s.clock.Now().Add(24 * time.Hour); s.clock.Now().Before(end); looks++ {
		s.checkBack(1)
		s.clock.Advance(s.longestWait())
	}
	if looks >= maxReceives {
		t.Errorf("%d looks in a day, want fewer than %d", looks, maxReceives)
	}
	if longest := s.longestWait(); longest != s.Policy.Cap {
		t.Errorf("the longest wait was %v, want %v at last", longest, s.Policy.Cap)
	}
}

// longestWait is the longest visibility timeout that was asked for.
func (s *sender) longestWait() time.Duration {
	var longest time.Duration
	for _, wait := range s.asked {
		longest = max(longest, wait)
	}
	return longest
}

// A route that was changed a moment ago counts, though the sender remembers another, or that there was none: a drop is for
// good.
func TestDropIsNotDecidedOnWhatIsRemembered(t *testing.T) {
	way := route.Route{
		TwilioNumber: relaytest.TwilioNumber, DestinationCarrier: relaytest.Destination, Active: true,
		MaxAge: route.Duration(time.Hour),
	}
	for name, before := range map[string][]route.Route{
		"no route":           nil,
		"inactive":           {edited(way, func(r *route.Route) { r.Active = false })},
		"expired":            {edited(way, func(r *route.Route) { r.MaxAge = route.Duration(time.Minute) })},
		"the customer a hop": {edited(way, func(r *route.Route) { r.FallbackCarriers = []sms.PhoneNumber{relaytest.Customer} })},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			routes := relaytest.NewMemoryRoutes(before...)
			cache := route.NewCache(routes, s.clock.Now)
			s.Routes = cache
			s.clock.Advance(2 * time.Minute)
			if _, err := cache.Lookup(t.Context(), relaytest.TwilioNumber); err != nil {
				t.Fatal(err)
			}
			if _, err := routes.Put(t.Context(), way); err != nil {
				t.Fatal(err)
			}
			s.queueUp(textOf(1, nil))
			s.drain()
			s.checkPosts(1)
			s.checkState(1, ledger.Sent, "")
		})
	}
}

// edited returns the route with a change.
func edited(r route.Route, edit func(r *route.Route)) route.Route {
	edit(&r)
	return r
}

// A defect that one text brings to light ends neither the process nor the other texts, and what it threw is not shown.
func TestPanicIsOneTextsOwn(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = func(int, sms.Outbound) error { panic("thrown with " + relaytest.Customer) }
	s.queueUp(textOf(1, nil))
	s.checkBack(1)
	for _, line := range s.lines() {
		if line == "sender panicked" {
			return
		}
	}
	t.Error("nothing says that the sender panicked")
}
