package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

const (
	// incremental is SQLite's number for a file that gives free pages back when it is asked to. A file is made so before its first table, or
	// by Rebuild.
	incremental = 2
	// minSpare and spareShare are how many free pages stay in the file for what comes next: 16 MB, or one page of so many. So a file whose
	// texts come and go at the same rate neither grows nor shrinks.
	minSpare   = 4096
	spareShare = 8
	// givenPages is how many pages one step gives back, which is 256 kB. All other writes wait for it: 5 ms on a busy host, see
	// BenchmarkGiveBack, which is as long as a write of a sender takes.
	givenPages = 64
)

// surplus is how many of a file's free pages it does not need.
func surplus(pages, free int64) int64 {
	return max(0, free-max(minSpare, pages/spareShare))
}

// GiveBack makes the file a little smaller if it has more free pages than it needs, and returns by how many bytes; 0 means that there is
// nothing to give back. Of a file that an older release made, it gives back nothing, see [Rebuild]. The disk gets the room once the
// write-ahead log is folded into the file.
func (db *DB) GiveBack(ctx context.Context) (bytes int64, err error) {
	err = db.write(ctx, func(ctx context.Context, t *tx) error {
		before, err := t.pages(ctx)
		if err != nil || !before.givesBack() || surplus(before.count, before.free) == 0 {
			return err
		}
		if err := t.statements.run(ctx, fmt.Sprintf("PRAGMA incremental_vacuum(%d)", givenPages)); err != nil {
			return err
		}
		after, err := t.pages(ctx)
		bytes = (before.count - after.count) * before.size
		return err
	})
	return bytes, err
}

// pages are those of a file.
type pages struct {
	// count is how many there are, free how many of them are not used, size how many bytes one has.
	count, free, size int64
	mode              int
}

func (p pages) givesBack() bool { return p.mode == incremental }

func (s *statements) pages(ctx context.Context) (p pages, err error) {
	for query, into := range map[string]any{
		"PRAGMA page_count": &p.count, "PRAGMA freelist_count": &p.free, "PRAGMA page_size": &p.size, "PRAGMA auto_vacuum": &p.mode,
	} {
		if _, err := s.get(ctx, []any{into}, query); err != nil {
			return pages{}, err
		}
	}
	return p, nil
}

// run carries out statements that are not worth preparing, to their end.
func (s *statements) run(ctx context.Context, script string, args ...any) error {
	_, err := s.preparer.ExecContext(ctx, script, args...)
	return s.classify(err)
}

// RebuildBytes is how many bytes have to be free on the disk for Rebuild: what is used is written twice.
func (s Schema) RebuildBytes() int64 { return 2 * (s.Bytes - s.Unused) }

// Rebuild writes the database at path anew, without free pages and without what erased texts left in them; from then on the file gives free
// pages back. A crash leaves the file as it was. The error is ErrInUse if a relay has it open.
func Rebuild(ctx context.Context, path string) (err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("rebuild database: %w", err)
	}
	release, err := Hold(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	return withFile(path, func(file *sql.DB) error {
		for _, query := range []string{
			// The new file is written here first, where there is room, and not where the system keeps what is temporary.
			"PRAGMA temp_store_directory = '" + strings.ReplaceAll(filepath.Dir(path), "'", "''") + "'",
			fmt.Sprint("PRAGMA auto_vacuum = ", incremental), "VACUUM", "PRAGMA temp_store_directory = ''", "PRAGMA wal_checkpoint(TRUNCATE)",
		} {
			if _, err := file.ExecContext(ctx, query); err != nil {
				return err
			}
		}
		return nil
	})
}
