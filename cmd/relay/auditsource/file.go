package auditsource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/onehost/jsonlines"
)

// File returns the log in a file: one that relay serve writes, or entries one per line, alone or after a time as CloudWatch Logs
// exports them, also compressed with gzip.
//
// If path is a folder, it is the folder of relay serve or a copy of it: its log is all segments.
func File(path string) (*Source, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return segmentsIn(path)
	}
	ordered := false
	err := withLines(path, func(lines *jsonlines.Scanner) error {
		// Exported lines are in order of time, but those of the same millisecond are in no order.
		ordered = lines.IsLog()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &Source{
		Where: path, Ordered: ordered, Numbered: true, PlaceOf: func(number int) string { return fmt.Sprintf("line %d", number) },
		Read: func(ctx context.Context, _ Query, visit func(auditlog.Line) error) error {
			return withLines(path, func(lines *jsonlines.Scanner) error { return readLines(ctx, lines, visit) })
		},
	}, nil
}

// withLines opens a file and passes on its lines.
func withLines(path string, read func(*jsonlines.Scanner) error) error {
	file, err := os.Open(path) //nolint:gosec // the operator names the file.
	if err != nil {
		return err
	}
	lines, err := jsonlines.NewScanner(file)
	if err == nil {
		err = read(lines)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

func readLines(ctx context.Context, lines *jsonlines.Scanner, visit func(auditlog.Line) error) error {
	for {
		line, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = visit(line)
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
	}
}
