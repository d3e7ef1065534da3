// Package jsonlines keeps the audit log of a relay on one host in files of JSON lines that only grow: segments, by size and
// month. Each line is an audit entry with the line's time before its other fields, as "@timestamp". It is for one process at a
// time, and has no lock of its own (the database in the same folder has one).
package jsonlines

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/fault"
)

var _ auditlog.Log = (*Log)(nil)

// errClosed means that the log was closed.
var errClosed = errors.New("audit log is closed")

// errCut means that someone cut the file while it was written to.
var errCut = errors.New("the file was cut")

// defaultMaxSize is how large a segment may become: a year's texts of a small business, read in well under a second.
const defaultMaxSize = 64 << 20

// Config says how a Log behaves.
type Config struct {
	// MaxSize is how many bytes a segment may have before the next begins; 0 is 64 MiB.
	MaxSize int64
	// Now dates what the log writes about itself, and says when a month is over. It is needed.
	Now func() time.Time
	// Lost is called, with a description, when someone else cut, moved, removed or wrote to the current file; it may be nil.
	Lost func(what string)

	// open and syncFolder are the file system's; nil is the true one.
	open       func(path string) (file, error)
	syncFolder func(path string) error
}

// file is what the log does with a file.
type file interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Stat() (os.FileInfo, error)
	Close() error
}

// Log is an open audit log. It is safe for concurrent use.
type Log struct {
	path   string
	config Config

	mu     sync.Mutex
	closed bool
	// file is nil while the next segment could not be opened.
	file file
	// size is where the last complete line ends. What comes after it is left from an append that failed.
	size int64
	// torn says that there may be something after size.
	torn bool
	// number and month are the segment's; newest is the time of the latest line since the log was opened.
	number        int64
	month, newest time.Time
	// stuck says that a segment could not be closed, and that this was told.
	stuck bool
	// lost is why the segment before was left, for the entry that begins the next.
	lost loss
}

// Open opens the audit log at path, and creates it (mode 0600) and its folder (mode 0700) if they are missing. It cuts off an
// incomplete last line, which a crash during an append leaves: nobody was told that it is kept. If only its newline is
// missing, it adds the newline, because someone may have removed that from a line that is kept.
func Open(path string, config Config) (*Log, error) {
	if config.MaxSize == 0 {
		config.MaxSize = defaultMaxSize
	}
	if config.Lost == nil {
		config.Lost = func(string) {}
	}
	if config.open == nil {
		config.open = openFile
	}
	if config.syncFolder == nil {
		config.syncFolder = syncFolder
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("open audit log: %w", err)
	}
	l := &Log{path: path, config: config}
	if err := l.begin(); err != nil {
		return nil, fmt.Errorf("open audit log: %w", err)
	}
	return l, nil
}

func openFile(path string) (file, error) { //nolint:ireturn // a test has one of its own.
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the path is the operator's own setting
}

// restore finds the end of the last complete line, and cuts the rest off.
func (l *Log) restore() error {
	info, err := l.file.Stat()
	if err != nil {
		return err
	}
	l.torn = true
	if l.size, err = lastLineEnd(l.file, info.Size()); err != nil {
		return err
	}
	if err := l.complete(info.Size()); err != nil {
		return err
	}
	return l.cut()
}

// complete gives a whole last line the newline that it lacks.
func (l *Log) complete(size int64) error {
	if size == l.size || size-l.size > maxLine {
		return nil
	}
	tail := make([]byte, size-l.size)
	if _, err := l.file.ReadAt(tail, l.size); err != nil {
		return err
	}
	if _, err := decode(tail); err != nil {
		return nil //nolint:nilerr // it is not whole, and is cut off.
	}
	if _, err := l.file.WriteAt([]byte("\n"), size); err != nil {
		return err
	}
	l.size = size + 1
	return nil
}

// syncFolder makes the file's name durable. Windows cannot sync a folder, and need not.
func syncFolder(folder string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	dir, err := os.Open(folder) //nolint:gosec // the path is the operator's own setting
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// lastLineEnd returns the offset behind the last newline among the first size bytes, reading backwards.
func lastLineEnd(file io.ReaderAt, size int64) (int64, error) {
	block := make([]byte, 64<<10)
	for end := size; end > 0; {
		start := max(0, end-int64(len(block)))
		part := block[:end-start]
		if _, err := file.ReadAt(part, start); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
			return start + int64(i) + 1, nil
		}
		end = start
	}
	return 0, nil
}

// cut removes what comes after the last complete line.
func (l *Log) cut() error {
	if !l.torn {
		return nil
	}
	info, err := l.file.Stat()
	if err != nil {
		return err
	}
	if info.Size() < l.size {
		return fmt.Errorf("%w: %s has %d bytes of %d", errCut, l.path, info.Size(), l.size)
	}
	if err := l.file.Truncate(l.size); err != nil {
		return err
	}
	if err := l.file.Sync(); err != nil {
		return err
	}
	l.torn = false
	return nil
}

// Append keeps the lines, see [auditlog.Log]. Each line's text must be one line of JSON that is an object. All of them
// are kept, or none: the error is an *[auditlog.IncompleteError] whose Kept is 0 and whose cause is a *[fault.Error],
// permanent for lines that cannot be kept and otherwise transient.
func (l *Log) Append(ctx context.Context, lines []auditlog.Line) error {
	if err := l.append(ctx, lines); err != nil {
		if _, ok := errors.AsType[*fault.Error](err); !ok {
			err = &fault.Error{Kind: fault.Transient, Err: err}
		}
		return &auditlog.IncompleteError{Err: err}
	}
	return nil
}

func (l *Log) append(ctx context.Context, lines []auditlog.Line) error {
	text, err := encode(lines)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if l.closed {
		return errClosed
	}
	if err := l.ready(int64(len(text))); err != nil {
		return err
	}
	// A line may only follow a complete one.
	if err := l.cut(); err != nil {
		return err
	}
	if err := l.write(text); err != nil {
		return err
	}
	for _, line := range lines {
		if line.Time.After(l.newest) {
			l.newest = line.Time
		}
	}
	return nil
}

// write appends text and syncs it. If either fails, what was written is cut off again, at the latest by the next append: it
// may be incomplete, or not durable whatever a later sync says.
func (l *Log) write(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	l.torn = true
	_, err := l.file.WriteAt(text, l.size)
	if err == nil {
		err = l.file.Sync()
	}
	if err == nil {
		err = l.wholeTo(l.size + int64(len(text)))
	}
	if err != nil {
		return errors.Join(err, l.cut())
	}
	l.size += int64(len(text))
	l.torn = false
	return nil
}

// wholeTo returns an error if the file does not end at size: someone cut it during the write, and what was written comes after
// a gap. The next append notices what was lost.
func (l *Log) wholeTo(size int64) error {
	info, err := l.file.Stat()
	if err == nil && info.Size() < size {
		err = fmt.Errorf("%w: %s", errCut, l.path)
	}
	return err
}

// Freeze calls do with how many bytes of the current segment count, while nothing is appended, closed or removed. do has to return soon. It
// also works on a log that was closed.
func (l *Log) Freeze(do func(size int64) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return do(l.size)
}

// Close closes the file.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if err := l.leave(); err != nil {
		return fmt.Errorf("close audit log: %w", err)
	}
	return nil
}

// leave closes the file that is open.
func (l *Log) leave() error {
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}
