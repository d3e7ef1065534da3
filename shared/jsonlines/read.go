package jsonlines

import (
	"errors"
	"fmt"
	"io"
	"os"

	"quickdumpnow.com/smsrelay/shared/auditlog"
)

// Read calls visit for each line of the audit log at path, in the order in which they were appended. A torn last line is passed
// over: it is being written just now, or a crash tore it. The error is visit's own, or says which line cannot be read.
func Read(path string, visit func(auditlog.Line) error) error {
	file, err := os.Open(path) //nolint:gosec // the path is the operator's own setting
	if err != nil {
		return fmt.Errorf("read audit log: %w", err)
	}
	err = read(file, visit)
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("read audit log %s: %w", path, err)
	}
	return nil
}

func read(file io.Reader, visit func(auditlog.Line) error) error {
	lines, err := NewScanner(file)
	for err == nil {
		var line auditlog.Line
		switch line, err = lines.Next(); {
		case errors.Is(err, io.EOF) || line.Torn:
			return nil
		case err == nil && line.Time.IsZero():
			err = fmt.Errorf("line %d: %w", line.Number, errLine)
		case err == nil:
			err = visit(line)
		}
	}
	return err
}
