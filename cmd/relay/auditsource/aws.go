package auditsource

import (
	"cmp"
	"context"
	"errors"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/awsprofile"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/aws/cloudwatch"
	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// AWSConfig names a relay's log and ledger on AWS.
type AWSConfig struct {
	Profile awsprofile.Config
	// LogGroup is the log, LedgerTable the ledger; the ledger is not read if its name is empty.
	LogGroup, LedgerTable string
	// Lag is how long a change may take from the table to the log.
	Lag time.Duration
	Now func() time.Time
}

// AWS returns the log in CloudWatch Logs. The error is [awsprofile.ErrNoRegion] or *fault.Error.
func AWS(ctx context.Context, c AWSConfig) (*Source, error) {
	cfg, err := awsprofile.Load(ctx, c.Profile)
	if err != nil {
		return nil, err
	}
	reader := cloudwatch.NewReader(cfg, c.LogGroup)
	retention, err := reader.Retention(ctx)
	if err != nil {
		return nil, err
	}
	s := &Source{
		Where: c.LogGroup, Lag: c.Lag,
		Read: func(ctx context.Context, q Query, visit func(auditlog.Line) error) error {
			return reader.Read(ctx, cloudwatch.Query{From: q.From, Until: q.Until, Containing: cmp.Or(q.MessageSid, q.Containing)}, visit)
		},
	}
	if retention > 0 {
		s.Begins = c.Now().Add(-retention)
	}
	if c.LedgerTable != "" {
		s.Ledger = tableLedger{dynamo.NewLedger(cfg, dynamo.LedgerConfig{Table: c.LedgerTable, Now: c.Now}), c.Now, c.Lag}
	}
	return s, nil
}

// tableLedger is the ledger in DynamoDB.
type tableLedger struct {
	table *dynamo.Ledger
	now   func() time.Time
	lag   time.Duration
}

// Each scans the table.
func (l tableLedger) Each(ctx context.Context, visit func(messageSid string, head auditlog.Head)) error {
	return l.table.EachHead(ctx, func(r ledger.Record) { visit(r.MessageSid, l.head(r)) })
}

// Head gets one record.
func (l tableLedger) Head(ctx context.Context, messageSid string) (auditlog.Head, error) {
	r, err := l.table.Get(ctx, messageSid)
	if errors.Is(err, ledger.ErrNotFound) {
		return auditlog.Head{}, nil
	}
	return l.head(r), err
}

// head marks a record that was changed just now: the stream may not have brought the change into the log yet.
func (l tableLedger) head(r ledger.Record) auditlog.Head {
	head := headOf(r)
	head.Pending = r.UpdatedAt.After(l.now().Add(-l.lag))
	return head
}

// Unaudited has nothing to add: the heads say it.
func (tableLedger) Unaudited(context.Context, func(messageSid string)) error { return nil }
