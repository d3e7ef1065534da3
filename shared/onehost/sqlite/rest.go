package sqlite

import (
	"context"

	"quickdumpnow.com/smsrelay/shared/fault"
)

// Rest gives back the memory that holds pages of the file, for a relay that has nothing to do. It writes nothing. What is read next is
// read from the system's cache of the file.
func (db *DB) Rest(ctx context.Context) error {
	answer := make(chan error, 1)
	select {
	case db.writer.rests <- answer:
		if err := <-answer; err != nil {
			return err
		}
	case <-ctx.Done():
		return &fault.Error{Kind: fault.Transient, Err: ctx.Err()}
	case <-db.closing:
		return &fault.Error{Kind: fault.Transient, Err: errClosed}
	}
	// One connection stays: the next reads are few.
	db.reader.pool.SetMaxIdleConns(1)
	db.reader.pool.SetMaxIdleConns(readers)
	return db.reader.shrink(ctx)
}

// shrink gives back what the connection, or one of the pool, keeps of the file.
func (s *statements) shrink(ctx context.Context) error { return s.run(ctx, "PRAGMA shrink_memory") }
