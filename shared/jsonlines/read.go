package jsonlines

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"quickdumpnow.com/smsrelay/shared/auditlog"
)

// Read calls visit for each line of the audit log at path, in the order in which they were appended. A last line without
// its end is passed over: it is being written just now, or a crash tore it. The error is visit's own, or says which
// line cannot be read.
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
	lines := bufio.NewReader(file)
	for number := 1; ; number++ {
		text, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		line, err := decode(text[:len(text)-1])
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		if err := visit(line); err != nil {
			return err
		}
	}
}

// Decode reads one line of the log, without its newline; ok is false if it is none.
func Decode(text []byte) (line auditlog.Line, ok bool) {
	line, err := decode(text)
	return line, err == nil
}
