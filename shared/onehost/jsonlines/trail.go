package jsonlines

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
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

// Find reads the log's last 256 MiB, the newest segments first. A log that nobody has written to yet has no entries.
func (t *Trail) Find(ctx context.Context, messageSid string, from, to time.Time) ([]auditlog.Entry, error) {
	active, err := os.Open(t.path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, unsearched(err)
	}
	var entries []auditlog.Entry
	// Times are to the millisecond in the log.
	from = from.Truncate(time.Millisecond)
	visit := func(line auditlog.Line) {
		if entry, ok := auditlog.EntryOf(line, messageSid); ok && !line.Time.Before(from) && !line.Time.After(to) {
			entries = append(entries, entry)
		}
	}
	left := t.most
	if active != nil {
		defer active.Close() //nolint:errcheck // it is only read.
		if left, err = search(ctx, active, left, messageSid, visit); err != nil {
			return nil, unsearched(err)
		}
	}
	closed, err := ClosedSegments(t.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	for _, s := range slices.Backward(closed) {
		if err != nil || left <= 0 {
			break
		}
		if active == nil || !isFile(s.Path, active) {
			left, err = s.search(ctx, left, messageSid, visit)
		}
	}
	if err != nil {
		return nil, unsearched(err)
	}
	return entries, nil
}

// search looks for a text's lines in the last bytes of a file, as many as are left, and returns how many then are.
func search(ctx context.Context, file *os.File, left int64, messageSid string, visit func(auditlog.Line)) (int64, error) {
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	lines, err := end(file, max(0, info.Size()-left))
	if err != nil {
		return 0, err
	}
	lines.containing = []byte(messageSid)
	for ctx.Err() == nil {
		line, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return left - info.Size(), nil
		}
		if err != nil {
			return 0, err
		}
		visit(line)
	}
	return 0, ctx.Err()
}

// packing is how much smaller gzip makes a segment, about.
const packing = 8

// search looks into a closed segment; a compressed one is read whole.
func (s Segment) search(ctx context.Context, left int64, messageSid string, visit func(auditlog.Line)) (int64, error) {
	file, err := os.Open(s.Path)
	if errors.Is(err, os.ErrNotExist) {
		return left, nil
	}
	if err != nil {
		return 0, err
	}
	defer file.Close() //nolint:errcheck // it is only read.
	if strings.HasSuffix(s.Path, ".gz") {
		info, err := file.Stat()
		if err != nil {
			return 0, err
		}
		_, err = search(ctx, file, info.Size(), messageSid, visit)
		return left - info.Size()*packing, err
	}
	return search(ctx, file, left, messageSid, visit)
}

// end returns the part of the file that is searched, from the first line that begins at start or behind it.
func end(file *os.File, start int64) (*Scanner, error) {
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
