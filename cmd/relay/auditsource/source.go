// Package auditsource reads the audit log for operators, from the folder of relay serve, from CloudWatch Logs, or from a file that is a
// copy of either. It neither checks nor shows anything; relay audit does.
package auditsource

import (
	"cmp"
	"context"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Query chooses lines. A source may return others, too: in a file, leaving them out is no less work.
type Query struct {
	// From and Until limit the lines' times; Chain names one text or conversation, see [auditlog.Entry.Chain]. Zero fields do not
	// restrict.
	From, Until time.Time
	Chain       string
	// Containing is a word that the lines must contain, if no chain is named.
	Containing string
	// Segment, if not nil, is called for each segment of a log in a folder, with its number, and the hash of its file if it is closed.
	Segment func(number int64, sum string)
}

// Heads is what verify needs of the ledger and of the conversations' table. A text or a conversation has the name of its chain, see
// [auditlog.ChainOf].
type Heads interface {
	// Each calls visit for every text and every conversation, as it is about now.
	Each(ctx context.Context, visit func(chain string, head auditlog.Head)) error
	// Head returns one of them, of version 0 if it is not stored.
	Head(ctx context.Context, chain string) (auditlog.Head, error)
	// Unaudited calls visit for those of the earlier calls whose latest change may not be in the log yet. On AWS, the heads say so
	// themselves.
	Unaudited(ctx context.Context, visit func(chain string)) error
	// Conversation returns the ID of a customer's conversation with a Twilio number, empty if it has none.
	Conversation(ctx context.Context, number, customer sms.PhoneNumber) (id string, err error)
}

// Source is one audit log.
type Source struct {
	// Where names the log for people.
	Where string
	// Ordered and Numbered logs are files: the entries of a text are in the order in which they were written, and the number of a line
	// helps to find it.
	Ordered, Numbered bool
	// Segmented means that the log is several files; Where is the newest.
	Segmented bool
	// PlaceOf names a line by its number; nil if lines have no numbers.
	PlaceOf func(number int) string
	// Begins is how far back to read the log; zero means to its beginning.
	Begins time.Time
	// Lag is how long a change may take to reach the log, zero if Unaudited says it exactly.
	Lag time.Duration
	// Read calls visit for each line; it returns what is not a line of the log unchanged. Its errors are visit's and the log's.
	Read func(ctx context.Context, q Query, visit func(auditlog.Line) error) error
	// Heads are the tables of the same relay; nil if they should not be read.
	Heads Heads

	close func() error
}

// Close closes what the source has open.
func (s *Source) Close() error {
	if s.close == nil {
		return nil
	}
	return s.close()
}

// word is what the lines contain that the query wants.
func (q Query) word() string {
	if id, ok := auditlog.ConversationOf(q.Chain); ok {
		return id
	}
	return cmp.Or(q.Chain, q.Containing)
}

func headOf(r ledger.Record) auditlog.Head {
	return auditlog.Head{Version: r.Version, Seal: r.Seal, ReceivedAt: r.ReceivedAt, UpdatedAt: r.UpdatedAt}
}

// visitConversation passes on the head of a conversation. One without an ID is in no chain: an older version of the relay wrote it.
func visitConversation(c conversation.Conversation, visit func(chain string, head auditlog.Head)) {
	if c.ID != "" {
		visit(auditlog.ChainOf(c.ID), headOfConversation(c))
	}
}

func headOfConversation(c conversation.Conversation) auditlog.Head {
	return auditlog.Head{Version: c.Version, Seal: c.Seal, UpdatedAt: c.UpdatedAt}
}
