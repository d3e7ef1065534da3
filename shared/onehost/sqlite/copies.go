package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/onehost/durable"
)

const (
	// CopiesFolder is the folder next to the database in which Open keeps copies from before the schema was changed. They have the names
	// relay-schema-5-20261130T060000Z.db, with the version that they are of and the time.
	CopiesFolder = "before-upgrade"
	// maxCopies is how many copies are kept, the newest.
	maxCopies = 3
	// unfinishedCopy is what a copy is called while it is made.
	unfinishedCopy = ".new-copy"
)

// copyName matches the names of copies.
var copyName = regexp.MustCompile(`^relay-schema-\d+-(\d{8}T\d{6}Z)\.db$`)

// copyBefore copies the database as it is, whole, durable and checked, and returns the copy's path. The caller has begun a transaction that
// keeps others from writing. The copy takes itself for one at its next Open, as one of CopyTo does.
func copyBefore(ctx context.Context, path string, version int, now time.Time, disk durable.Disk) (copied string, err error) {
	folder := filepath.Join(filepath.Dir(path), CopiesFolder)
	if err := disk.MakeFolder(folder); err != nil {
		return "", err
	}
	unfinished := filepath.Join(folder, unfinishedCopy)
	if err := removeDatabase(unfinished); err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, removeDatabase(unfinished))
		}
	}()
	// SQLite would make it readable for everybody.
	if err := disk.WriteFile(unfinished, nil); err != nil {
		return "", err
	}
	if err := copyPinned(ctx, path, unfinished); err != nil {
		return "", err
	}
	if version >= identityVersion {
		if err := MarkCopied(ctx, unfinished); err != nil {
			return "", err
		}
	}
	if err := Check(ctx, unfinished); err != nil {
		return "", err
	}
	copied = filepath.Join(folder, fmt.Sprintf("relay-schema-%d-%s.db", version, now.UTC().Format("20060102T150405Z")))
	if err := disk.Place(unfinished, copied); err != nil {
		return "", err
	}
	return copied, pruneCopies(folder)
}

// copyPinned copies what a connection of its own reads at this moment.
func copyPinned(ctx context.Context, path, to string) (err error) {
	pool, err := openPool(path, 1, "query_only(1)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	conn, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	return within(ctx, conn, func() error { return copyPages(ctx, conn, to) })
}

// within calls do while the connection reads what is committed now.
func within(ctx context.Context, conn *sql.Conn, do func() error) error {
	if err := begin(ctx, conn); err != nil {
		return err
	}
	err := do()
	_, ended := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	return errors.Join(err, ended)
}

// removeDatabase removes a database that nobody has open, if there is one.
func removeDatabase(path string) error {
	for _, end := range []string{"-wal", "-shm", "-journal", ""} {
		if err := os.Remove(path + end); err != nil && !errors.Is(err, os.ErrNotExist) { //nolint:gosec // it is our own file.
			return err
		}
	}
	return nil
}

// Copies lists the copies in the folder of the database at path, the newest first, by their paths.
func Copies(path string) ([]string, error) {
	return listCopies(filepath.Join(filepath.Dir(path), CopiesFolder))
}

func listCopies(folder string) (copies []string, err error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	for _, entry := range entries {
		if copyName.MatchString(entry.Name()) {
			copies = append(copies, filepath.Join(folder, entry.Name()))
		}
	}
	slices.SortFunc(copies, func(a, b string) int { return -compareTimes(a, b) })
	return copies, err
}

// compareTimes compares two copies by the times in their names.
func compareTimes(a, b string) int {
	timeOf := func(path string) string { return copyName.FindStringSubmatch(filepath.Base(path))[1] }
	if timeOf(a) < timeOf(b) {
		return -1
	}
	return 1
}

// pruneCopies removes all but the newest copies.
func pruneCopies(folder string) error {
	copies, err := listCopies(folder)
	if err != nil || len(copies) <= maxCopies {
		return err
	}
	for _, old := range copies[maxCopies:] {
		if err := os.Remove(old); err != nil { //nolint:gosec // it is our own file.
			return err
		}
	}
	return nil
}
