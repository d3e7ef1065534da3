package auditlog

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// SubjectSegment is an entry about the log itself, where the log is a row of files: it begins a segment (created), with the number
// of the segment as its Version and the hash of the whole file before it as Prev; or it says that the segments up to its Version
// were too old to be kept (expired).
const SubjectSegment = "segment"

// Why a segment began before the one before it was full: somebody cut that file, or moved it away or removed it.
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
	// sums are those of the segments that are there, by number; the last has none.
	sums map[int64]string
	// heads are the entries that began segments, by number.
	heads   map[int64]Entry
	expired int64
}

// Segment says that a segment of that number is there, and the hash of its file; empty of the one that is still written to. It is
// called when the segment's lines were added.
func (v *Verifier) Segment(number int64, sum string) {
	v.segments.sums[number] = sum
}

// Begins returns the number of the segment that the line begins; ok is false if it begins none.
func Begins(line Line) (number int64, ok bool) {
	entry, err := Parse(line.Text)
	return entry.Version, err == nil && entry.Subject == SubjectSegment && entry.Change == ChangeCreated
}

// note keeps what an entry says of segments.
func (s *segments) note(entry Entry) {
	switch entry.Change {
	case ChangeCreated:
		s.heads[entry.Version] = entry
	case ChangeExpired:
		s.expired = max(s.expired, entry.Version)
	}
}

// check holds the segments against each other.
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
