package jsonlines

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
)

// The log is a series of files, its segments. The current one has the log's own name, audit.jsonl. When it is full, or its
// month is over, it is closed: its name gets its number and its month, audit-000003-2026-11.jsonl, and the next one begins
// with an entry that has the hash of the whole closed file. So each segment confirms the one before it. The first segment has
// no such entry: it is the file from before there were segments.

// Segment is one file of the log.
type Segment struct {
	// Path is the file's. One that is closed may be compressed with gzip, and then ends in .gz.
	Path string
	// Number counts the segments from 1; it is 0 for the current one, whose first line has its number.
	Number int64
}

// closedName is what a closed segment is called.
var closedName = regexp.MustCompile(`^-(\d{6,})-\d{4}-\d{2}$`)

// closedPath returns the path of a closed segment.
func closedPath(path string, number int64, month time.Time) string {
	end := filepath.Ext(path)
	return fmt.Sprintf("%s-%06d-%s%s", strings.TrimSuffix(path, end), number, month.UTC().Format("2006-01"), end)
}

// ClosedSegments lists the closed segments of the log at path, the oldest first.
func ClosedSegments(path string) ([]Segment, error) {
	names, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("list the segments of the audit log: %w", err)
	}
	end := filepath.Ext(path)
	var closed []Segment
	for _, name := range names {
		rest, ok := strings.CutPrefix(name.Name(), strings.TrimSuffix(filepath.Base(path), end))
		rest, whole := strings.CutSuffix(strings.TrimSuffix(rest, ".gz"), end)
		match := closedName.FindStringSubmatch(rest)
		if !ok || !whole || match == nil {
			continue
		}
		number, err := strconv.ParseInt(match[1], 10, 64)
		if err != nil {
			continue
		}
		closed = append(closed, Segment{Path: filepath.Join(filepath.Dir(path), name.Name()), Number: number})
	}
	slices.SortFunc(closed, func(a, b Segment) int {
		return cmp.Or(cmp.Compare(a.Number, b.Number), cmp.Compare(len(a.Path), len(b.Path)), cmp.Compare(a.Path, b.Path))
	})
	// If there is a file and its compressed copy, the file is read.
	plain := func(s Segment) string { return strings.TrimSuffix(s.Path, ".gz") }
	return slices.CompactFunc(closed, func(a, b Segment) bool { return plain(a) == plain(b) }), nil
}

// content opens what a segment holds, not compressed.
func (s Segment) content() (io.ReadCloser, error) {
	file, err := os.Open(s.Path)
	if err != nil || !strings.HasSuffix(s.Path, ".gz") {
		return file, err
	}
	unpacked, err := gzip.NewReader(bufio.NewReader(file))
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return packedFile{unpacked, file}, nil
}

type packedFile struct {
	*gzip.Reader

	file *os.File
}

// Close closes the file.
func (p packedFile) Close() error { return errors.Join(p.Reader.Close(), p.file.Close()) }

// sum returns the hash of what a segment holds.
func (s Segment) sum() (string, error) {
	content, err := s.content()
	if err != nil {
		return "", err
	}
	sum, err := sumOf(content)
	return sum, errors.Join(err, content.Close())
}

func sumOf(content io.Reader) (string, error) {
	hash := sha256.New()
	_, err := io.Copy(hash, content)
	return hex.EncodeToString(hash.Sum(nil)), err
}

// EachSegment calls visit for each segment of the log at path, the oldest first, with its lines, and with sum, which returns
// the hash of a closed segment once its lines were read to the end. Lines that are appended meanwhile may be missing, but no
// earlier ones, even if the log starts a new segment. The error is visit's own, or fs.ErrNotExist if there is no log.
func EachSegment(path string, visit func(s Segment, lines *Scanner, sum func() string) error) error {
	active, err := os.Open(path) //nolint:gosec // the path is the operator's own setting
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if active != nil {
		defer active.Close() //nolint:errcheck // it is only read.
	}
	closed, listErr := ClosedSegments(path)
	if listErr != nil || active == nil && len(closed) == 0 {
		return cmp.Or(err, listErr)
	}
	for _, segment := range closed {
		if active != nil && isFile(segment.Path, active) {
			// It was closed since it was opened above, and is read below.
			break
		}
		if err := segment.visit(visit); err != nil && !errors.Is(err, fs.ErrNotExist) {
			// One that is gone by now was too old to be kept.
			return fmt.Errorf("%s: %w", segment.Path, err)
		}
	}
	if active == nil {
		return nil
	}
	lines, err := NewScanner(active)
	if err != nil {
		return err
	}
	return visit(Segment{Path: path}, lines, func() string { return "" })
}

func (s Segment) visit(visit func(Segment, *Scanner, func() string) error) error {
	content, err := s.content()
	if err != nil {
		return err
	}
	hash := sha256.New()
	lines, err := NewScanner(io.TeeReader(content, hash))
	if err == nil {
		err = visit(s, lines, func() string { return hex.EncodeToString(hash.Sum(nil)) })
	}
	return errors.Join(err, content.Close())
}

func isFile(path string, file *os.File) bool {
	there, err := os.Stat(path)
	if err != nil {
		return false
	}
	open, err := file.Stat()
	return err == nil && os.SameFile(there, open)
}

// header returns the entry at the start of a segment, and the time of its first line; ok is false if it has no such entry.
func (s Segment) header() (head auditlog.Entry, at time.Time, ok bool) {
	content, err := s.content()
	if err != nil {
		return head, at, false
	}
	defer content.Close() //nolint:errcheck // it is only read.
	lines, err := NewScanner(content)
	if err != nil {
		return head, at, false
	}
	line, err := lines.Next()
	if err != nil {
		return head, at, false
	}
	head, err = auditlog.Parse(line.Text)
	ok = err == nil && head.Subject == auditlog.SubjectSegment && head.Change == auditlog.ChangeCreated
	return head, line.Time, ok
}

// Trouble describes what is wrong with the segments of the log at path: which are missing in the middle, and which were lost
// while the relay ran. It reads the first line of each.
func Trouble(path string) ([]string, error) {
	segments, err := ClosedSegments(path)
	if err != nil {
		return nil, err
	}
	there := map[int64]bool{}
	for _, s := range segments {
		there[s.Number] = true
	}
	var trouble []string
	for i, s := range append(segments, Segment{Path: path}) {
		head, _, ok := s.header()
		before := head.Version - 1
		if !ok {
			before = s.Number - 1
		}
		switch {
		case !ok && before > 0 && !there[before]:
			trouble = append(trouble, fmt.Sprintf("segment %d is missing", before))
		case !ok || i == 0 && head.Reason == "":
			// Segments before the first that exists were too old to be kept.
		case head.Reason == auditlog.ReasonCut:
			trouble = append(trouble,
				fmt.Sprintf("segment %d was cut while the relay ran, noticed at %s", before, head.Time.UTC().Format(time.RFC3339)))
		case !there[before]:
			trouble = append(trouble, fmt.Sprintf("segment %d is missing: %s", before, filepath.Base(closedPath(path, before, head.Time))))
		}
	}
	return trouble, nil
}

// Begins returns how far back the log at path goes; zero is to its beginning. Segments before that were too old to be kept.
func Begins(path string) (time.Time, error) {
	closed, err := ClosedSegments(path)
	if err != nil {
		return time.Time{}, err
	}
	oldest := append(closed, Segment{Path: path})[0]
	head, at, ok := oldest.header()
	if !ok || head.Reason != "" || head.Version == 1 {
		return time.Time{}, nil
	}
	return at, nil
}
