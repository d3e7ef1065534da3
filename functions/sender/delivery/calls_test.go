package delivery_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestCallsOfAText counts what one text of a known customer calls, and its receipt, with the pace limits on. What the queue's mapping does
// is not the sender's. testing/costs counts the same on AWS, with the calls that each of these makes.
func TestCallsOfAText(t *testing.T) {
	s := newSender(t)
	s.PacePair, s.PaceNumber = pace.Limit{N: 10, Per: 30 * time.Second}, pace.Limit{N: 1, Per: time.Second}
	s.hears(1, relaytest.Customer, "Hello")
	s.clock.Advance(time.Minute)
	calls := func(envelope queue.Envelope) map[string]int {
		called := map[string]int{}
		s.faults.hook = func(op string) error {
			port, _, _ := strings.Cut(op, " ")
			if !strings.Contains(op, " after ") && port != "queue" && port != "timers" {
				called[strings.Replace(op, " before", "", 1)]++
			}
			return nil
		}
		s.queueUp(envelope)
		s.settle()
		s.faults.hook = nil
		return called
	}
	text := textOf(2, func(e *queue.Envelope) { e.ReceivedAt = s.clock.Now() })
	for _, tt := range []struct {
		name     string
		envelope queue.Envelope
		want     map[string]int
	}{
		{"text", text, map[string]int{
			"routes Lookup": 1, "conversations Read": 1, "conversations PutPhone": 1,
			"pace Reserve": 1, "ledger Create": 1, "twilio Create": 1, "ledger Update": 1,
		}},
		{"receipt", receiptOf(2, 1, relaytest.OutboundSid(2), sms.StatusDelivered), map[string]int{"ledger Get": 1, "ledger Update": 1}},
	} {
		if diff := cmp.Diff(tt.want, calls(tt.envelope)); diff != "" {
			t.Errorf("calls of a %s (-may be +are):\n%s", tt.name, diff)
		}
	}
	if messages := s.queue.Messages(); len(messages) != 0 {
		t.Errorf("%d messages are left on the queue", len(messages))
	}
}
