package accepts

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"net/http"
	"sync"

	_ "quickdumpnow.com/smsrelay/shared/onehost/sqlite" // its driver.
)

// Bare keeps bodies in a table of SQLite, those that come at the same time in one transaction, and answers once they are on the disk.
type Bare struct {
	db       *sql.DB
	insert   *sql.Stmt
	requests chan bareRequest
	closing  chan struct{}
	writing  sync.WaitGroup
}

type bareRequest struct {
	body string
	done chan error
}

// OpenBare makes the file.
func OpenBare(ctx context.Context, path string) (b *Bare, err error) {
	b = &Bare{requests: make(chan bareRequest), closing: make(chan struct{})}
	if b.db, err = sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"); err != nil {
		return nil, err
	}
	b.db.SetMaxOpenConns(1)
	if _, err = b.db.ExecContext(ctx, "CREATE TABLE texts (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT"); err == nil {
		b.insert, err = b.db.PrepareContext(ctx, "INSERT INTO texts (body) VALUES (?)")
	}
	if err != nil {
		return nil, errors.Join(err, b.db.Close())
	}
	b.writing.Go(func() { b.write(context.WithoutCancel(ctx)) })
	return b, nil
}

// ServeHTTP takes a body.
func (b *Bare) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	Answering(func(_ context.Context, body []byte) error {
		one := bareRequest{string(body), make(chan error, 1)}
		b.requests <- one
		return <-one.done
	}).ServeHTTP(w, r)
}

// Count is how many bodies it has.
func (b *Bare) Count(ctx context.Context) (n int, err error) {
	err = b.db.QueryRowContext(ctx, "SELECT count(*) FROM texts").Scan(&n)
	return n, err
}

// Close ends it. Nobody may ask any more.
func (b *Bare) Close() error {
	close(b.closing)
	b.writing.Wait()
	return errors.Join(b.insert.Close(), b.db.Close())
}

func (b *Bare) write(ctx context.Context) {
	for {
		select {
		case first := <-b.requests:
			batch := b.gather(first)
			err := b.commit(ctx, batch)
			for _, r := range batch {
				r.done <- err
			}
		case <-b.closing:
			return
		}
	}
}

func (b *Bare) gather(first bareRequest) []bareRequest {
	batch := []bareRequest{first}
	for {
		select {
		case r := <-b.requests:
			batch = append(batch, r)
		default:
			return batch
		}
	}
}

func (b *Bare) commit(ctx context.Context, batch []bareRequest) error {
	if _, err := b.db.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for _, r := range batch {
		if _, err := b.insert.ExecContext(ctx, r.body); err != nil {
			return err
		}
	}
	_, err := b.db.ExecContext(ctx, "COMMIT")
	return err
}

// Answering answers as the relay does, once put has kept the body.
func Answering(put func(ctx context.Context, body []byte) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = put(r.Context(), body)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/xml")
		_, _ = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?><Response></Response>`)
	})
}
