package delivery_test

import (
	"context"
	"strings"
	"testing"

	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// counting is a Twilio that says how many segments it made of a message.
type counting struct {
	*twilio

	segments int
}

func (c counting) Create(ctx context.Context, m sms.Outbound) (sms.Created, error) {
	created, err := c.twilio.Create(ctx, m)
	created.NumSegments = c.segments
	return created, err
}

// TestSegmentsAreMeasured as Twilio counts them, and by its rules where it does not say.
func TestSegmentsAreMeasured(t *testing.T) {
	long := func(e *queue.Envelope) { e.Message.Body = strings.Repeat("x", 200) }
	tests := map[string]struct {
		said int
		edit func(e *queue.Envelope)
		want float64
	}{
		"Twilio says":               {4, nil, 4},
		"Twilio does not say":       {0, nil, 1},
		"nor of one that is longer": {0, long, 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.Messages = counting{s.twilio, test.said}
			segments := 0.0
			s.Emit = func(all ...telemetry.Measurement) {
				for _, m := range all {
					if m.Name == telemetry.MetricSegments {
						segments += m.Value
					}
				}
			}
			s.queueUp(textOf(1, test.edit))
			s.drain()
			if segments != test.want {
				t.Errorf("%v segments, want %v", segments, test.want)
			}
		})
	}
}
