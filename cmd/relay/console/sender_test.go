package console_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/cmd/relay/mending"
	"quickdumpnow.com/smsrelay/cmd/relay/rota"
	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/cmd/relay/users"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/clock"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/onehost/eventsource"
	"quickdumpnow.com/smsrelay/shared/onehost/mediafolder"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/retry"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	"quickdumpnow.com/smsrelay/shared/twilio"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// send lets the real sender work on the queue until the test ends. It sends to the stage's Twilio.
func (s *stage) send(db *sqlite.DB) {
	s.Helper()
	var err error
	s.media, err = mediafolder.New(mediafolder.Config{Path: filepath.Join(s.folder, datafolder.MediaFolder), Now: s.clock})
	if err != nil {
		s.Fatal(err)
	}
	s.twilio = &relaytest.Twilio{Now: s.clock}
	s.inbox = db.Queue(datafolder.QueueName, datafolder.InboxConfig())
	timers := db.Queue(datafolder.TimersName, datafolder.TimersConfig())
	logger := slog.New(slog.DiscardHandler)
	sender := delivery.New(delivery.Config{
		Ledger: db.Ledger(), Records: db.Ledger(), Routes: route.NewCache(db.Routes(), s.clock), Pace: db.Pace(),
		Conversations: db.Conversations(), Customers: db.Conversations(), Messages: s.twilio, Attachments: s.keeper(nil),
		MediaBaseURL: "https://relay.example.com", Queue: s.inbox, TimerQueue: timers, Timers: timers,
		DeadLetters: db.Queue(datafolder.DeadLettersName, sqlite.QueueConfig{}), Answers: s.inbox, Policy: retry.NewPolicy(time.Second, 3),
		ReceiptFault: twilio.ClassifyReceipt, ReconcileLooks: 1, ReconcileInterval: time.Second, SendTimeout: 8 * time.Second,
		Retention: ledger.MinRetention, Concurrency: 1, Now: s.clock, Spread: func() float64 { return 0 }, NewClaimID: rand.Text,
		Logger: logger, Emit: func(...telemetry.Measurement) {},
	})
	texts := eventsource.Queue{
		Receiver: s.inbox, Function: sender.Handle, BatchSize: 10, Pollers: 1, Slots: 4, Visibility: delivery.LongestInvocation, Logger: logger,
	}
	s.dead = db.Queue(datafolder.DeadLettersName, sqlite.QueueConfig{})
	s.desk = mending.New(mending.Config{
		Ledger: db.Ledger(), Routes: db.Routes(), Queue: s.inbox, Dead: target.Counted(s.dead), Actions: s.did,
		Twilio: s.twilio, Now: s.clock,
	})
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.Context()))
	ended := make(chan error, 1)
	go func() { ended <- texts.Run(ctx) }()
	moved := make(chan error, 1)
	go func() { moved <- s.desk.Run(ctx) }()
	s.Cleanup(func() {
		cancel()
		if err := errors.Join(<-ended, <-moved); err != nil {
			s.Error(err)
		}
	})
}

func (s *stage) keeper(source media.Source) media.Keeper {
	return media.Keeper{Source: source, Store: s.media, Now: s.clock}
}

// api is what the operators' API is made of.
func (s *stage) api() operations.Config {
	return operations.Config{
		Queue: s.inbox, Records: s.relay.Ledger, Routes: s.relay.Routes, Conversations: s.relay.Conversations,
		Trail: s.trail, Now: s.clock, NewID: operations.NewID, Wait: clock.Pause,
		Mending: s.desk, Pictures: s.keeper,
		Users: users.Book{Users: s.users(), Actions: s.relay.Conversations, Routes: s.relay.Routes, Now: s.clock},
		Rota:  rota.Book{Routes: s.relay.Routes, Records: s.relay.Ledger, Conversations: s.relay.Conversations, Now: s.clock},
		Emit:  func(...telemetry.Measurement) {},
	}
}

// hasPhone gives a user a phone of the routes.
func (s *stage) hasPhone(name, phone string) {
	s.Helper()
	if _, err := s.users().Change(name, func(u *signin.User) { u.Phone = phone }); err != nil {
		s.Fatal(err)
	}
}

// recorded keeps what operators did where tests can see it, too.
type recorded struct {
	*sqlite.Conversations

	mu  sync.Mutex
	did map[string]conversation.Action
}

func (r *recorded) PutAction(ctx context.Context, a conversation.Action) error {
	err := r.Conversations.PutAction(ctx, a)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.did[a.ID] = a
	}
	return err
}

// actions are what operators did.
func (s *stage) actions() []conversation.Action {
	s.did.mu.Lock()
	defer s.did.mu.Unlock()
	return slices.Collect(maps.Values(s.did.did))
}
