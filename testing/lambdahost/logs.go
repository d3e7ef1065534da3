//go:build unix

package lambdahost

import (
	"bytes"
	"context"
	"log/slog"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/aws/cloudwatch"
)

// shipper brings what a function prints to its log group, with the function's own permissions, as Lambda does.
type shipper struct {
	log    *cloudwatch.Log
	lines  chan auditlog.Line
	now    func() time.Time
	logger *slog.Logger
}

const (
	// shipEvery is how long lines gather before they are shipped, shipMost how many may wait.
	shipEvery = 200 * time.Millisecond
	shipMost  = 1 << 16
)

func newShipper(log *cloudwatch.Log, now func() time.Time, logger *slog.Logger) *shipper {
	return &shipper{log: log, lines: make(chan auditlog.Line, shipMost), now: now, logger: logger}
}

// take takes one line. It waits only if a very great many wait already.
func (s *shipper) take(line []byte) {
	if len(line) > 0 {
		s.lines <- auditlog.Line{Time: s.now(), Text: bytes.Clone(line)}
	}
}

// run ships until ctx ends, and then what is left.
func (s *shipper) run(ctx context.Context) {
	tick := time.NewTicker(shipEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.ship(ctx)
		case <-ctx.Done():
			s.ship(context.WithoutCancel(ctx))
			return
		}
	}
}

func (s *shipper) ship(ctx context.Context) {
	var batch []auditlog.Line
	for {
		select {
		case line := <-s.lines:
			batch = append(batch, line)
			continue
		default:
		}
		break
	}
	if len(batch) == 0 {
		return
	}
	if err := s.log.Append(context.WithoutCancel(ctx), batch); err != nil {
		s.logger.LogAttrs(ctx, slog.LevelError, "function's log not shipped", slog.String("error", err.Error()))
	}
}
