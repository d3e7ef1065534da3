package onehost

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"quickdumpnow.com/smsrelay/cmd/relay/console"
	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/cmd/relay/forgetting"
	"quickdumpnow.com/smsrelay/cmd/relay/mending"
	"quickdumpnow.com/smsrelay/cmd/relay/rota"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/functions/stream-audit/audit"
	"quickdumpnow.com/smsrelay/shared/clock"
	"quickdumpnow.com/smsrelay/shared/onehost/durable"
	"quickdumpnow.com/smsrelay/shared/onehost/eventsource"
	"quickdumpnow.com/smsrelay/shared/onehost/httpapi"
	"quickdumpnow.com/smsrelay/shared/onehost/jsonlines"
	"quickdumpnow.com/smsrelay/shared/onehost/mediafolder"
	"quickdumpnow.com/smsrelay/shared/onehost/notify"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/retry"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	"quickdumpnow.com/smsrelay/shared/twilio"
	"quickdumpnow.com/smsrelay/shared/twilio/signature"
)

const (
	// pathMetrics is the path for Prometheus.
	pathMetrics = "/metrics"
	// tokenHolder is the name in the record when somebody reads a text over HTTP: all operators share one token.
	tokenHolder = "operator"
)

const (
	// visibility hides a batch while the sender works on it: more than six times the longest POST.
	visibility = delivery.LongestInvocation
	// timerSlots limits how many timers are processed at once.
	timerSlots   = 10
	pollers      = 4
	timerPollers = 1
	auditBatch   = 100
	// receiveWait is long, because a message ends the wait, and each look wakes threads. A host that was suspended looks again within it: its
	// timers stood still.
	receiveWait = time.Minute
	// drainTime is how long requests under way may take when the relay stops. A webhook is answered within milliseconds.
	drainTime = 8 * time.Second
	// idleTimeout closes idle connections. Twilio opens another.
	idleTimeout    = 30 * time.Second
	maxWebhookBody = 256 << 10
)

// Relay is a relay on one host.
type Relay struct {
	config   Config
	db       *sqlite.DB
	auditLog *jsonlines.Log
	media    *mediafolder.Folder
	door     door
	metrics  *metrics
	queue    eventsource.Queue
	timers   eventsource.Queue
	stream   eventsource.Stream
	account  AccountReader
	problems problems
	backups  *backupMaker
	replica  *replicator
	findings *findings
	// teller is nil if nobody wants to be told.
	teller  *notify.Teller
	catchUp *catchUp
	forget  forgetting.Worker
	console *console.Console
	mending *mending.Desk
	live    *console.Live
	// operations is what the operators' API is made of.
	operations operations.Config
	// moved is when the folder was found to be a copy, zero if it never was.
	moved time.Time
	drain time.Duration
	// worked counts what was done for texts.
	worked atomic.Int64

	connections *httpapi.Connections
}

