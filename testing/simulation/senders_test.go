package simulation_test

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/onehost/eventsource"
	"quickdumpnow.com/smsrelay/shared/retry"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

// startSender starts a process with a sender's handler, which takes from both queues.
func (s *schedule) startSender() {
	s.senders++
	p := &process{name: fmt.Sprintf("sender-%d", s.senders), restart: s.startSender}
	handler := delivery.New(s.senderConfig(p.name))
	handle := func(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
		return handler.Handle(wallContext{ctx, s}, batch) //nolint:contextcheck // it is ctx but for the clock of its deadline.
	}
	for _, q := range []*watchedQueue{s.fifo, s.timers} {
		s.spawn(p, p.name+" "+q.name, func(ctx context.Context, _ *actor) {
			source := eventsource.Queue{
				Receiver: queueDoor{s, q}, Function: handle, BatchSize: batchSize, Pollers: 1, Visibility: visibility, Logger: s.logger,
			}
			_ = source.Run(ctx)
		})
	}
}

func (s *schedule) senderConfig(name string) delivery.Config {
	claims := 0
	return delivery.Config{
		Ledger: ledgerDoor{s}, Records: ledgerDoor{s}, Routes: route.NewCache(tableDoor{s}, s.wall),
		Conversations: conversationsDoor{s}, Customers: conversationsDoor{s},
		Messages: twilioDoor{s}, Pace: paceDoor{s}, Queue: queueDoor{s, s.fifo}, TimerQueue: queueDoor{s, s.timers},
		Timers: queueDoor{s, s.timers}, DeadLetters: queueDoor{s, s.dead}, Answers: queueDoor{s, s.fifo},
		Policy: retry.NewPolicy(2*time.Second, s.MaxAttempts), ReceiptFault: twilio.ClassifyReceipt,
		PacePair: s.Pair, PaceNumber: s.Number, ReconcileLooks: s.Looks, ReconcileInterval: s.Interval,
		Attachments:   media.Keeper{Source: mediaDoor{s}, Store: mediaDoor{s}, Now: s.wall, NewToken: s.newToken},
		PublicBaseURL: publicBaseURL, MediaBaseURL: publicBaseURL, SendTimeout: sendTimeout, Retention: retention, Concurrency: 1,
		Now: s.wall, Spread: func() float64 { return float64(time.Since(s.began)/time.Millisecond%1000) / 1000 },
		NewClaimID: func() string { claims++; return fmt.Sprintf("%s-%d", name, claims) },
		Logger:     s.logger, Emit: s.emit,
	}
}
