// Package target opens the relay that operators work on, on one host and on AWS in the same way: the routes, the ledger, the queue and
// its dead letters. It decides nothing; the commands above it do.
package target

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"quickdumpnow.com/smsrelay/cmd/relay/awsprofile"
	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/functions/operator/conversations"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/aws/cloudwatch"
	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/aws/sqs"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/jsonlines"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
)

// Config names the relay to work on.
type Config struct {
	// AWS chooses the relay on AWS, reached with the operator's own profile, instead of the one of `relay serve`.
	AWS     bool
	Profile awsprofile.Config
	// Data is the folder of a relay on one host.
	Data string
	// The names on AWS, as the template's parameters of these names. Queue is without ".fifo".
	RoutingTable, LedgerTable, ConversationsTable, Queue, AuditLogGroup string
	// Retention is how long the ledger on AWS keeps a text: a list without a number goes back no further.
	Retention time.Duration
}

// Ledger is a ledger with its lists.
type Ledger interface {
	ledger.Store
	ledger.Lister
}

// Conversations is a conversations' table with its lists.
type Conversations interface {
	conversation.Store
	conversation.Lister
	conversation.Actions
}

// Queue is a queue with both ends.
type Queue interface {
	queue.Sender
	queue.Receiver
	// Depth counts the messages waiting and in flight, on AWS approximately.
	Depth(ctx context.Context) (visible, inFlight int, err error)
}

// Target is one open relay. The commands may be used while the relay runs.
type Target struct {
	Routes route.Table
	Ledger Ledger
	// Conversations say who has opted out, and keep customers' names.
	Conversations Conversations
	Queue         Queue
	DeadLetters   Queue
	// AWSConfig reaches AWS; it is the zero value on one host.
	AWSConfig aws.Config
	// AuditFile is the audit log's file on one host, AuditLogGroup its log group on AWS; the other is empty.
	AuditFile, AuditLogGroup string
	// Where names the relay for people: the folder, or the region.
	Where string

	db *sqlite.DB
}

// Open opens the relay. Nothing is made: the error is fs.ErrNotExist if `relay serve` never ran on the folder,
// [awsprofile.ErrNoRegion] if there is no region, and *fault.Error if AWS refuses or has no such queue.
func Open(ctx context.Context, c Config) (*Target, error) {
	if c.AWS {
		return openAWS(ctx, c)
	}
	return openOneHost(ctx, c.Data)
}

func openOneHost(ctx context.Context, data string) (*Target, error) {
	db, err := sqlite.Attach(ctx, filepath.Join(data, datafolder.DatabaseFile), time.Now)
	if err != nil {
		return nil, err
	}
	return Of(db, data), nil
}

// Of returns the relay on one host whose database is open already, in the folder data.
func Of(db *sqlite.DB, data string) *Target {
	return &Target{
		Routes: db.Routes(), Ledger: db.Ledger(), Conversations: db.Conversations(), Where: data,
		Queue:       stored{db.Queue(datafolder.QueueName, datafolder.InboxConfig())},
		DeadLetters: stored{db.Queue(datafolder.DeadLettersName, sqlite.QueueConfig{})},
		AuditFile:   filepath.Join(data, datafolder.AuditFile), db: db,
	}
}

func openAWS(ctx context.Context, c Config) (*Target, error) {
	cfg, err := awsprofile.Load(ctx, c.Profile)
	if err != nil {
		return nil, err
	}
	inbox, err := sqs.Find(ctx, cfg, c.Queue+".fifo")
	if err != nil {
		return nil, err
	}
	dead, err := sqs.Find(ctx, cfg, c.Queue+"-dead.fifo")
	if err != nil {
		return nil, err
	}
	return &Target{
		Routes:        dynamo.NewRoutes(cfg, c.RoutingTable),
		Ledger:        dynamo.NewLedger(cfg, dynamo.LedgerConfig{Table: c.LedgerTable, Retention: c.Retention, Now: time.Now}),
		Conversations: dynamo.NewConversations(cfg, c.ConversationsTable),
		Queue:         inbox, DeadLetters: dead, AWSConfig: cfg, AuditLogGroup: c.AuditLogGroup,
		Where: fmt.Sprintf("AWS, %s", cfg.Region),
	}, nil
}

// Customers is what is kept of customers, as people are shown it. now is the clock.
func (t *Target) Customers(now func() time.Time) conversations.Relay {
	return conversations.Relay{Routes: t.Routes, Ledger: t.Ledger, Conversations: t.Conversations, Now: now}
}

// Trail finds entries in the relay's audit log.
func (t *Target) Trail() auditlog.Trail { //nolint:ireturn // each set has its own.
	if t.AuditLogGroup != "" {
		return cloudwatch.NewTrail(t.AWSConfig, t.AuditLogGroup)
	}
	return jsonlines.NewTrail(t.AuditFile)
}

// OldestChange returns, on one host, the time of the oldest change that is not in the audit log yet; found is false if all are in it.
func (t *Target) OldestChange(ctx context.Context) (at time.Time, found bool, err error) {
	if t.db == nil {
		return time.Time{}, false, nil
	}
	changes, err := t.db.Changes().Read(ctx, 1, 0)
	if err != nil || len(changes) == 0 {
		return time.Time{}, false, err
	}
	return changes[0].At, true, nil
}

// QuickCheck reads the whole database of a relay on one host and returns what is damaged.
func (t *Target) QuickCheck(ctx context.Context) (findings []string, err error) {
	if t.db == nil {
		return nil, nil
	}
	return t.db.QuickCheck(ctx)
}

// Moved returns when relay serve noticed that its folder on one host was copied or restored. unopened means that it was, and that
// relay serve has not started on it since.
func (t *Target) Moved(ctx context.Context) (at time.Time, unopened bool, err error) {
	if t.db == nil {
		return time.Time{}, false, nil
	}
	moved, err := t.db.Moved(ctx)
	return moved.At, moved.Unopened, err
}

// Close closes everything.
func (t *Target) Close() error {
	if t.db == nil {
		return nil
	}
	return t.db.Close()
}

// Counted returns a queue of a relay on one host as a [Queue].
func Counted(q *sqlite.Queue) Queue { return stored{q} } //nolint:ireturn // so it is kept.

// stored is a queue in the database, with the Depth that Queue needs.
type stored struct{ *sqlite.Queue }

// Depth counts the messages waiting and in flight.
func (s stored) Depth(ctx context.Context) (visible, inFlight int, err error) {
	visible, inFlight, _, err = s.Queue.Depth(ctx)
	return visible, inFlight, err
}
