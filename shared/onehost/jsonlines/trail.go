package jsonlines

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/fault"
)

// searchBytes is how much of the log's end is searched: some hundred thousand entries, read for the first text in well under a second.
const searchBytes = 256 << 20

// partBytes is how much of the log is read for a text at least: a thousand entries or two, read in a millisecond.
const partBytes = 1 << 20

var _ auditlog.Trail = (*Trail)(nil)

// Trail finds a text's entries in the log, also while they are appended. It is safe for concurrent use, and remembers where the entries of
// each text are.
type Trail struct {
	path string
	// most is how much of the log's end is searched, and part how large the parts are of which is known what is in them.
	most, part int64

	mu sync.Mutex
	// known has what is remembered of each segment that was searched last, by its first bytes: when it is closed, it gets another name.
	known map[string]*parts
}

// NewTrail returns the trail in the log at path.
func NewTrail(path string) *Trail { return &Trail{path: path, most: searchBytes, part: partBytes} }

// Find searches the log's last 256 MiB, the newest segments first. A log that nobody has written to yet has no entries.
func (t *Trail) Find(ctx context.Context, messageSid string, from, to time.Time) ([]auditlog.Entry, error) {
	var entries []auditlog.Entry
	// Times are to the millisecond in the log.
	from = from.Truncate(time.Millisecond)
	t.mu.Lock()
	defer t.mu.Unlock()
	s := search{
		messageSid: messageSid, text: hashOf([]byte(messageSid)), left: t.most, part: t.part,
		known: t.known, seen: map[string]*parts{},
		visit: func(line auditlog.Line) {
			if entry, ok := auditlog.EntryOf(line, messageSid); ok && !line.Time.Before(from) && !line.Time.After(to) {
				entries = append(entries, entry)
			}
		},
	}
	if err := s.log(ctx, t.path); err != nil {
		return nil, &fault.Error{Kind: fault.Transient, Err: fmt.Errorf("search audit log: %w", err)}
	}
	t.known = s.seen
	return entries, nil
}

// search looks for the lines of one text.
type search struct {
	messageSid string
	text       uint32
	// left is how many bytes are still searched, part how large a part is.
	left, part int64
	// known is what is remembered from the search before, seen what is to be from this one.
	known, seen map[string]*parts
	visit       func(auditlog.Line)
}

func (s *search) log(ctx context.Context, path string) error {
	active, err := os.Open(path) //nolint:gosec // the path is the operator's own setting
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if active != nil {
		defer active.Close() //nolint:errcheck // it is only read.
		if err := s.plain(ctx, active, false); err != nil {
			return err
		}
	}
	closed, err := ClosedSegments(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, one := range slices.Backward(closed) {
		if err != nil || s.left <= 0 {
			break
		}
		if active == nil || !isFile(one.Path, active) {
			err = s.segment(ctx, one)
		}
	}
	return err
}

// segment looks into a closed one.
func (s *search) segment(ctx context.Context, one Segment) error {
	file, err := os.Open(one.Path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // it is only read.
	if strings.HasSuffix(one.Path, ".gz") {
		return s.packed(ctx, file)
	}
	return s.plain(ctx, file, true)
}

// plain looks into the last bytes of a segment, as many as are left.
func (s *search) plain(ctx context.Context, file *os.File, isClosed bool) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	start := max(0, info.Size()-s.left)
	s.left -= info.Size()
	p, err := s.partsOf(file, info.Size(), start)
	if err != nil {
		return err
	}
	settled := info.Size()
	if !isClosed {
		settled -= s.part // What an append has written that failed is cut off again: the end is always read.
	}
	if more := settled - p.end(); more > 0 {
		if err := p.learn(ctx, io.NewSectionReader(file, p.end(), more), s.part, isClosed); err != nil {
			return err
		}
	}
	for _, one := range p.all {
		if one.end > start && one.has(s.text) {
			if err := s.stretch(ctx, file, max(start, one.begin), one.end); err != nil {
				return err
			}
		}
	}
	return s.stretch(ctx, file, max(start, p.end()), math.MaxInt64)
}

// packing is how much smaller gzip makes a segment, about.
const packing = 8

// packed looks into a compressed segment, which is read whole if the text is in it.
func (s *search) packed(ctx context.Context, file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	s.left -= info.Size() * packing
	p, err := s.partsOf(file, info.Size(), 0)
	if err != nil {
		return err
	}
	if len(p.all) == 0 {
		unpacked, err := gzip.NewReader(bufio.NewReader(file))
		if err == nil {
			err = p.learn(ctx, unpacked, s.part, true)
		}
		if err != nil {
			return err
		}
	}
	if !slices.ContainsFunc(p.all, func(one part) bool { return one.has(s.text) }) {
		return nil
	}
	return s.stretch(ctx, file, 0, math.MaxInt64)
}

// partsOf returns what is known of a file of which the bytes from start on are searched.
func (s *search) partsOf(file *os.File, size, start int64) (*parts, error) {
	var head [512]byte
	n, err := file.ReadAt(head[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	p := s.known[string(head[:n])]
	if p == nil || p.size > size || p.begin > start {
		p = &parts{begin: start}
	}
	p.size = size
	s.seen[string(head[:n])] = p
	return p, nil
}

// stretch looks at the lines that begin from begin to end.
func (s *search) stretch(ctx context.Context, file io.ReaderAt, begin, end int64) error {
	// The line before ends there, or goes on.
	before := min(begin, 1)
	lines, err := NewScanner(io.NewSectionReader(file, begin-before, end-begin+before))
	if err != nil {
		return err
	}
	if before > 0 {
		_, err = lines.text()
	}
	lines.containing = []byte(s.messageSid)
	for err == nil && ctx.Err() == nil {
		var line auditlog.Line
		if line, err = lines.Next(); err == nil {
			s.visit(line)
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return cmp.Or(err, ctx.Err())
}
