package auditsource

import (
	"context"
	"errors"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/awsprofile"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/aws/cloudwatch"
	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// AWSConfig names a relay's log and tables on AWS.
type AWSConfig struct {
	Profile awsprofile.Config
	// LogGroup is the log, LedgerTable the ledger, ConversationsTable the conversations' table.
	LogGroup, LedgerTable, ConversationsTable string
	// LogOnly means that the tables are not read.
	LogOnly bool
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
			return reader.Read(ctx, cloudwatch.Query{From: q.From, Until: q.Until, Containing: q.word()}, visit)
		},
	}
	if retention > 0 {
		s.Begins = c.Now().Add(-retention)
	}
	if !c.LogOnly {
		s.Heads = &tableHeads{
			ledger:        dynamo.NewLedger(cfg, dynamo.LedgerConfig{Table: c.LedgerTable, Now: c.Now}),
			conversations: dynamo.NewConversations(cfg, c.ConversationsTable),
			now:           c.Now, lag: c.Lag,
		}
	}
	return s, nil
}

// tableHeads are the tables in DynamoDB.
type tableHeads struct {
	ledger        *dynamo.Ledger
	conversations *dynamo.Conversations
	now           func() time.Time
	lag           time.Duration
	// scanned are the conversations by the names of their chains, when Head was first asked for one: their table has no index by ID.
	scanned map[string]auditlog.Head
}

// Each scans the tables.
func (h *tableHeads) Each(ctx context.Context, visit func(chain string, head auditlog.Head)) error {
	if err := h.ledger.EachHead(ctx, func(r ledger.Record) { visit(r.MessageSid, h.aged(headOf(r))) }); err != nil {
		return err
	}
	return h.eachConversation(ctx, visit)
}

func (h *tableHeads) eachConversation(ctx context.Context, visit func(chain string, head auditlog.Head)) error {
	return h.conversations.EachHead(ctx, func(c conversation.Conversation) {
		visitConversation(c, func(chain string, head auditlog.Head) { visit(chain, h.aged(head)) })
	})
}

// Head gets one record. For the first conversation it scans their table.
func (h *tableHeads) Head(ctx context.Context, chain string) (auditlog.Head, error) {
	if _, ok := auditlog.ConversationOf(chain); !ok {
		r, err := h.ledger.Get(ctx, chain)
		if errors.Is(err, ledger.ErrNotFound) {
			return auditlog.Head{}, nil
		}
		return h.aged(headOf(r)), err
	}
	if h.scanned == nil {
		scanned := map[string]auditlog.Head{}
		err := h.eachConversation(ctx, func(chain string, head auditlog.Head) { scanned[chain] = head })
		if err != nil {
			return auditlog.Head{}, err
		}
		h.scanned = scanned
	}
	return h.scanned[chain], nil
}

// aged marks an item that was changed just now: the stream may not have brought the change into the log yet.
func (h *tableHeads) aged(head auditlog.Head) auditlog.Head {
	head.Pending = head.UpdatedAt.After(h.now().Add(-h.lag))
	return head
}

// Unaudited has nothing to add: the heads say it.
func (*tableHeads) Unaudited(context.Context, func(chain string)) error { return nil }

// Conversation gets one conversation.
func (h *tableHeads) Conversation(ctx context.Context, number, customer sms.PhoneNumber) (string, error) {
	c, err := h.conversations.Get(ctx, number, customer)
	return c.ID, err
}
