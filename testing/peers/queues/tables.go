//go:build linux

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"maragu.dev/goqite"
)

// openDB opens a database as the documentation of all three says, with a flush at each commit.
func openDB(folder string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(folder, "texts.db")+
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)&_txlock=immediate")
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return db, err
}

func countRows(ctx context.Context, db *sql.DB, query string) (n int, err error) {
	err = db.QueryRowContext(ctx, query).Scan(&n)
	return n, err
}

// bare keeps bodies in a table, those that come at the same time in one transaction.
type bare struct {
	db       *sql.DB
	requests chan bareRequest
	writing  sync.WaitGroup
}

type bareRequest struct {
	body string
	done chan error
}

func openBare(ctx context.Context, folder string) (*store, error) {
	db, err := openDB(folder)
	if err != nil {
		return nil, err
	}
	if _, err := db.ExecContext(ctx, "CREATE TABLE texts (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT"); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	insert, err := db.PrepareContext(ctx, "INSERT INTO texts (body) VALUES (?)")
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s := &bare{db: db, requests: make(chan bareRequest)}
	s.writing.Go(func() { s.write(context.WithoutCancel(ctx), insert) })
	return &store{s.handler, s.count, s.close}, nil
}

// write writes what comes until there is no more.
func (s *bare) write(ctx context.Context, insert *sql.Stmt) {
	defer insert.Close() //nolint:errcheck // the database is closed next.
	for first := range s.requests {
		batch := []bareRequest{first}
		for waits := true; waits; {
			select {
			case next, ok := <-s.requests:
				if waits = ok; ok {
					batch = append(batch, next)
				}
			default:
				waits = false
			}
		}
		err := s.commit(ctx, insert, batch)
		for _, r := range batch {
			r.done <- err
		}
	}
}

func (s *bare) commit(ctx context.Context, insert *sql.Stmt, batch []bareRequest) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	for _, r := range batch {
		if _, err := tx.StmtContext(ctx, insert).ExecContext(ctx, r.body); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return tx.Commit()
}

func (s *bare) handler(string) http.Handler {
	return answering(func(_ context.Context, body []byte) error {
		one := bareRequest{string(body), make(chan error, 1)}
		s.requests <- one
		return <-one.done
	})
}

func (s *bare) count(ctx context.Context) (int, error) {
	return countRows(ctx, s.db, "SELECT count(*) FROM texts")
}

func (s *bare) close() error {
	close(s.requests)
	s.writing.Wait()
	return s.db.Close()
}

// goqiteStore sends each text as goqite's users do.
type goqiteStore struct {
	db    *sql.DB
	queue *goqite.Queue
}

func openGoqite(ctx context.Context, folder string) (*store, error) {
	db, err := openDB(folder)
	if err != nil {
		return nil, err
	}
	if err := makeGoqite(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s := goqiteStore{db, goqite.New(goqite.NewOpts{DB: db, Name: "texts"})}
	return &store{s.handler, s.count, db.Close}, nil
}

// makeGoqite makes its table, of which the module has the SQL in a file.
func makeGoqite(ctx context.Context, db *sql.DB) error {
	folder, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "maragu.dev/goqite").Output()
	if err != nil {
		return fmt.Errorf("where goqite is: %w", err)
	}
	schema, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(folder)), "schema_sqlite.sql"))
	if err == nil {
		_, err = db.ExecContext(ctx, string(schema))
	}
	return err
}

func (s goqiteStore) handler(string) http.Handler {
	return answering(func(ctx context.Context, body []byte) error { return s.queue.Send(ctx, goqite.Message{Body: body}) })
}

func (s goqiteStore) count(ctx context.Context) (int, error) {
	return countRows(ctx, s.db, "SELECT count(*) FROM goqite")
}

// riverStore inserts a job for each text.
type riverStore struct {
	db     *sql.DB
	client *river.Client[*sql.Tx]
}

// textArgs are a job's arguments.
type textArgs struct {
	Form string `json:"form"`
}

// Kind is the name of the job.
func (textArgs) Kind() string { return "text" }

func openRiver(ctx context.Context, folder string) (*store, error) {
	db, err := openDB(folder)
	if err != nil {
		return nil, err
	}
	driver, quiet := riversqlite.New(db), slog.New(slog.DiscardHandler)
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: quiet})
	if err == nil {
		_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	client, err := river.NewClient(driver, &river.Config{Logger: quiet})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s := riverStore{db, client}
	return &store{s.handler, s.count, db.Close}, nil
}

func (s riverStore) handler(string) http.Handler {
	return answering(func(ctx context.Context, body []byte) error {
		_, err := s.client.Insert(ctx, textArgs{string(body)}, nil)
		return err
	})
}

func (s riverStore) count(ctx context.Context) (int, error) {
	return countRows(ctx, s.db, "SELECT count(*) FROM river_job")
}
