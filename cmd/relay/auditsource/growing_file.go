package auditsource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/onehost/jsonlines"
)

// growingFile is a file that is read as it grows. If another file replaces it, such as the next segment of a log, it is read to its
// end, and then the other.
type growingFile struct {
	path      string
	segmented bool
	file      *os.File
	lines     *jsonlines.Scanner
	// size is the size of the file at the last read.
	size int64
}

func (f *growingFile) open() (err error) {
	if f.file, err = os.Open(f.path); err != nil {
		return err
	}
	if f.lines, err = jsonlines.NewScanner(f.file); err != nil {
		return errors.Join(fmt.Errorf("read %s: %w", f.path, err), f.file.Close())
	}
	f.size = 0
	return nil
}

func (f *growingFile) close() error {
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}

// look reads what is new.
func (f *growingFile) look(ctx context.Context, visit func(auditlog.Line) error) error {
	for {
		replaced, err := f.isReplaced()
		if err == nil {
			// A file that another has replaced is complete.
			err = f.read(ctx, visit)
		}
		if err != nil || !replaced {
			return err
		}
		before := f.file
		err = f.open()
		if err == nil {
			err = f.between(ctx, before, visit)
		}
		if err = errors.Join(err, before.Close()); err != nil {
			return err
		}
	}
}

// between reads the segments that were begun and closed since the last read.
func (f *growingFile) between(ctx context.Context, before *os.File, visit func(auditlog.Line) error) error {
	if !f.segmented {
		return nil
	}
	own, err := before.Stat()
	if err != nil {
		return err
	}
	behind := false
	return f.closed(ctx, func(info os.FileInfo) bool {
		wanted := behind
		behind = behind || os.SameFile(info, own)
		return wanted
	}, visit)
}

func (f *growingFile) read(ctx context.Context, visit func(auditlog.Line) error) error {
	if err := readLines(ctx, f.lines, visit); err != nil {
		return fmt.Errorf("read %s: %w", f.path, err)
	}
	return nil
}

// isReplaced reports whether the log continues in another file, or from the beginning of this one.
func (f *growingFile) isReplaced() (bool, error) {
	there, err := os.Stat(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		// The next one is about to be made.
		return false, nil
	}
	if err != nil {
		return false, err
	}
	own, err := f.file.Stat()
	if err != nil {
		return false, err
	}
	cut := own.Size() < f.size
	f.size = own.Size()
	return cut || !os.SameFile(own, there), nil
}

// closedSince reads the closed segments that were written to since then.
func (f *growingFile) closedSince(ctx context.Context, since time.Time, visit func(auditlog.Line) error) error {
	return f.closed(ctx, func(info os.FileInfo) bool { return !info.ModTime().Before(since) }, visit)
}

// closed reads the closed segments that are wanted, except for the one that is open here.
func (f *growingFile) closed(ctx context.Context, wanted func(os.FileInfo) bool, visit func(auditlog.Line) error) error {
	open, err := f.file.Stat()
	if err != nil {
		return err
	}
	closed, err := jsonlines.ClosedSegments(f.path)
	if err != nil {
		return err
	}
	for _, s := range closed {
		info, err := os.Stat(s.Path)
		if err != nil || !wanted(info) || os.SameFile(info, open) {
			continue
		}
		if err := withLines(s.Path, func(lines *jsonlines.Scanner) error { return readLines(ctx, lines, visit) }); err != nil {
			return err
		}
	}
	return nil
}
