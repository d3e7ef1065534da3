package delivery_test

import (
	"testing"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestReachedNobodyIsCounted: each text that ends on no phone is counted once, whatever ended it. One that was dropped for a reason
// that is right is not.
func TestReachedNobodyIsCounted(t *testing.T) {
	for name, tt := range map[string]struct {
		edit func(e *queue.Envelope)
		then func(s *sender)
		want int
	}{
		"refused by the last phone": {alone, func(s *sender) { s.twilio.answer = always(refusal(fault.Permanent, 21617)) }, 1},
		"undelivered": {alone, func(s *sender) {
			s.drain()
			s.queueUp(receiptOf(1, 1, relaytest.OutboundSid(1), sms.StatusUndelivered))
			s.queueUp(receiptOf(1, 1, relaytest.OutboundSid(1), sms.StatusUndelivered))
		}, 1},
		"no route":  {func(e *queue.Envelope) { e.Message.To = "+18585550199" }, nil, 1},
		"a keyword": {func(e *queue.Envelope) { e.Message.OptOutType = sms.OptOutHelp }, nil, 0},
		"a loop":    {func(e *queue.Envelope) { e.Message.From = e.Message.To }, nil, 0},
		"delivered": {nil, func(s *sender) { s.drain(); s.queueUp(receiptOf(1, 1, relaytest.OutboundSid(1), sms.StatusDelivered)) }, 0},
		"in doubt":  {alone, func(s *sender) { s.twilio.answer = answers(lostPost()) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.queueUp(textOf(1, tt.edit))
			if tt.then != nil {
				tt.then(s)
			}
			s.drain()
			if got := s.measured[telemetry.MetricReachedNobody]; got != tt.want {
				t.Errorf("%s ends the text %s: counted %v times, want %v", name, s.record(1).State, got, tt.want)
			}
		})
	}
}
