package auditlog

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// SubjectSegment is an entry about the log itself, if the log is a series of files. It begins a segment (created), with the
// segment's number as Version and the hash of the whole file before it as Prev. Or it says that the segments up to Version
// were too old to be kept (expired).
const SubjectSegment = "segment"

// Why a segment began before the one before it was full: someone cut, moved or removed that file.
const (
	ReasonCut   = "cut"
	ReasonMoved = "moved"
)

// SegmentEntry makes an entry about a segment.
func SegmentEntry(number int64, change, reason, prev string, at time.Time) (Entry, error) {
	entry := Entry{
		ID: segmentID(number), Time: at.UTC().Truncate(time.Millisecond), Subject: SubjectSegment, Change: change,
		Version: number, Reason: reason, Prev: prev,
	}
	if change == ChangeExpired {
		entry.ID += "." + change
	}
	err := entry.hash()
	return entry, err
}

func segmentID(number int64) string { return "segment:" + strconv.FormatInt(number, 10) }

// segments is what is kept of a log's segments.
type segments struct {
	// sums are the hashes of the existing segments, by number; the last has none.
	sums map[int64]string
	// heads are the entries that began segments, by number.
	heads   map[int64]Entry
	expired int64
}

// Segment says that the segment with that number exists, and gives the hash of its file; the hash is empty for the segment
// that is still written to. Call it after adding the segment's lines.
func (v *Verifier) Segment(number int64, sum string) {
	v.segments.sums[number] = sum
}

// Begins returns the number of the segment that the line begins; ok is false if it begins none.
func Begins(line Line) (number int64, ok bool) {
	entry, err := Parse(line.Text)
	return entry.Version, err == nil && entry.Subject == SubjectSegment && entry.Change == ChangeCreated
}

// note keeps what an entry says about segments.
func (s *segments) note(entry Entry) {
	switch entry.Change {
	case ChangeCreated:
		s.heads[entry.Version] = entry
	case ChangeExpired:
		s.expired = max(s.expired, entry.Version)
	}
}

// check compares the segments with each other.
func (s *segments) check(add func(Finding)) {
	if len(s.sums) == 0 {
		return
	}
	newest := slices.Max(slices.Collect(maps.Keys(s.sums)))
	for n := s.expired + 1; n < newest; n++ {
		sum, there := s.sums[n]
		next, told := s.heads[n+1]
		_, nextThere := s.sums[n+1]
		found := func(kind, format string) {
			add(Finding{Kind: kind, ID: segmentID(n), Detail: fmt.Sprintf(format, n)})
		}
		switch {
		case next.Reason == ReasonCut:
			found(KindGap, "segment %d was cut while the relay ran: its end, or all of it, is lost")
		case !there:
			found(KindGap, "segment %d is missing: its file was removed or moved away")
		case told && next.Prev != sum:
			found(KindEdit, "segment %d is not as it was when it was closed")
		case !told && nextThere:
			found(KindEdit, "the segment after segment %d does not begin with its hash")
		}
	}
}
