package backups

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/onehost/durable"
	"quickdumpnow.com/smsrelay/shared/onehost/jsonlines"
)

// databaseName and auditName are what the two are called in a backup, as in the folder.
const (
	databaseName = datafolder.DatabaseFile
	auditName    = datafolder.AuditFile
)

// Database is what a backup needs of the database.
type Database interface {
	// CopyTo copies the database as it is at one moment, at which it calls frozen, see sqlite.DB.
	CopyTo(ctx context.Context, path string, frozen func() error) error
}

// auditLog is the audit log as it was at one moment: each change that was committed then is in it, or in the database's outbox, and nothing
// that was not.
type auditLog struct {
	closed []jsonlines.Segment
	// current is the open segment, of which the first size bytes count; nil if there was none.
	current *os.File
	size    int64
}

// freeze notes how far the log goes. It is to be called while nothing is committed.
func (l *auditLog) freeze(file string) (err error) {
	if err := l.close(); err != nil {
		return err
	}
	if l.closed, err = jsonlines.ClosedSegments(file); err != nil {
		return err
	}
	l.current, err = os.Open(file) //nolint:gosec // the path is in the data folder.
	if errors.Is(err, fs.ErrNotExist) {
		l.current = nil
		return nil
	}
	if err != nil {
		return err
	}
	info, err := l.current.Stat()
	l.size = info.Size()
	return err
}

func (l *auditLog) close() error {
	if l.current == nil {
		return nil
	}
	file := l.current
	l.current = nil
	return file.Close()
}

// pack adds the segments. A closed one that is gone meanwhile was too old to be kept, or was compressed.
func (l *auditLog) pack(to *archive) error {
	for _, s := range l.closed {
		err := to.addFile(filepath.Base(s.Path), s.Path)
		if errors.Is(err, fs.ErrNotExist) {
			err = to.addFile(filepath.Base(s.Path)+".gz", s.Path+".gz")
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if l.current == nil {
		return nil
	}
	size, err := wholeLines(l.current, l.size)
	if err != nil {
		return err
	}
	return to.add(auditName, io.NewSectionReader(l.current, 0, size), size)
}

// wholeLines returns how many of the first size bytes are whole lines. A line that was being written is still in the outbox.
func wholeLines(file io.ReaderAt, size int64) (int64, error) {
	const step = 64 << 10
	for end := size; end > 0; {
		start := max(end-step, 0)
		part := make([]byte, end-start)
		if _, err := file.ReadAt(part, start); err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if at := bytes.LastIndexByte(part, '\n'); at >= 0 {
			return start + int64(at) + 1, nil
		}
		end = start
	}
	return 0, nil
}

// packFolder adds each file of a folder, and of those in it; none if there is no such folder. A file that is gone meanwhile is left out.
func packFolder(to *archive, folder, name string) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list %s: %w", folder, err)
	}
	for _, entry := range entries {
		from, as := filepath.Join(folder, entry.Name()), path.Join(name, entry.Name())
		switch {
		case entry.IsDir():
			err = packFolder(to, from, as)
		case !entry.Type().IsRegular() || durable.IsUnfinished(entry.Name()):
			continue
		default:
			err = to.addFile(as, from)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Setting is one line of the settings in a backup.
type Setting struct {
	Name, Value string
	Secret      bool
}

// settingsFile is what the file of settings is called in a backup, and after a restore. No program reads it by itself.
const settingsFile = "settings.env"

// settingsText writes the settings as relay.env has them. A secret has its line, without the value, unless it is wanted.
func settingsText(settings []Setting, withSecrets bool) string {
	var text strings.Builder
	for _, s := range settings {
		switch {
		case s.Secret && !withSecrets:
			fmt.Fprintf(&text, "# %s is a secret, and not in this backup\n", s.Name)
		default:
			fmt.Fprintf(&text, "%s=\"%s\"\n", s.Name, strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`").Replace(s.Value))
		}
	}
	return text.String()
}