// Open makes the relay ready: it opens the database and the audit log, writes the routes and binds the address. It serves nothing
// before Run.
func Open(ctx context.Context, config Config) (relay *Relay, err error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	r := &Relay{
		config: config, metrics: newMetrics(), drain: drainTime, connections: httpapi.NewConnections(maxConnections(descriptors())),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	if r.door, err = openDoor(ctx, config); err != nil {
		return nil, err
	}
	if r.db, err = r.openDatabase(ctx); err != nil {
		return nil, err
	}
	r.sayUpgraded(ctx, r.db.Upgraded())
	if mark, exported, err := datafolder.ReadExported(config.Data); err != nil || exported {
		return nil, cmp.Or(err, error(datafolder.ExportedError{Exported: mark}))
	}
	if err := r.learnMoved(ctx); err != nil {
		return nil, err
	}
	r.backups = &backupMaker{
		config: config.Backup, data: config.Data, db: r.db, now: time.Now, logger: config.Logger, pause: clock.Pause,
	}
	r.backups.begin(ctx)
	if err := r.db.ReleaseInFlight(ctx); err != nil {
		return nil, fmt.Errorf("release what was in flight: %w", err)
	}
	if r.auditLog, err = jsonlines.Open(filepath.Join(config.Data, datafolder.AuditFile),
		jsonlines.Config{Now: time.Now, Lost: r.auditLost}); err != nil {
		return nil, err
	}
	r.replica = r.newReplicator()
	r.replica.begin(ctx, r.moved)
	if r.media, err = openMedia(config.Data); err != nil {
		return nil, err
	}
	if err := r.forgetAgain(ctx); err != nil {
		return nil, err
	}
	if len(r.config.PublicBaseURLs) == 0 {
		r.config.PublicBaseURLs = []string{r.URL()}
	}
	if err := r.seed(ctx); err != nil {
		return nil, err
	}
	if err := r.openLive(ctx); err != nil {
		return nil, err
	}
	if err := r.wire(); err != nil {
		return nil, err
	}
	return r, r.newCatchUp(ctx)
}

// sayUpgraded logs that the database is of another version now.
func (r *Relay) sayUpgraded(ctx context.Context, done sqlite.Upgrade) {
	if done.From == 0 || done.From == done.To {
		return
	}
	r.config.Logger.LogAttrs(ctx, slog.LevelInfo, "the database was brought up to date", slog.Int("from", done.From), slog.Int("to", done.To),
		slog.String("copy", done.Copy))
}

// URL returns the front door's own address.
func (r *Relay) URL() string { return r.door.url() }

// DB returns the database, for the demo and for tests.
func (r *Relay) DB() *sqlite.DB { return r.db }

// Metrics answers what GET /metrics does, for tests.
func (r *Relay) Metrics() http.Handler { return r.metrics.handler() }

func (r *Relay) seed(ctx context.Context) error {
	if len(r.config.Routes) == 0 {
		return r.warnWithoutRoutes(ctx)
	}
	seeded, err := route.Seed(ctx, r.db.Routes(), r.config.Routes, time.Now())
	if err = r.goOnWithoutUnreadable(ctx, err); err != nil {
		return fmt.Errorf("seed routes: %w", err)
	}
	r.config.Logger.LogAttrs(ctx, slog.LevelInfo, "routes seeded", slog.Int("put", len(seeded.Put)), slog.Int("kept", len(seeded.Kept)))
	return nil
}

// warnWithoutRoutes logs a warning if there is no active route: then no text can be relayed.
func (r *Relay) warnWithoutRoutes(ctx context.Context) error {
	routes, err := r.db.Routes().List(ctx)
	if err = r.goOnWithoutUnreadable(ctx, err); err != nil {
		return fmt.Errorf("list routes: %w", err)
	}
	if !slices.ContainsFunc(routes, func(one route.Route) bool { return one.Active }) {
		r.config.Logger.LogAttrs(ctx, slog.LevelWarn, "no active route: every text will be dropped", slog.Int("routes", len(routes)))
	}
	return nil
}

// goOnWithoutUnreadable returns err unless it only says that some routes cannot be read: the texts of those wait, others do not.
func (r *Relay) goOnWithoutUnreadable(ctx context.Context, err error) error {
	_, unreadable, err := route.Readable(nil, err)
	for _, u := range unreadable {
		r.config.Logger.LogAttrs(ctx, slog.LevelError, "route not read", slog.Any("twilio_number", u.TwilioNumber),
			slog.String("error", u.Err.Error()))
	}
	return err
}

// twilioConfig is how Twilio is asked with the account's own token.
func (r *Relay) twilioConfig() twilio.Config {
	return twilio.Config{
		AccountSid: r.config.AccountSid, AuthToken: r.config.AuthTokens[0], BaseURL: r.config.TwilioBaseURL, Timeout: r.config.SendTimeout,
	}
}

// wire builds the functions on the adapters.
func (r *Relay) wire() error {
	verifier, err := signature.NewValidator(r.config.PublicBaseURLs, r.config.AuthTokens)
	if err != nil {
		return err
	}
	withToken := r.twilioConfig()
	if r.account, err = twilio.New(withToken); err != nil {
		return err
	}
	sending := withToken
	sending.APIKeySid, sending.APIKeySecret = r.config.APIKeySid, r.config.APIKeySecret
	client, err := twilio.New(sending)
	if err != nil {
		return err
	}
	inbox := r.db.Queue(datafolder.QueueName, datafolder.InboxConfig())
	dead := r.db.Queue(datafolder.DeadLettersName, sqlite.QueueConfig{})
	timers := r.db.Queue(datafolder.TimersName, datafolder.TimersConfig())
	r.register(inbox, dead, timers)
	r.teller = r.openTeller()
	logger, emit := r.config.Logger, r.emit

	sender := delivery.New(delivery.Config{
		Ledger: r.db.Ledger(), Records: r.db.Ledger(), Routes: route.NewCache(r.db.Routes(), time.Now), Pace: r.db.Pace(),
		Conversations: r.db.Conversations(), Customers: r.db.Conversations(), Messages: client,
		Attachments: r.keeper(client), PacePair: r.config.PacePair, PaceNumber: r.config.PaceNumber,
		Queue: inbox, TimerQueue: timers, Timers: timers, DeadLetters: dead, Answers: inbox,
		Policy: retry.NewPolicy(r.config.RetryBase, r.config.MaxAttempts), ReceiptFault: twilio.ClassifyReceipt,
		ReconcileLooks: r.config.ReconcileLooks, ReconcileInterval: r.config.ReconcileInterval, AskBefore: r.moved,
		PublicBaseURL: r.config.PublicBaseURLs[0], MediaBaseURL: r.config.PublicBaseURLs[0], CaughtUp: r.isCaughtUp,
		SendTimeout: r.config.SendTimeout, Retention: r.config.Retention, Concurrency: 1,
		Now: time.Now, Spread: mathrand.Float64, NewClaimID: rand.Text, Logger: logger, Emit: emit,
	})
	r.queue = eventsource.Queue{
		Receiver: inbox, Function: sender.Handle, BatchSize: 10, Pollers: pollers,
		Slots: maxConversations(descriptors()), Visibility: visibility, Wait: receiveWait, Logger: logger,
	}
	r.timers = eventsource.Queue{
		Receiver: timers, Function: sender.Handle, BatchSize: 10, Pollers: timerPollers, Slots: timerSlots,
		Visibility: visibility, Wait: receiveWait, Logger: logger,
	}
	r.stream = eventsource.Stream{
		Changes: changes{r.db.Changes(), r.live.Tell}, BatchSize: auditBatch, Logger: logger,
		Function: audit.New(audit.Config{
			Log: r.auditLog, SetAside: setAside(durable.Disk{}, filepath.Join(r.config.Data, datafolder.AuditFailures)), Now: time.Now,
			Logger: quiet(logger), Emit: emit,
		}).Handle,
	}
	ingest := webhook.New(webhook.Config{
		Queue: inbox, Verifier: verifier, Now: time.Now, Started: time.Now(), Build: telemetry.ReadBuild(), Condition: r.condition,
		Logger: logger, Emit: emit,
	})
	if err := r.wireOperators(inbox, dead, client); err != nil {
		return err
	}
	r.door.server = r.frontDoor(ingest, operations.New(r.operations))
	return nil
}

// wireOperators builds what people use: the operators' API, and the console over it.
func (r *Relay) wireOperators(inbox, dead *sqlite.Queue, client *twilio.Client) error {
	r.mending = mending.New(mending.Config{
		Ledger: r.db.Ledger(), Routes: r.db.Routes(), Queue: inbox, Dead: target.Counted(dead), Actions: r.db.Conversations(),
		Twilio: client, Pause: mending.Pause, Now: time.Now,
	})
	r.operations = operations.Config{
		Queue: inbox, Records: r.db.Ledger(), Routes: r.db.Routes(), Conversations: r.db.Conversations(),
		Trail: jsonlines.NewTrail(filepath.Join(r.config.Data, datafolder.AuditFile)), Now: time.Now, NewID: operations.NewID,
		Rota:     rota.Book{Routes: r.db.Routes(), Records: r.db.Ledger(), Conversations: r.db.Conversations(), Now: time.Now},
		Operator: tokenHolder, Mending: r.mending, Pictures: r.keeper, Wait: clock.Pause, Logger: r.config.Logger, Emit: r.emit,
	}
	return r.openConsole()
}

// Run serves until ctx ends. Then it accepts no more requests, finishes what is under way, and writes the last changes to the audit
// log; messages on the queue wait for the next start.
func (r *Relay) Run(ctx context.Context) error {
	workers, working := errgroup.WithContext(ctx)
	r.door.serve(working, workers, r.connections)
	workers.Go(func() error {
		<-working.Done()
		return r.shutDoor(ctx)
	})
	old := expiry{db: r.db, now: time.Now, logger: r.config.Logger}
	workers.Go(func() error { return old.run(working) })
	workers.Go(func() error { return r.heedCommands(working) })
	workers.Go(func() error { return wordIndexer{r.db, clock.Pause, r.config.Logger}.run(working) })
	workers.Go(func() error { return sweepMedia(working, r.media, r.config.Logger) })
	workers.Go(func() error { return r.findings.quota.run(working) })
	workers.Go(func() error { return r.mending.Run(working) })
	workers.Go(func() error { return r.checkAccount(working) })
	workers.Go(func() error { return r.checkDatabase(working) })
	workers.Go(func() error { return r.watchMoved(working) })
	workers.Go(func() error { return r.backups.run(working) })
	workers.Go(func() error { return r.replica.run(working) })
	workers.Go(func() error { return r.tell(working) })
	workers.Go(func() error { return r.forgetCustomers(working) })
	workers.Go(func() error { return r.catchUp.run(working) })
	workers.Go(func() error { return resting{r.worked.Load, r.giveBack}.run(working) })
	workers.Go(func() error { return keepAuditLog(working, r.auditLog, r.config.auditRetention(), r.config.Logger) })
	workers.Go(func() error {
		// The audit continues until the senders are done, so that it has everything they wrote.
		auditing, stopAuditing := context.WithCancel(context.WithoutCancel(ctx))
		defer stopAuditing()
		auditor := errgroup.Group{}
		auditor.Go(func() error { return r.stream.Run(auditing) })
		senders := errgroup.Group{}
		r.catchUp.hold(working)
		senders.Go(func() error { return r.queue.Run(working) })
		senders.Go(func() error { return r.timers.Run(working) })
		err := senders.Wait()
		stopAuditing()
		return errors.Join(err, auditor.Wait())
	})
	return workers.Wait()
}

// heedCommands notices what operators' commands write, until ctx ends.
func (r *Relay) heedCommands(ctx context.Context) error {
	r.db.Heed(ctx, func(err error) {
		r.config.Logger.LogAttrs(ctx, slog.LevelWarn, "commands' writes are looked for four times a second, because they cannot be watched",
			slog.String("error", err.Error()))
	})
	return nil
}

// Close closes everything. It may be called on a relay that opened only in part.
func (r *Relay) Close() error {
	var problems []error
	problems = append(problems, r.door.close(), r.replica.close(context.Background()))
	if r.auditLog != nil {
		problems = append(problems, r.auditLog.Close())
	}
	if r.db != nil {
		problems = append(problems, r.db.Close())
	}
	return errors.Join(problems...)
}

// QueueDepth returns how many messages wait on the queue, and how many are in flight.
func (r *Relay) QueueDepth(ctx context.Context) (waiting, inFlight int, err error) {
	waiting, inFlight, _, err = r.db.Queue(datafolder.QueueName, datafolder.InboxConfig()).Depth(ctx)
	return waiting, inFlight, err
}
