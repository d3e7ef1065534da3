package jsonlines

import (
	"errors"
	"fmt"
	"io"

	"quickdumpnow.com/smsrelay/shared/auditlog"
)

// Read calls visit for each line of the audit log at path, in the order in which they were appended, segment by segment. A torn last
// line is passed over: it is being written just now, or a crash tore it. The error is visit's own, or says which line cannot be
// read.
func Read(path string, visit func(auditlog.Line) error) error {
	err := EachSegment(path, func(s Segment, lines *Scanner, _ func() string) error {
		if err := read(lines, visit); err != nil {
			return fmt.Errorf("%s: %w", s.Path, err)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read audit log: %w", err)
	}
	return nil
}

func read(lines *Scanner, visit func(auditlog.Line) error) error {
	for {
		switch line, err := lines.Next(); {
		case errors.Is(err, io.EOF) || line.Torn:
			return nil
		case err != nil:
			return err
		case line.Time.IsZero():
			return fmt.Errorf("line %d: %w", line.Number, errLine)
		default:
			if err := visit(line); err != nil {
				return err
			}
		}
	}
}
