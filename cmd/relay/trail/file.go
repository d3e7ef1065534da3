package trail

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/jsonlines"
)

// maxLine is longer than any line of either log.
const maxLine = 4 << 20

// File returns the log in a file: one that relay serve writes, or entries one a line, alone or behind a time as CloudWatch Logs
// exports them, also compressed with gzip.
func File(path string) (*Source, error) {
	file, err := os.Open(path) //nolint:gosec // the operator names the file.
	if err != nil {
		return nil, err
	}
	first := make([]byte, len(fileBegins))
	n, _ := io.ReadFull(file, first)
	if err := file.Close(); err != nil {
		return nil, err
	}
	return &Source{
		// Exported lines are in order of time, and those of the same millisecond in none.
		Where: path, Ordered: string(first[:n]) == fileBegins, Numbered: true,
		Read: func(ctx context.Context, _ Query, visit func(auditlog.Line) error) error {
			if err := readFile(ctx, path, visit); err != nil {
				return fmt.Errorf("read %s: %w", path, err)
			}
			return nil
		},
	}, nil
}

// fileBegins is what a file that relay serve writes begins with.
const fileBegins = `{"@timestamp":`

func readFile(ctx context.Context, path string, visit func(auditlog.Line) error) error {
	file, err := os.Open(path) //nolint:gosec // the operator names the file.
	if err != nil {
		return err
	}
	return errors.Join(readLines(ctx, file, visit), file.Close())
}

func readLines(ctx context.Context, file io.Reader, visit func(auditlog.Line) error) error {
	buffered := bufio.NewReader(file)
	if magic, _ := buffered.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unpacked, err := gzip.NewReader(buffered)
		if err != nil {
			return err
		}
		buffered = bufio.NewReader(unpacked)
	}
	for number := 1; ; number++ {
		text, err := nextLine(buffered)
		if ended := errors.Is(err, io.EOF); err != nil && !ended {
			return fmt.Errorf("line %d: %w", number, err)
		} else if ended && !json.Valid(text) {
			// It is being written just now, or a crash tore it.
			return nil
		} else if err := visit(lineOf(text)); err != nil || ended {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

var errTooLong = errors.New("it is longer than any line of an audit log")

// nextLine returns the next line without its newline. The error is io.EOF with what stands behind the last newline.
func nextLine(file *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := file.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxLine:
			return nil, errTooLong
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil:
			return line, err
		default:
			return bytes.TrimSuffix(line[:len(line)-1], []byte("\r")), nil
		}
	}
}

// lineOf reads a line in any of the forms. What has none of them comes as it is.
func lineOf(text []byte) auditlog.Line {
	if line, ok := jsonlines.Decode(text); ok {
		return line
	}
	if stamp, entry, ok := bytes.Cut(text, []byte(" {")); ok {
		if at, err := time.Parse(time.RFC3339, string(stamp)); err == nil {
			return auditlog.Line{Time: at, Text: append([]byte("{"), entry...)}
		}
	}
	return auditlog.Line{Text: text}
}
