package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// statements runs queries on a connection or a pool, each prepared once. Its errors are *fault.Error, as before a
// commit.
type statements struct {
	preparer preparer

	mu       sync.Mutex
	prepared map[string]*sql.Stmt
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

// exec runs a query and returns how many rows it changed.
func (s *statements) exec(ctx context.Context, query string, args ...any) (changed int64, err error) {
	statement, err := s.prepare(ctx, query)
	if err != nil {
		return 0, classify(err)
	}
	result, err := statement.ExecContext(ctx, args...)
	if err != nil {
		return 0, classify(err)
	}
	changed, err = result.RowsAffected()
	return changed, classify(err)
}

// get scans the query's first row; found is false if it has none.
func (s *statements) get(ctx context.Context, into []any, query string, args ...any) (found bool, err error) {
	statement, err := s.prepare(ctx, query)
	if err != nil {
		return false, classify(err)
	}
	err = statement.QueryRowContext(ctx, args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, classify(err)
}

// each calls scan for each row of the query. scan runs no other query of these statements.
func (s *statements) each(ctx context.Context, scan func(*sql.Rows) error, query string, args ...any) error {
	statement, err := s.prepare(ctx, query)
	if err != nil {
		return classify(err)
	}
	rows, err := statement.QueryContext(ctx, args...)
	if err != nil {
		return classify(err)
	}
	for rows.Next() {
		if err := scan(rows); err != nil {
			return classify(errors.Join(err, rows.Close()))
		}
	}
	return classify(errors.Join(rows.Err(), rows.Close()))
}
