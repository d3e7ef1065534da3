package delivery_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// sendTimer puts a body on the timer queue.
func (s *sender) sendTimer(body string) {
	s.t.Helper()
	if err := s.timers.Send(context.Background(), queue.Outgoing{Body: body}); err != nil {
		s.t.Fatal(err)
	}
}

// What is no envelope goes from the timer queue to the dead letters as it came, in a group of its own.
func TestUndecodableTimer(t *testing.T) {
	for name, body := range map[string]string{
		"no JSON":     secretText,
		"no timer":    `{"v":1,"kind":"timer","relay_id":"SM1"}`,
		"attempt 0":   `{"v":1,"kind":"timer","relay_id":"SM1","timer":{"attempt":0,"due":"2026-11-24T12:00:00Z"}}`,
		"no time":     `{"v":1,"kind":"timer","relay_id":"SM1","timer":{"attempt":1,"due":"` + secretText + `"}}`,
		"no relay id": `{"v":1,"kind":"timer","timer":{"attempt":1,"due":"2026-11-24T12:00:00Z"}}`,
		"version 0":   `{"v":0,"kind":"timer","relay_id":"SM1"}`,
		"another's":   `{"hello":"` + secretText + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.sendTimer(body)
			s.sendTimer(body)
			s.fail("dead before Send", broken(fault.Transient, 1)...)
			s.fail("dead after Send", broken(fault.Unknown, 1)...)
			s.drain()
			letters := s.dead.Messages()
			if len(letters) != 2 || letters[0].Body != body || letters[0].Group == "" || letters[0].Group == letters[1].Group {
				t.Fatalf("dead letters %+v, want both as they came", letters)
			}
			if got := letters[0].Attributes; got["Reason"] != "undecodable" || got["LastError"] == "" ||
				strings.Contains(got["LastError"], secretText) {
				t.Errorf("attributes %v", got)
			}
			if n := len(s.ledger.Changes()); n != 0 {
				t.Errorf("%d changes of the ledger", n)
			}
		})
	}
}

// A newer version's timer waits for a newer sender, and holds nothing else back.
func TestNewerTimerIsLeft(t *testing.T) {
	s := newSender(t)
	s.sendTimer(`{"v":2,"kind":"timer","relay_id":["SM1"]}`)
	s.queueUp(textOf(1, nil))
	s.pumpFrom(s.queue)
	s.tell(1, sms.StatusUndelivered, 30003)
	s.pumpFrom(s.queue)
	if failed, received := s.pumpFrom(s.timers); failed != 1 || received != 2 {
		t.Errorf("%d of %d timers came back", failed, received)
	}
	s.checkPhones(first, second)
	waits := map[time.Duration]int{}
	for _, wait := range s.asked {
		waits[wait]++
	}
	if diff := cmp.Diff(map[time.Duration]int{policy.HaltDelay: 1}, waits); diff != "" {
		t.Errorf("came back after (-want +got):\n%s", diff)
	}
	if n := len(s.dead.Messages()); n != 0 {
		t.Errorf("%d dead letters", n)
	}
}

// Nothing but timers belongs on the timer queue; a text that is there all the same is worked on and not lost.
func TestTextOnTheTimerQueue(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = always(refusal(fault.Transient, 0))
	out, err := textOf(1, nil).Outgoing()
	if err != nil {
		t.Fatal(err)
	}
	s.sendTimer(out.Body)
	s.drain()
	s.checkState(1, ledger.Dead, ledger.ReasonAttemptsExhausted)
	if letters := s.dead.Messages(); len(letters) != 1 || letters[0].Group != out.Group {
		t.Errorf("dead letters %+v", letters)
	}
}

// A receipt that names what does not belong to the text changes nothing, whatever it says.
func TestStrangeReceipts(t *testing.T) {
	for name, edit := range map[string]func(e *queue.Envelope){
		"a status yet to come": func(e *queue.Envelope) { e.Receipt.Status = "teleported" },
		"no status":            func(e *queue.Envelope) { e.Receipt.Status = "" },
		"an inbound one's":     func(e *queue.Envelope) { e.Receipt.Status = sms.StatusReceiving },
		"no attempt":           func(e *queue.Envelope) { e.Receipt.Attempt = 0 },
		"an attempt below 0":   func(e *queue.Envelope) { e.Receipt.Attempt = -1 },
		"another's message":    func(e *queue.Envelope) { e.Receipt.Sid = relaytest.OutboundSid(99) },
		"another text":         func(e *queue.Envelope) { e.RelayID = relaytest.MessageSid(9) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.queueUp(textOf(1, nil))
			s.checkBack(0)
			before := s.ledger.Changes()
			e := receiptOf(1, 1, relaytest.OutboundSid(1), sms.StatusUndelivered)
			edit(&e)
			s.queueUp(e)
			s.drain()
			if diff := cmp.Diff(before, s.ledger.Changes()); diff != "" {
				t.Errorf("ledger (-before +after):\n%s", diff)
			}
			s.checkPosts(1)
		})
	}
}

// A panic with a text that a timer moves is that one timer's own, and its claim is looked into when the lease is over.
func TestPanicInACascade(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = func(n int, _ sms.Outbound) error {
		if n == 2 {
			panic("thrown with " + relaytest.Customer)
		}
		return nil
	}
	s.queueUp(textOf(1, nil))
	s.checkBack(0)
	s.tell(1, sms.StatusUndelivered, 30003)
	s.drain()
	s.checkPhones(first, second)
	s.checkState(1, ledger.Uncertain, ledger.ReasonUnknownOutcome)
	checkChanges(t, s.ledger.Changes())
}
