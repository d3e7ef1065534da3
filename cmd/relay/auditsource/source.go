// Package auditsource reads the audit log back for operators, wherever it is kept: in the folder of a relay serve, in CloudWatch Logs,
// or in a file of lines that someone took from either. It neither checks nor shows anything; relay audit does.
package auditsource

import (
	"context"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// Query says which lines are of use. A source may hand over others, too: in a file it is no less work to leave them out.
type Query struct {
	// From and Until bound the lines' times, MessageSid names the one text; zero fields do not restrict.
	From, Until time.Time
	MessageSid  string
	// Containing, where no text is named, is a word that the lines of use have.
	Containing string
	// Segment, if not nil, is told of each segment of a log in a folder: its number, and the hash of its file if it is closed.
	Segment func(number int64, sum string)
}

// Ledger is what is asked of the ledger.
type Ledger interface {
	// Each calls visit for every text, as it stands about now.
	Each(ctx context.Context, visit func(messageSid string, head auditlog.Head)) error
	// Head returns one text, of version 0 if there is no record of it.
	Head(ctx context.Context, messageSid string) (auditlog.Head, error)
	// Unaudited calls visit for the texts, asked for before, whose latest change the log need not have yet. It is for sets that
	// know; the heads of others say so themselves.
	Unaudited(ctx context.Context, visit func(messageSid string)) error
}

// Source is one audit log.
type Source struct {
	// Where names the log for people.
	Where string
	// Ordered and Numbered logs are files: the entries of a text stand in the order in which they were written, and the place of a
	// line is worth telling.
	Ordered, Numbered bool
	// Segmented means that the log is a row of files, of which Where is the one that is written to.
	Segmented bool
	// PlaceOf names a line by its number; nil where lines have none.
	PlaceOf func(number int) string
	// Begins is how far back the log goes; zero is to its beginning.
	Begins time.Time
	// Lag is how long a change may take into the log, zero where Ledger's Unaudited says it exactly.
	Lag time.Duration
	// Read calls visit for each line; what is no line of the log comes as it is. Its errors are visit's own and the log's.
	Read func(ctx context.Context, q Query, visit func(auditlog.Line) error) error
	// Ledger is what the log tells of; nil if it is not to be asked.
	Ledger Ledger

	close func() error
}

// Close gives back what the source has open.
func (s *Source) Close() error {
	if s.close == nil {
		return nil
	}
	return s.close()
}

func headOf(r ledger.Record) auditlog.Head {
	return auditlog.Head{Version: r.Version, Seal: r.Seal, ReceivedAt: r.ReceivedAt, UpdatedAt: r.UpdatedAt}
}
