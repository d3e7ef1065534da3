package jsonlines

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
)

// loss says what happened to the current segment, if it was closed before it was full.
type loss struct {
	// number is the segment's, sum the hash of its content, empty if the content is lost.
	number int64
	reason string
	sum    string
}

// begin opens the file at the log's path, or creates it; a new file begins with an entry about the segment before it, if there
// is one.
func (l *Log) begin() (err error) {
	if l.file, err = l.config.open(l.path); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.leave())
		}
	}()
	if err := l.restore(); err != nil {
		return fmt.Errorf("%s: %w", l.path, err)
	}
	if err := l.config.syncFolder(filepath.Dir(l.path)); err != nil {
		return err
	}
	closed, err := ClosedSegments(l.path)
	if err != nil {
		return err
	}
	before := Segment{Number: l.lost.number}
	if len(closed) > 0 && closed[len(closed)-1].Number > before.Number {
		before = closed[len(closed)-1]
	}
	l.number = before.Number + 1
	if l.size > 0 {
		l.readOn()
		return nil
	}
	l.month = l.config.Now()
	if before.Number == 0 {
		return nil
	}
	return l.head(before)
}

// readOn reads number and month from the first line of a file that already existed.
func (l *Log) readOn() {
	head, at, ok := Segment{Path: l.path}.header()
	if ok {
		l.number = head.Version
	}
	if l.month = at; at.IsZero() {
		l.month = l.config.Now()
	}
}

// head writes the entry that a segment begins with.
func (l *Log) head(before Segment) error {
	reason, sum := "", ""
	if l.lost.number == before.Number {
		reason, sum = l.lost.reason, l.lost.sum
	}
	if before.Path != "" {
		var err error
		if sum, err = before.sum(); err != nil {
			return fmt.Errorf("%s: %w", before.Path, err)
		}
	}
	if err := l.note(l.number, auditlog.ChangeCreated, reason, sum); err != nil {
		return err
	}
	l.lost = loss{}
	return nil
}

// note writes an entry about a segment.
func (l *Log) note(number int64, change, reason, sum string) error {
	entry, err := auditlog.SegmentEntry(number, change, reason, sum, l.config.Now())
	if err != nil {
		return err
	}
	line, err := entry.Line()
	if err != nil {
		return err
	}
	text, err := encode([]auditlog.Line{line})
	if err != nil {
		return err
	}
	return l.write(text)
}

// ready makes sure that text may be appended to the file: it is the file at the log's path, and has room.
func (l *Log) ready(text int64) error {
	if l.file != nil {
		if err := l.check(); err != nil {
			return err
		}
	}
	if l.file != nil && l.isDue(text) {
		if err := l.close(); err != nil {
			if l.file == nil {
				return err
			}
			l.stay(err)
		}
	}
	if l.file == nil {
		return l.begin()
	}
	return nil
}

// stay says, once, that the log goes on in a file that is full.
func (l *Log) stay(err error) {
	if !l.stuck {
		l.config.Lost(fmt.Sprintf("segment %d could not be closed, and goes on growing: %v", l.number, err))
	}
	l.stuck = true
}

// isDue reports whether the segment is full, or its month is over. A clock that goes back ends none.
func (l *Log) isDue(text int64) bool {
	if l.size == 0 {
		return false
	}
	const month = "2006-01"
	return l.size+text > l.config.MaxSize || l.config.Now().UTC().Format(month) > l.month.UTC().Format(month)
}

// close gives the file the name of a closed segment.
func (l *Log) close() error {
	if err := l.cut(); err != nil {
		return err
	}
	if err := l.leave(); err != nil {
		return err
	}
	if err := l.setAside(l.number); err != nil {
		return errors.Join(err, l.begin())
	}
	l.stuck = false
	return nil
}

