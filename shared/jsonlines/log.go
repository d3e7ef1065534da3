// Package jsonlines keeps the audit log of the embedded set in a file of JSON lines, which only ever grows. Each line is
// an audit entry with the line's time put before its other fields, as "@timestamp". It is for one process at a time: it
// takes no lock (the database beside it has one), and it neither rotates nor searches the file.
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

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/fault"
)

var _ auditlog.Log = (*Log)(nil)

// ErrClosed means that the log was closed.
var ErrClosed = errors.New("audit log is closed")

// Log is an open audit log. It is safe for concurrent use.
type Log struct {
	mu   sync.Mutex
	file *os.File
	// size is where the last complete line ends. What may stand beyond it is the rest of an append that failed.
	size int64
	// torn says that something may stand beyond size.
	torn bool
}

// Open opens the audit log at path, and creates it (mode 0600) and its folder (mode 0700) where they are missing. A last
// line without its end, which a crash in the middle of an append leaves behind, is cut off: no one was told that it is kept. One
// that lacks its newline alone gets it: a hand may have taken that from a line that is kept.
func Open(path string) (*Log, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("open audit log: %w", err)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the path is the operator's own setting
	if err != nil {
		return nil, fmt.Errorf("open audit log: %w", err)
	}
	l := &Log{file: file, torn: true}
	if err := l.restore(path); err != nil {
		return nil, fmt.Errorf("open audit log %s: %w", path, errors.Join(err, file.Close()))
	}
	return l, nil
}

// restore finds the end of the last complete line, cuts the rest off, and makes the file's name durable.
func (l *Log) restore(path string) error {
	size, err := l.file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if l.size, err = lastLineEnd(l.file, size); err != nil {
		return err
	}
	if err := l.complete(size); err != nil {
		return err
	}
	if err := l.cut(); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
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

// cut removes what stands beyond the last complete line.
func (l *Log) cut() error {
	if !l.torn {
		return nil
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
	if l.file == nil {
		return ErrClosed
	}
	// A line may only stand behind a complete one.
	if err := l.cut(); err != nil {
		return err
	}
	return l.write(text)
}

// write appends text and syncs it. If either fails, what was written is cut off again, at the latest by the next
// append: it would be torn, or not durable for all that a later sync says.
func (l *Log) write(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	l.torn = true
	_, err := l.file.WriteAt(text, l.size)
	if err == nil {
		err = l.file.Sync()
	}
	if err != nil {
		return errors.Join(err, l.cut())
	}
	l.size += int64(len(text))
	l.torn = false
	return nil
}

// Close closes the file.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	if err != nil {
		return fmt.Errorf("close audit log: %w", err)
	}
	return nil
}
