package delivery_test

import (
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// gives puts the order on the queue that a phone has the customer, which an operator gave who saw that another one has him.
func (s *sender) gives(id string, from, to sms.PhoneNumber, isMine bool) {
	s.t.Helper()
	s.queueUp(queue.Envelope{
		Version: queue.Version, Kind: queue.KindGive, RelayID: id, ReceivedAt: s.clock.Now(),
		Message:     &sms.Message{Sid: id, From: relaytest.Customer, To: relaytest.TwilioNumber},
		Destination: to, Give: &queue.Give{From: from, Mine: isMine},
	})
	s.settle()
}

const (
	firstOrder  = "RL00000000000000000000000000000001"
	secondOrder = "RL00000000000000000000000000000002"
	thirdOrder  = "RL00000000000000000000000000000003"
)

func (s *sender) checkClaim(by sms.PhoneNumber, order string) {
	s.t.Helper()
	if k := s.conversation().Claim; k.Phone != by || k.MessageSid != order || !k.EndedAt.IsZero() {
		s.t.Errorf("the claim is %+v, want that of %s by %s", k, string(by), order)
	}
}

// An operator gives a customer to a phone as phones do: who is to have him gets his newest text and is told, and so are the others, once.
func TestOperatorGives(t *testing.T) {
	s := impatient(t)
	s.reroute(func(r *route.Route) { r.Phones = []route.Phone{{Name: "Bo", Number: relaytest.Fallback}} })
	s.hears(1, relaytest.Customer, "Is anybody there?")
	s.sent()
	s.gives(firstOrder, "", relaytest.Fallback, false)
	s.checkSentTogether(toFallback+"/give "+firstTag+": the office gave you …0111.", toFallback+customerAs+"Is anybody there?",
		toPhone+"Bo has "+firstTag+".")
	s.checkClaim(relaytest.Fallback, firstOrder)
	// The same form sent twice, and a message that comes again.
	s.gives(firstOrder, "", relaytest.Fallback, false)
	s.checkSent()
	// From the phone that has him to another one, whose operator it is.
	s.until(time.Minute)
	s.gives(secondOrder, relaytest.Fallback, relaytest.Destination, true)
	s.checkSentTogether(toPhone+"/mine "+firstTag+": you have …0111.", toFallback+"…0122 has "+firstTag+".")
	s.checkClaim(relaytest.Destination, secondOrder)
	// Who has an old page in front of him changes nothing.
	s.gives(thirdOrder, relaytest.Fallback, third, false)
	s.gives(thirdOrder, "", third, false)
	s.checkSent()
	s.checkClaim(relaytest.Destination, secondOrder)
	// So does who saw a phone that is done with the customer since.
	s.until(2 * time.Minute)
	s.hears(2, relaytest.Destination, "/done "+firstTag)
	s.sent()
	s.until(3 * time.Minute)
	s.gives(thirdOrder, relaytest.Destination, third, false)
	s.checkSent()
	if k := s.conversation().Claim; k.Phone != relaytest.Destination || k.EndedAt.IsZero() {
		t.Errorf("the claim is %+v, want it ended", k)
	}
	s.checkSealed()
}

// Whoever is off duty is given nobody, and a number that keeps no claims keeps none.
func TestOperatorGivesNobody(t *testing.T) {
	s := impatient(t)
	s.hears(1, relaytest.Customer, "Is anybody there?")
	s.hears(2, third, "/off 2h")
	s.sent()
	s.gives(firstOrder, "", third, false)
	s.checkSent()
	s.reroute(func(r *route.Route) { r.AnswerTimeout = 0 })
	s.gives(secondOrder, "", relaytest.Fallback, false)
	s.checkSent()
	if k := s.conversation().Claim; k.Phone != "" {
		t.Errorf("the claim is %+v, want none", k)
	}
}

// A timer of a stage that began before finds who has the customer, and his time to answer begins anew.
func TestWhoIsGivenACustomerHasTimeToAnswer(t *testing.T) {
	s := impatient(t)
	s.hears(1, relaytest.Customer, "Is anybody there?")
	s.until(14 * time.Minute)
	s.gives(firstOrder, "", relaytest.Destination, true)
	s.sent()
	s.until(28 * time.Minute)
	s.checkSent()
	s.until(30 * time.Minute)
	if got := s.sent(); len(got) == 0 {
		t.Error("the text did not go out again after the time to answer")
	}
}
