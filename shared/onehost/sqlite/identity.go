package sqlite

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

// identitySchema. The one row says which file this was when it was last opened with Open, and when it was first opened as
// another one than before, in milliseconds since 1970; 0 is never.
const identitySchema = `
CREATE TABLE identity (
	id       INTEGER PRIMARY KEY CHECK (id = 1),
	machine  TEXT NOT NULL,
	device   TEXT NOT NULL,
	inode    TEXT NOT NULL,
	moved_at INTEGER NOT NULL
) STRICT;
`

// identity tells a database file from a copy of it.
type identity struct {
	// machine is the host's own id, empty if it has none. A host's name is no help: it changes with each container.
	machine string
	// device and inode are the file's, from its file system. If the file system has none, inode is the path.
	device, inode string
}

// machineFile has the host's id on Linux.
const machineFile = "/etc/machine-id"

// identify returns the identity of the file at path. It does not open the file: to close it again would drop SQLite's locks.
func identify(path string) (identity, error) {
	info, err := os.Stat(path) //nolint:gosec // the path is the operator's own setting.
	if err != nil {
		return identity{}, err
	}
	id := identityOf(path, info)
	if text, err := os.ReadFile(machineFile); err == nil {
		id.machine = strings.TrimSpace(string(text))
	}
	return id, nil
}

// isAnother reports whether the two identities are of different files. An unknown machine counts as the same.
func (id identity) isAnother(than identity) bool {
	otherMachine := id.machine != than.machine && id.machine != "" && than.machine != ""
	return otherMachine || id.device != than.device || id.inode != than.inode
}

// Moved tells whether the file was copied, or restored from a backup.
type Moved struct {
	// At is when [Open] last opened it as a different file than before; zero if that never happened. The relay with the other
	// file may have sent what was queued before then.
	At time.Time
	// Unopened means that it is another file now than when it was last opened with Open.
	Unopened bool
}

// Moved returns what the file remembers of itself.
func (db *DB) Moved(ctx context.Context) (Moved, error) {
	now, err := identify(db.path)
	if err != nil {
		return Moved{}, fmt.Errorf("identify database: %w", err)
	}
	then, at, found, err := readIdentity(ctx, db.reader.statements)
	if err != nil {
		return Moved{}, err
	}
	return Moved{At: at, Unopened: found && now.isAnother(then)}, nil
}

// remember writes down which file this is. The first time it is the one that it always was.
func (db *DB) remember(ctx context.Context) error {
	now, err := identify(db.path)
	if err != nil {
		return fmt.Errorf("identify database: %w", err)
	}
	return db.write(ctx, func(ctx context.Context, t *tx) error {
		then, _, found, err := readIdentity(ctx, t.statements)
		if err != nil || found && now == then {
			return err
		}
		movedAt := int64(0)
		if found && now.isAnother(then) {
			movedAt = t.now.UnixMilli()
		}
		_, err = t.exec(ctx, `
			INSERT INTO identity (id, machine, device, inode, moved_at) VALUES (1, ?1, ?2, ?3, ?4)
			ON CONFLICT (id) DO UPDATE SET machine = excluded.machine, device = excluded.device, inode = excluded.inode,
				moved_at = max(moved_at, excluded.moved_at)`, now.machine, now.device, now.inode, movedAt)
		return err
	})
}

func readIdentity(ctx context.Context, s *statements) (id identity, movedAt time.Time, found bool, err error) {
	var at int64
	found, err = s.get(ctx, []any{&id.machine, &id.device, &id.inode, &at}, "SELECT machine, device, inode, moved_at FROM identity")
	if err == nil && at > 0 {
		movedAt = time.UnixMilli(at).UTC()
	}
	return id, movedAt, found, err
}
