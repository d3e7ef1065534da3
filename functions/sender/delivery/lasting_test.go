package delivery_test

import (
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/relaytest"
	"quickdumpnow.com/smsrelay/shared/retry"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// mostReceives is the most receives that SQS lets a queue count before it buries a message.
const mostReceives = 1000

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
	if looks >= mostReceives {
		t.Errorf("%d looks in a day, want fewer than %d", looks, mostReceives)
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
	way := route.Route{TwilioNumber: relaytest.TwilioNumber, DestinationCarrier: relaytest.Destination, Active: true, MaxAge: route.Duration(time.Hour)}
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

// Someone moves the dead letters back to the queue with SQS's own redrive. A dead text stays dead, and its letter is kept.
func TestRedrivenDeadLetterIsKept(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = always(refusal(fault.Transient, 0))
	s.queueUp(textOf(1, nil))
	s.drain()
	s.checkState(1, ledger.Dead, ledger.ReasonAttemptsExhausted)
	letters := s.dead.Messages()
	if len(letters) != 1 {
		t.Fatalf("%d dead letters, want 1", len(letters))
	}
	reason := letters[0].Attributes[delivery.AttributeReason]
	response, err := s.Handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{{
		MessageId: "redriven", Body: letters[0].Body, Attributes: map[string]string{"MessageGroupId": letters[0].Group},
		MessageAttributes: map[string]events.SQSMessageAttribute{delivery.AttributeReason: {DataType: "String", StringValue: &reason}},
	}}})
	if err != nil || len(response.BatchItemFailures) != 0 {
		t.Fatalf("Handle = %+v, %v", response, err)
	}
	letters = s.dead.Messages()
	if len(letters) != 2 || letters[1].Body != letters[0].Body || letters[1].Attributes[delivery.AttributeReason] != reason {
		t.Errorf("dead letters are %+v, want the letter again with its reason", letters)
	}
	s.checkPosts(maxAttempts)
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
