// Package auditsource reads the audit log for operators, from the folder of relay serve, from CloudWatch Logs, or from a file that is a
// copy of either. It neither checks nor shows anything; relay audit does.
package auditsource

import (
	"context"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// Query chooses lines. A source may return others, too: in a file, leaving them out is no less work.
type Query struct {
	// From and Until limit the lines' times, MessageSid names one text; zero fields do not restrict.
	From, Until time.Time
	MessageSid  string
	// Containing is a word that the lines must contain, if no text is named.
	Containing string
	// Segment, if not nil, is called for each segment of a log in a folder, with its number, and the hash of its file if it is closed.
	Segment func(number int64, sum string)
}

// Ledger is what verify needs of the ledger.
type Ledger interface {
	// Each calls visit for every text, as it is about now.
	Each(ctx context.Context, visit func(messageSid string, head auditlog.Head)) error
	// Head returns one text, of version 0 if there is no record of it.
	Head(ctx context.Context, messageSid string) (auditlog.Head, error)
	// Unaudited calls visit for those texts of the earlier calls whose latest change may not be in the log yet. On AWS, the heads say
	// so themselves.
	Unaudited(ctx context.Context, visit func(messageSid string)) error
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
	// Lag is how long a change may take to reach the log, zero if Ledger's Unaudited says it exactly.
	Lag time.Duration
	// Read calls visit for each line; it returns what is not a line of the log unchanged. Its errors are visit's and the log's.
	Read func(ctx context.Context, q Query, visit func(auditlog.Line) error) error
	// Ledger is the ledger of the same relay; nil if it should not be read.
	Ledger Ledger

	close func() error
}

// Close closes what the source has open.
func (s *Source) Close() error {
	if s.close == nil {
		return nil
	}
	return s.close()
}

func headOf(r ledger.Record) auditlog.Head {
	return auditlog.Head{Version: r.Version, Seal: r.Seal, ReceivedAt: r.ReceivedAt, UpdatedAt: r.UpdatedAt}
}
