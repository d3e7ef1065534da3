package delivery_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// BenchmarkText relays one text: what the handler itself costs, between a ledger, routes and a Twilio in memory.
func BenchmarkText(b *testing.B) {
	benchmark(b, func(n int) queue.Envelope { return textOf(n, nil) })
}

// BenchmarkReceipt applies the receipt of one text.
func BenchmarkReceipt(b *testing.B) {
	const status = sms.StatusDelivered
	benchmark(b, func(n int) queue.Envelope { return textOf(n, nil) }, func(n int) queue.Envelope {
		return receiptOf(n, 1, relaytest.OutboundSid(n), status)
	})
}

// benchmark measures the last of the batches that are handled for each n; the others come before it and do not count.
func benchmark(b *testing.B, of ...func(n int) queue.Envelope) {
	b.Helper()
	s := newSender(b)
	s.Logger = slog.New(slog.DiscardHandler)
	// Each goes into a memory of its own, whose growth is not what is measured.
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		if n%1000 == 0 {
			n = 0
			s.ledger = &relaytest.MemoryLedger{}
			s.twilio.Forget()
			config := *s.Config
			config.Ledger, config.Records, config.Queue = s.ledger, s.ledger, s.queue
			s.Handler = delivery.New(config)
			s.Config = delivery.ConfigOf(s.Handler)
		}
		n++
		// So many texts at once would wait.
		s.clock.Advance(5 * time.Minute)
		for i, envelope := range of {
			e := envelope(n)
			e.ReceivedAt = s.clock.Now()
			body, err := queue.Encode(e)
			if err != nil {
				b.Fatal(err)
			}
			batch := batchOf([]queue.Delivery{{MessageID: "m", ReceiptHandle: "h", Group: "g", Body: body, ReceiveCount: 1}})
			if i == len(of)-1 {
				b.StartTimer()
			}
			response, err := s.Handle(context.Background(), batch)
			if err != nil || len(response.BatchItemFailures) > 0 {
				b.Fatal(err, response)
			}
		}
	}
}
