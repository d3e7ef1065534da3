package auditsource

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
)

// Follower reads a log as it grows.
type Follower struct {
	Source *Source
	// Since is the earliest time of the lines. Lines whose time is only in their text are passed on, too.
	Since time.Time
	// Interval is how often the log is read, Overlap how far back each read of CloudWatch Logs goes: lines may arrive there late and
	// in any order.
	Interval, Overlap time.Duration
	Now               func() time.Time
}

// Run calls visit once for each line since then, until ctx ends, which is not an error. The errors are visit's and the log's.
func (f Follower) Run(ctx context.Context, visit func(auditlog.Line) error) error {
	look, done, err := f.lookOf()
	if err != nil {
		return err
	}
	ticker := time.NewTicker(f.Interval)
	defer ticker.Stop()
	for err == nil {
		if err = look(ctx, visit); err != nil && ctx.Err() != nil {
			err = nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, done())
		case <-ticker.C:
		}
	}
	return errors.Join(err, done())
}

// look reads what is new.
type look func(ctx context.Context, visit func(auditlog.Line) error) error

func (f Follower) lookOf() (look, func() error, error) {
	if !f.Source.Numbered {
		return f.again(), func() error { return nil }, nil
	}
	files := &growingFile{path: f.Source.Where, segmented: f.Source.Segmented}
	if err := files.open(); err != nil {
		return nil, nil, err
	}
	return f.onward(files), files.close, nil
}

// onward reads a file from where the last read ended. An incomplete last line waits for the next read.
func (f Follower) onward(files *growingFile) look {
	began := false
	return func(ctx context.Context, visit func(auditlog.Line) error) error {
		wanted := func(line auditlog.Line) error {
			if line.Torn || !line.Time.IsZero() && line.Time.Before(f.Since) {
				return nil
			}
			return visit(line)
		}
		if !began && f.Source.Segmented {
			if err := files.closedSince(ctx, f.Since, wanted); err != nil {
				return err
			}
		}
		began = true
		return files.look(ctx, wanted)
	}
}

// again reads the newest part of CloudWatch Logs again, and skips lines that were seen before.
func (f Follower) again() look {
	from, seen := f.Since, map[[sha256.Size]byte]time.Time{}
	return func(ctx context.Context, visit func(auditlog.Line) error) error {
		now := f.Now()
		err := f.Source.Read(ctx, Query{From: from}, func(line auditlog.Line) error {
			sum := sha256.Sum256(line.Text)
			if _, known := seen[sum]; known {
				return nil
			}
			seen[sum] = line.Time
			return visit(line)
		})
		if err != nil {
			return err
		}
		if back := now.Add(-f.Overlap); back.After(from) {
			from = back
		}
		for sum, at := range seen {
			if at.Before(from) {
				delete(seen, sum)
			}
		}
		return nil
	}
}
