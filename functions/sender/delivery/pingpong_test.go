package delivery_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// Forty texts may go back and forth at once; those beyond wait, in either direction, and none is lost.
func TestPingPong(t *testing.T) {
	s := newSender(t)
	for n := 1; n <= 40; n++ {
		from := relaytest.Customer
		if n%2 == 0 {
			from = relaytest.Destination
		}
		s.hears(n, from, fmt.Sprintf("Back at you %d", n))
		s.clock.Advance(9 * time.Second)
	}
	if sent := s.sent(); len(sent) != 40 {
		t.Fatalf("%d of 40 messages were sent", len(sent))
	}
	// Six minutes made room for two more.
	for n := 41; n <= 46; n++ {
		s.hears(n, relaytest.Customer, "And again")
	}
	if sent := s.sent(); len(sent) != 2 {
		t.Errorf("%d messages were sent beyond the bound, want 2", len(sent))
	}
	s.drain()
	if all := len(s.twilio.Posts()); all != 46 {
		t.Errorf("%d messages in the end, want all 46", all)
	}
	if s.measured["PingPong"] == 0 {
		t.Errorf("measured %v", s.measured)
	}
}

// Answers that wait because so many texts went back and forth go one by one, each with a place of its own, in order.
func TestAnswersBeyondTheBoundGoOneByOne(t *testing.T) {
	s := newSender(t)
	for n := 1; n <= 40; n++ {
		s.hears(n, relaytest.Customer, fmt.Sprintf("Are you there? %d", n))
	}
	s.sent()
	s.clock.Advance(10 * time.Second)
	for n := 41; n <= 45; n++ {
		s.hears(n, relaytest.Destination, fmt.Sprintf("%s answer %d", firstTag, n))
		s.checkState(n, ledger.Queued, ledger.ReasonPingPong)
	}
	s.checkSent()
	for n := 41; n <= 45; n++ {
		s.clock.Advance(3 * time.Minute)
		s.settle()
		s.checkSent(toCustomer + fmt.Sprintf("answer %d", n))
	}
	if s.waiting() != 0 {
		t.Errorf("%d messages are left", s.waiting())
	}
}

// Held words take a place each when they are released. Those for which there is none wait.
func TestReleasedWordsTakeTheirPlaces(t *testing.T) {
	for name, tt := range map[string]struct {
		texts, atOnce int
	}{"room for all": {37, 3}, "room for two": {38, 2}, "no room": {40, 0}} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			for n := 1; n <= tt.texts; n++ {
				s.hears(n, relaytest.Customer, fmt.Sprintf("Are you there? %d", n))
			}
			s.hears(50, other, "Hello")
			s.clock.Advance(time.Minute)
			words := []string{"Yes", "at three", "or four"}
			for i, w := range words {
				s.hears(60+i, relaytest.Destination, w)
				s.clock.Advance(10 * time.Second)
			}
			s.sent()
			s.hears(70, relaytest.Destination, firstTag)
			var want []string
			for _, w := range words[:tt.atOnce] {
				want = append(want, toCustomer+w)
			}
			s.checkSent(append(want, toPhone+"Sent to "+firstTag+": "+string(relaytest.Customer)+", last text 1 min ago.")...)
			s.clock.Advance(90 * time.Second)
			s.settle()
			for _, w := range words[tt.atOnce:] {
				s.checkSent(toCustomer + w)
				s.clock.Advance(3 * time.Minute)
				s.settle()
			}
			s.hears(71, relaytest.Customer, "Thanks")
			s.checkState(71, ledger.Sent, "")
			s.hears(72, relaytest.Customer, "Bye")
			s.checkState(72, ledger.Queued, ledger.ReasonPingPong)
		})
	}
}

// Another process takes the last place while a text is about to go.
func TestTextWithoutTheLastPlaceWaits(t *testing.T) {
	s := newSender(t)
	s.hears(1, relaytest.Customer, "Hello")
	s.faults.hook = func(op string) error {
		if op != "conversations before PutPhone" {
			return nil
		}
		s.faults.hook = nil
		key := conversation.PhoneKey{TwilioNumber: relaytest.TwilioNumber, Phone: relaytest.Destination}
		p, err := s.conversations.GetPhone(context.Background(), key)
		if err != nil {
			return err
		}
		p.Exchanges[0].Texts.Until = s.clock.Now().Add(40 * 3 * time.Minute)
		_, err = s.conversations.PutPhone(context.Background(), p)
		return err
	}
	s.hears(2, relaytest.Customer, "Hello again")
	s.checkSent(toPhone + header + "Hello")
	s.checkState(2, ledger.Queued, ledger.ReasonPingPong)
	s.clock.Advance(3 * time.Minute)
	s.settle()
	s.checkSent(toPhone + firstTag + ": Hello again")
}

// A text that has its place needs no other when it is tried again.
func TestTextThatIsTriedAgainKeepsItsPlace(t *testing.T) {
	s := newSender(t)
	for n := 1; n <= 39; n++ {
		s.hears(n, relaytest.Customer, fmt.Sprintf("Are you there? %d", n))
	}
	s.sent()
	s.twilio.answer = func(int, sms.Outbound) error { return refusal(fault.Transient, 0) }
	s.hears(40, relaytest.Customer, "Hello")
	s.twilio.answer = nil
	s.clock.Advance(20 * time.Second)
	s.settle()
	s.checkState(40, ledger.Sent, "")
	s.hears(41, relaytest.Customer, "Hello again")
	s.checkState(41, ledger.Queued, ledger.ReasonPingPong)
}

// A phone is told twelve things at once, and one more every five minutes; what is beyond that is left out, and counted.
func TestNoticesOfAPhoneAreBounded(t *testing.T) {
	s := newSender(t)
	// A command of a phone is known only to a phone that was sent something.
	s.hears(1, relaytest.Customer, "Hello")
	s.sent()
	for n := range 15 {
		s.hears(2+n, relaytest.Destination, "/?")
	}
	if got, left := len(s.sent()), s.measured["NoticesLeftOut"]; got != 12 || left != 3 {
		t.Errorf("told %d times, and %d left out; want 12 and 3", got, left)
	}
	s.clock.Advance(5 * time.Minute)
	s.hears(17, relaytest.Destination, "/?")
	s.hears(18, relaytest.Destination, "/?")
	if got := len(s.sent()); got != 1 {
		t.Errorf("told %d times five minutes later, want once", got)
	}
}
