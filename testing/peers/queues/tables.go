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

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"maragu.dev/goqite"

	"quickdumpnow.com/smsrelay/testing/accepts"
)

// openDB opens a database as the documentation of both says, with a flush at each commit.
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

func openBare(ctx context.Context, folder string) (*store, error) {
	s, err := accepts.OpenBare(ctx, filepath.Join(folder, "texts.db"))
	if err != nil {
		return nil, err
	}
	return &store{func(string) http.Handler { return s }, s.Count, s.Close}, nil
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
	return accepts.Answering(func(ctx context.Context, body []byte) error { return s.queue.Send(ctx, goqite.Message{Body: body}) })
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
	return accepts.Answering(func(ctx context.Context, body []byte) error {
		_, err := s.client.Insert(ctx, textArgs{string(body)}, nil)
		return err
	})
}

func (s riverStore) count(ctx context.Context) (int, error) {
	return countRows(ctx, s.db, "SELECT count(*) FROM river_job")
}
