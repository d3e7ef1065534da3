package auditsource

import (
	"context"
	"fmt"
	"path/filepath"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/onehost/jsonlines"
)

// place is the number of a segment's first line among all lines of the log.
type place struct {
	name  string
	after int
}

// segmented reads a log that is several files.
type segmented struct {
	path   string
	places []place
}

// read passes on the lines of all segments, numbered through.
func (l *segmented) read(ctx context.Context, q Query, visit func(auditlog.Line) error) error {
	l.places = nil
	after, number := 0, int64(0)
	return jsonlines.EachSegment(l.path, func(s jsonlines.Segment, lines *jsonlines.Scanner, sum func() string) error {
		l.places = append(l.places, place{filepath.Base(s.Path), after})
		if number++; s.Number > 0 {
			number = s.Number
		}
		last := 0
		err := readLines(ctx, lines, func(line auditlog.Line) error {
			if begins, ok := auditlog.Begins(line); ok && last == 0 && s.Number == 0 {
				number = begins
			}
			last = line.Number
			line.Number += after
			return visit(line)
		})
		if err != nil {
			return fmt.Errorf("read %s: %w", s.Path, err)
		}
		after += last
		if q.Segment != nil {
			q.Segment(number, sum())
		}
		return nil
	})
}

// placeOf names a line by its segment and its number there, or only by its number if there is one segment.
func (l *segmented) placeOf(number int) string {
	if len(l.places) < 2 {
		return fmt.Sprintf("line %d", number)
	}
	at := l.places[0]
	for _, p := range l.places {
		if p.after < number {
			at = p
		}
	}
	return fmt.Sprintf("%s line %d", at.name, number-at.after)
}
