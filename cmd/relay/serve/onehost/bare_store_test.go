package onehost

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// bareStore keeps bodies in a table, those that come at the same time in one transaction.
type bareStore struct {
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

// bareLoop is the least that takes texts and keeps them.
func bareLoop(b *testing.B) loop {
	b.Helper()
	s, err := openBare(b.Context(), filepath.Join(b.TempDir(), "bare.db"))
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(s)
	return loop{name: "bare", address: server.Listener.Addr().String(), stop: func() {
		server.Close()
		close(s.closing)
		s.writing.Wait()
		if err := errors.Join(s.insert.Close(), s.db.Close()); err != nil {
			b.Error(err)
		}
	}}
}

func openBare(ctx context.Context, path string) (s *bareStore, err error) {
	s = &bareStore{requests: make(chan bareRequest), closing: make(chan struct{})}
	if s.db, err = sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"); err != nil {
		return nil, err
	}
	s.db.SetMaxOpenConns(1)
	if _, err = s.db.ExecContext(ctx, "CREATE TABLE texts (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT"); err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	if s.insert, err = s.db.PrepareContext(ctx, "INSERT INTO texts (body) VALUES (?)"); err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	s.writing.Go(func() { s.write(context.WithoutCancel(ctx)) })
	return s, nil
}

// ServeHTTP answers once the body is on the disk.
func (s *bareStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		one := bareRequest{string(body), make(chan error, 1)}
		s.requests <- one
		err = <-one.done
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	_, _ = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?><Response></Response>`)
}

func (s *bareStore) write(ctx context.Context) {
	for {
		select {
		case first := <-s.requests:
			batch := s.gather(first)
			err := s.commit(ctx, batch)
			for _, r := range batch {
				r.done <- err
			}
		case <-s.closing:
			return
		}
	}
}

func (s *bareStore) gather(first bareRequest) []bareRequest {
	batch := []bareRequest{first}
	for {
		select {
		case r := <-s.requests:
			batch = append(batch, r)
		default:
			return batch
		}
	}
}

func (s *bareStore) commit(ctx context.Context, batch []bareRequest) error {
	if _, err := s.db.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for _, r := range batch {
		if _, err := s.insert.ExecContext(ctx, r.body); err != nil {
			return err
		}
	}
	_, err := s.db.ExecContext(ctx, "COMMIT")
	return err
}

// flushes is how long it takes to overwrite a page and have it on the disk.
func flushes(b *testing.B) (times []time.Duration) {
	b.Helper()
	file, err := os.Create(filepath.Join(b.TempDir(), "page"))
	if err != nil {
		b.Fatal(err)
	}
	page := make([]byte, 4096)
	for n := range 200 {
		began := time.Now()
		if _, err := file.WriteAt(page, 0); err != nil {
			b.Fatal(err)
		}
		if err := file.Sync(); err != nil {
			b.Fatal(err)
		}
		if n > 0 {
			times = append(times, time.Since(began))
		}
	}
	if err := file.Close(); err != nil {
		b.Fatal(err)
	}
	return times
}
