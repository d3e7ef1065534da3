package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
)

const (
	// maxBatch bounds how many writes share a transaction, and so how long the first of them waits.
	maxBatch = 256
	// crowd is how many requests have to wait at once for the writer to let other goroutines run first: some of them bring more. With fewer,
	// the writer would wait longer for what a sender does than a fuller transaction saves.
	crowd = 12
	// answerPatience is how long a caller whose context has ended still waits for a write that is under way. A
	// commit takes milliseconds: only a disk that hangs takes longer.
	answerPatience = 5 * time.Second
)

// connection is the one connection that writes.
type connection struct {
	*statements
	pool *sql.DB
	conn *sql.Conn
}

// openWriter opens it, in WAL mode.
func (db *DB) openWriter(ctx context.Context, path string) (*connection, error) {
	// A log that a long read kept from being used again is cut back to 64 MiB afterwards; 16 MiB of cache hold the
	// indexes of a deep queue.
	// What is erased is overwritten with zeros, so that nobody finds a customer's words in a page that is free. It costs a sender a tenth more
	// for each record, and what takes texts nothing. A new file gives its free pages back, see GiveBack; that is said before the first table,
	// and only then: it is a write each time, for which a command would wait beside a busy relay. What a savepoint would bring back is kept in
	// memory, not in a temporary file.
	pragmas := []string{"secure_delete(1)", "cache_size(-16384)", "temp_store(MEMORY)"}
	if info, err := os.Stat(path); err != nil || info.Size() == 0 { //nolint:gosec // the path is the operator's own setting.
		pragmas = append([]string{fmt.Sprintf("auto_vacuum(%d)", incremental)}, pragmas...)
	}
	if db.replicated {
		pragmas = append(pragmas, replicatedPragmas()...)
	} else {
		pragmas = append(pragmas, "journal_size_limit(67108864)")
	}
	pool, err := openPool(path, 1, pragmas...)
	if err != nil {
		return nil, err
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	c := &connection{statements: newStatements(conn), pool: pool, conn: conn}
	if err = c.useWAL(ctx); err == nil && db.replicated {
		err = c.keepLog()
	}
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// useWAL switches the file to WAL mode; if the file system cannot do that, SQLite stays in another mode without an error.
func (c *connection) useWAL(ctx context.Context) error {
	var mode string
	if _, err := c.get(ctx, []any{&mode}, "PRAGMA journal_mode = WAL"); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("journal mode is %q: this file system cannot hold a database in WAL mode", mode)
	}
	return nil
}

func (c *connection) close() error {
	return errors.Join(c.statements.close(), c.conn.Close(), c.pool.Close())
}

// writer runs writes one after the other, those that wait at the same time in one transaction (group commit).
type writer struct {
	db *DB
	*connection
	// requests has no buffer: a request that was received from it is carried out; one that was not has not begun.
	requests chan *request
	// rests has those who want the connection's unused memory given back, between two transactions.
	rests   chan chan<- error
	stopped chan struct{}
}

// request is one write.
type request struct {
	run func(ctx context.Context, t *tx) error
	// err is what run returned.
	err error
	// answer gets the one answer, after the commit.
	answer chan error
}

func startWriter(ctx context.Context, db *DB, conn *connection) *writer {
	w := &writer{db: db, connection: conn, requests: make(chan *request), rests: make(chan chan<- error), stopped: make(chan struct{})}
	// No caller's context may break off a transaction that others share.
	go w.loop(context.WithoutCancel(ctx))
	return w
}

// close waits for the transaction under way and closes the connection.
func (w *writer) close() error {
	<-w.stopped
	if w.db.lock == nil {
		// The log is the relay's to fold.
		return w.connection.close()
	}
	return errors.Join(w.fold(), w.connection.close())
}

// fold brings what the write-ahead log holds into the file itself, so that after a clean stop the file is all there is:
// someone may copy just that.
func (w *writer) fold() error {
	mode := "TRUNCATE"
	if w.db.replicated {
		mode = "PASSIVE"
	}
	var busy, frames, folded int
	_, err := w.get(context.Background(), []any{&busy, &frames, &folded}, "PRAGMA wal_checkpoint("+mode+")")
	if err == nil && (busy != 0 || folded < frames) {
		err = errors.New("write-ahead log is still in use")
	}
	return err
}

func (w *writer) loop(ctx context.Context) {
	defer close(w.stopped)
	for {
		select {
		case first := <-w.requests:
			w.carryOut(ctx, w.gather(first))
		case answer := <-w.rests:
			answer <- w.shrink(ctx)
		case <-w.db.closing:
			return
		}
	}
}

// gather returns first and the requests that wait by now. It does not wait for more: while one transaction is synced, the next
// requests collect anyway. Where many collect, others are about to come, whose goroutines only have to be run.
func (w *writer) gather(first *request) []*request {
	batch := []*request{first}
	for mayYield := true; len(batch) < maxBatch; {
		select {
		case next := <-w.requests:
			batch = append(batch, next)
			mayYield = true
		default:
			if !mayYield || len(batch) < crowd {
				return batch
			}
			mayYield = false
			runtime.Gosched()
		}
	}
	return batch
}

// carryOut runs the batch and answers everyone in it, but no one before the commit: even a refusal may rest on what
// another write of the batch has just written.
func (w *writer) carryOut(ctx context.Context, batch []*request) {
	t := &tx{statements: w.statements, db: w.db}
	err := w.transact(ctx, t, batch)
	if err == nil {
		t.ringAll()
		w.db.written.ring()
		if w.db.lock == nil {
			w.db.ringRelay()
		}
	}
	for _, r := range batch {
		if r.err == nil {
			r.err = err
		}
		r.answer <- r.err
	}
}

// transact runs the batch in one transaction. The error is that of the transaction as a whole; it is a *fault.Error.
// Hardly any write fails, and a savepoint keeps aside each page that is written in it. So there is none at first. If a write fails, all of
// them are run again, each in a savepoint of its own, so that one that fails leaves the others whole.
func (w *writer) transact(ctx context.Context, t *tx, batch []*request) error {
	hasFailed := false
	err := w.attempt(ctx, t, func() error {
		for _, r := range batch {
			if err := t.run(ctx, r); err != nil {
				hasFailed = true
				return err
			}
		}
		return nil
	})
	if !hasFailed || len(batch) == 1 {
		return err
	}
	return w.attempt(ctx, t, func() error { return w.runEach(ctx, t, batch) })
}

// attempt makes one transaction of what run does, or nothing.
func (w *writer) attempt(ctx context.Context, t *tx, run func() error) error {
	wrote := w.db.wrote
	t.rings = nil
	_, err := w.exec(ctx, "BEGIN IMMEDIATE")
	if err == nil {
		err = t.follow(ctx, w.db.now().UTC().Round(0))
	}
	if err == nil {
		err = run()
	}
	if err == nil {
		if _, err = w.exec(ctx, "COMMIT"); err != nil {
			err = classifyCommit(fault.Of(err).Err)
		}
	}
	if err != nil {
		// SQLite may have rolled it back already.
		_, _ = w.exec(ctx, "ROLLBACK")
		w.db.wrote = wrote
	}
	return err
}

// runEach runs each write in a savepoint of its own. The error is the transaction's.
func (w *writer) runEach(ctx context.Context, t *tx, batch []*request) error {
	for _, r := range batch {
		if err := w.inSavepoint(ctx, func() error {
			r.err = t.run(ctx, r)
			return r.err
		}); err != nil {
			return err
		}
	}
	return nil
}

// inSavepoint takes back what run wrote if it fails. The error is the transaction's, not run's.
func (w *writer) inSavepoint(ctx context.Context, run func() error) error {
	if _, err := w.exec(ctx, "SAVEPOINT one"); err != nil {
		return err
	}
	if failed := run(); failed != nil {
		if _, err := w.exec(ctx, "ROLLBACK TO one"); err != nil {
			// SQLite gave up the whole transaction, as it may when the disk fails. The others may try again.
			return &fault.Error{Kind: fault.Transient, Err: fmt.Errorf("transaction was given up: %w", failed)}
		}
	}
	_, err := w.exec(ctx, "RELEASE one")
	return err
}

// write hands run to the writer and waits for the commit. run sees what earlier writes did; it runs on another goroutine, with a context of
// its own. It may be rolled back after it has returned, and may be called again after that: what it sets, it sets each time. The errors
// are run's own, and *fault.Error. After an error, what run sets is not to be read: it may still be at work.
func (db *DB) write(ctx context.Context, run func(ctx context.Context, t *tx) error) error {
	r := &request{run: run, answer: make(chan error, 1)}
	if err := db.hand(ctx, r); err != nil {
		return err
	}
	return r.wait(ctx)
}

// hand gives the request to the writer. If it returns an error, nothing was begun.
func (db *DB) hand(ctx context.Context, r *request) error {
	if err := ctx.Err(); err != nil {
		return &fault.Error{Kind: fault.Transient, Err: err}
	}
	select {
	case db.writer.requests <- r:
		return nil
	case <-ctx.Done():
		return &fault.Error{Kind: fault.Transient, Err: ctx.Err()}
	case <-db.closing:
		return &fault.Error{Kind: fault.Transient, Err: errClosed}
	}
}

// wait returns the answer. It outlasts the context by answerPatience: an answer that is a moment away is worth more
// than Unknown.
func (r *request) wait(ctx context.Context) error {
	select {
	case err := <-r.answer:
		return err
	case <-ctx.Done():
	}
	patience := time.NewTimer(answerPatience)
	defer patience.Stop()
	select {
	case err := <-r.answer:
		return err
	case <-patience.C:
		return &fault.Error{Kind: fault.Unknown, Err: ctx.Err()}
	}
}
