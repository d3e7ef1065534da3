package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
)

// statements runs queries on a connection or a pool, each prepared once. Its errors are *fault.Error, as before a
// commit.
type statements struct {
	preparer preparer

	mu       sync.Mutex
	prepared map[string]*sql.Stmt

	// malformed is set once SQLite has found the file to be damaged.
	malformed atomic.Bool
}

// preparer is what *sql.Conn and *sql.DB have in common.
type preparer interface {
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func newStatements(p preparer) *statements {
	return &statements{preparer: p, prepared: map[string]*sql.Stmt{}}
}

func (s *statements) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if statement, ok := s.prepared[query]; ok {
		return statement, nil
	}
	statement, err := s.preparer.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s.prepared[query] = statement
	return statement, nil
}

// close closes them. The file stays open as long as one of them is.
func (s *statements) close() (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for query, statement := range s.prepared {
		err = errors.Join(err, statement.Close())
		delete(s.prepared, query)
	}
	return err
}

// exec runs a query and returns how many rows it changed.
func (s *statements) exec(ctx context.Context, query string, args ...any) (changed int64, err error) {
	statement, err := s.prepare(ctx, query)
	if err != nil {
		return 0, s.classify(err)
	}
	result, err := statement.ExecContext(ctx, args...)
	if err != nil {
		return 0, s.classify(err)
	}
	changed, err = result.RowsAffected()
	return changed, s.classify(err)
}

// get scans the query's first row; found is false if it has none.
func (s *statements) get(ctx context.Context, into []any, query string, args ...any) (found bool, err error) {
	statement, err := s.prepare(ctx, query)
	if err != nil {
		return false, s.classify(err)
	}
	err = statement.QueryRowContext(ctx, args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, s.classify(err)
}

// each calls scan for each row of the query. scan runs no other query of these statements.
func (s *statements) each(ctx context.Context, scan func(*sql.Rows) error, query string, args ...any) error {
	statement, err := s.prepare(ctx, query)
	if err != nil {
		return s.classify(err)
	}
	rows, err := statement.QueryContext(ctx, args...)
	if err != nil {
		return s.classify(err)
	}
	for rows.Next() {
		if err := scan(rows); err != nil {
			return s.classify(errors.Join(err, rows.Close()))
		}
	}
	return s.classify(errors.Join(rows.Err(), rows.Close()))
}

// classify turns an error into a *fault.Error, and remembers that the file is damaged.
func (s *statements) classify(err error) error {
	if IsMalformed(err) {
		s.malformed.Store(true)
	}
	return classify(err)
}
