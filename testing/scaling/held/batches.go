package held

import (
	"context"
	"crypto/rand"
	mathrand "math/rand/v2"
	"net/http/httptest"
	"path/filepath"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/cmd/relay/serve/onehost"
	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/onehost/eventsource"
	"quickdumpnow.com/smsrelay/shared/onehost/httpapi"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/retry"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	"quickdumpnow.com/smsrelay/shared/twilio"
	"quickdumpnow.com/smsrelay/shared/twilio/signature"
)

// openBatches puts the same handlers together as Lambda has them: so many runs of the sender at once, each with a whole batch, whose
// groups go side by side. Twilio is asked for no receipts.
func (c Case) openBatches(ctx context.Context, config onehost.Config) (running, error) {
	db, err := sqlite.Open(ctx, filepath.Join(config.Data, datafolder.DatabaseFile), time.Now)
	if err != nil {
		return running{}, err
	}
	if _, err = route.Seed(ctx, db.Routes(), config.Routes, time.Now()); err != nil {
		return running{}, err
	}
	inbox, timers := db.Queue(datafolder.QueueName, datafolder.InboxConfig()), db.Queue(datafolder.TimersName, datafolder.TimersConfig())
	door := httptest.NewUnstartedServer(nil)
	url := "http://" + door.Listener.Addr().String()
	verifier, err := signature.NewValidator([]string{url}, config.AuthTokens)
	if err != nil {
		return running{}, err
	}
	client, err := twilio.New(twilio.Config{
		AccountSid: config.AccountSid, AuthToken: config.AuthTokens[0], BaseURL: config.TwilioBaseURL, Timeout: config.SendTimeout,
	})
	if err != nil {
		return running{}, err
	}
	ingest := webhook.New(webhook.Config{
		Queue: inbox, Verifier: verifier, Now: time.Now, Started: time.Now(), Logger: config.Logger, Emit: telemetry.Discard,
	})
	door.Config.Handler = httpapi.New(httpapi.Config{
		Routes: []httpapi.Route{{Path: webhook.PathInbound, Function: ingest.Handle}}, Now: time.Now, NewID: rand.Text, Logger: config.Logger,
	})
	door.Start()
	sender := delivery.New(delivery.Config{
		Ledger: db.Ledger(), Records: db.Ledger(), Routes: route.NewCache(db.Routes(), time.Now), Pace: db.Pace(),
		Conversations: db.Conversations(), Customers: db.Conversations(), Messages: client, PacePair: config.PacePair,
		PaceNumber: config.PaceNumber, Queue: inbox, Done: inbox, TimerQueue: timers, Timers: timers,
		DeadLetters: db.Queue(datafolder.DeadLettersName, sqlite.QueueConfig{}), Answers: inbox,
		Policy: retry.NewPolicy(config.RetryBase, config.MaxAttempts), ReceiptFault: twilio.ClassifyReceipt,
		ReconcileLooks: config.ReconcileLooks, ReconcileInterval: config.ReconcileInterval, SendTimeout: config.SendTimeout,
		Retention: config.Retention, Concurrency: batchSize, Now: time.Now, Spread: mathrand.Float64, NewClaimID: rand.Text,
		Logger: config.Logger, Emit: telemetry.Discard,
	})
	source := eventsource.Queue{
		Receiver: inbox, Function: sender.Handle, BatchSize: batchSize, Pollers: c.Batches, Visibility: delivery.LongestInvocation,
		Logger: config.Logger,
	}
	//nolint:contextcheck,nolintlint // a test server is closed without a context; the first linter sees that in some runs only.
	return running{url, source.Run, func() error {
		door.Close()
		return db.Close()
	}}, nil
}
