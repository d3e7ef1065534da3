package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
)

// readers is how many reads may run at once, in addition to the writer. In WAL mode neither delays the other.
const readers = 4

// reader runs queries on connections of its own, which cannot write.
type reader struct {
	*statements
	pool *sql.DB
}

func openReader(path string) (*reader, error) {
	pool, err := openPool(path, readers, "query_only(1)")
	if err != nil {
		return nil, fmt.Errorf("open for reading: %w", err)
	}
	return &reader{statements: newStatements(pool), pool: pool}, nil
}

func (r *reader) close() error { return errors.Join(r.statements.close(), r.pool.Close()) }
