package jsonlines

import (
	"bufio"
	"bytes"
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
	var entries []auditlog.Entry
	for ctx.Err() == nil {
		text, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			// A last line without its end is being written just now.
			return entries, nil
		}
		if err != nil {
			return nil, unsearched(err)
		}
		if !bytes.Contains(text, []byte(messageSid)) {
			continue
		}
		line, err := decode(text[:len(text)-1])
		if entry, ok := auditlog.EntryOf(line, messageSid); err == nil && ok && !line.Time.Before(from) && !line.Time.After(to) {
			entries = append(entries, entry)
		}
	}
	return nil, unsearched(ctx.Err())
}

// end returns the part of the file that is searched, from the first line that begins in it.
func (t *Trail) end(file *os.File) (*bufio.Reader, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	start := max(0, info.Size()-t.most)
	if start == 0 {
		return bufio.NewReader(file), nil
	}
	if _, err := file.Seek(start-1, io.SeekStart); err != nil {
		return nil, err
	}
	lines := bufio.NewReader(file)
	if _, err := lines.ReadBytes('\n'); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return lines, nil
}

func unsearched(err error) error {
	return &fault.Error{Kind: fault.Transient, Err: fmt.Errorf("search audit log: %w", err)}
}