// setAside gives the file at the log's path the name of the closed segment of that number, or of the next that is free.
func (l *Log) setAside(number int64) error {
	closed, err := ClosedSegments(l.path)
	if err != nil {
		return err
	}
	if len(closed) > 0 {
		number = max(number, closed[len(closed)-1].Number+1)
	}
	if err := os.Rename(l.path, closedPath(l.path, number, l.month)); err != nil {
		return fmt.Errorf("close segment %d: %w", number, err)
	}
	return l.config.syncFolder(filepath.Dir(l.path))
}

// Check looks whether the file is still there as it was left. Append does so, too; a log that nothing is appended to is looked at
// now and then.
func (l *Log) Check() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	return l.ready(0)
}

// check notices a file that was cut, moved away, removed or written to by someone else. Such a file is closed, so that nothing
// is written after a gap, or where nobody finds it.
func (l *Log) check() error {
	own, err := l.file.Stat()
	if err != nil {
		return err
	}
	there, err := os.Stat(l.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return l.abandon("it was moved away or removed")
	case err != nil:
		return err
	case !os.SameFile(own, there):
		return l.abandon("another file is in its place")
	case own.Size() < l.size:
		return l.abandonCut(own.Size())
	case own.Size() > l.size && !l.torn:
		l.tell(fmt.Sprintf("%d bytes were written to it by someone else", own.Size()-l.size))
		if err := l.restore(); err != nil {
			return err
		}
		return l.close()
	default:
		return nil
	}
}

func (l *Log) tell(what string) {
	l.config.Lost(fmt.Sprintf("segment %d (%s): %s; the log goes on in a new file", l.number, l.path, what))
}

// abandon closes a file that is no longer at the log's path. It hashes the content first: if the file is put back under the
// name of a closed segment, it can be verified.
func (l *Log) abandon(what string) error {
	sum, err := sumOf(io.NewSectionReader(l.file, 0, l.size))
	if err != nil {
		sum = ""
	}
	l.tell(what + "; as " + filepath.Base(closedPath(l.path, l.number, l.month)) + " it belongs to the log again")
	l.lost = loss{number: l.number, reason: auditlog.ReasonMoved, sum: sum}
	if err := l.leave(); err != nil {
		return err
	}
	return l.setStrangerAside()
}

// setStrangerAside closes a file with content that someone put in the log's place, as a segment of its own.
func (l *Log) setStrangerAside() error {
	info, err := os.Stat(l.path)
	if err != nil || info.Size() == 0 {
		return nil //nolint:nilerr // it is made next.
	}
	return l.setAside(l.number + 1)
}

// abandonCut closes a file whose end was cut off while it was open. The rest is kept as a segment.
func (l *Log) abandonCut(left int64) error {
	l.tell(fmt.Sprintf("it was cut from %d bytes to %d", l.size, left))
	l.lost = loss{number: l.number, reason: auditlog.ReasonCut}
	if left == 0 {
		return l.leave()
	}
	l.size, l.torn = left, false
	return l.close()
}

// Expire removes the oldest closed segment if everything in it is older than keep, and returns its path; empty if there was
// none. The age counts from the latest appended line, so a wrong clock alone removes nothing.
func (l *Log) Expire(keep time.Duration) (removed string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	closed, err := ClosedSegments(l.path)
	if err != nil || len(closed) == 0 || l.newest.IsZero() || l.closed {
		return "", err
	}
	now := l.config.Now()
	if l.newest.Before(now) {
		now = l.newest
	}
	next := Segment{Path: l.path}
	if len(closed) > 1 {
		next = closed[1]
	}
	// The next segment begins when this one has ended.
	if _, ended, _ := next.header(); ended.IsZero() || ended.After(now.Add(-keep)) {
		return "", nil
	}
	if err := l.ready(0); err != nil {
		return "", err
	}
	if err := l.note(closed[0].Number, auditlog.ChangeExpired, "", ""); err != nil {
		return "", err
	}
	if err := os.Remove(closed[0].Path); err != nil {
		return "", fmt.Errorf("remove an old segment: %w", err)
	}
	return closed[0].Path, l.config.syncFolder(filepath.Dir(l.path))
}
