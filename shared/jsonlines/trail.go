package jsonlines

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/fault"
)

// searchBytes is how much of the log's end is searched: some hundred thousand entries, read in well under a second.
const searchBytes = 256 << 20

var _ auditlog.Trail = (*Trail)(nil)

// Trail finds a text's entries in the log, also while they are appended. It is safe for concurrent use.
type Trail struct {
	path string
	most int64
}

// NewTrail returns the trail in the log at path.
func NewTrail(path string) *Trail { return &Trail{path: path, most: searchBytes} }

// Find reads the log's last 256 MiB. A log that nobody has written to yet has no entries.
func (t *Trail) Find(ctx context.Context, messageSid string, from, to time.Time) ([]auditlog.Entry, error) {
	file, err := os.Open(t.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, unsearched(err)
	}
	defer file.Close() //nolint:errcheck // it was only read.
	lines, err := t.end(file)
	if err != nil {
		return nil, unsearched(err)
	}
	// Times are to the millisecond in the log.
	from = from.Truncate(time.Millisecond)
	lines.containing = []byte(messageSid)
	var entries []auditlog.Entry
	for ctx.Err() == nil {
		line, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return entries, nil
		}
		if err != nil {
			return nil, unsearched(err)
		}
		if entry, ok := auditlog.EntryOf(line, messageSid); ok && !line.Time.Before(from) && !line.Time.After(to) {
			entries = append(entries, entry)
		}
	}
	return nil, unsearched(ctx.Err())
}

// end returns the part of the file that is searched, from the first line that begins in it.
func (t *Trail) end(file *os.File) (*Scanner, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	start := max(0, info.Size()-t.most)
	if start == 0 {
		return NewScanner(file)
	}
	if _, err := file.Seek(start-1, io.SeekStart); err != nil {
		return nil, err
	}
	lines := &Scanner{lines: bufio.NewReader(file)}
	// What begins before it is left out.
	if _, err := lines.text(); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return lines, nil
}

func unsearched(err error) error {
	return &fault.Error{Kind: fault.Transient, Err: fmt.Errorf("search audit log: %w", err)}
}
