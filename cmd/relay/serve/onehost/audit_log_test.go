package onehost

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// countedFiles counts how often somebody looked after them.
type countedFiles struct {
	checks, expiries int
	kept             time.Duration
	err              error
}

func (c *countedFiles) Check() error {
	c.checks++
	return c.err
}

func (c *countedFiles) Expire(keep time.Duration) (string, error) {
	c.expiries++
	c.kept = keep
	return "audit-000001-2026-11.jsonl", nil
}

// TestAuditFilesAreLookedAfter: a file that somebody moved away is noticed within a minute, and old ones go.
func TestAuditFilesAreLookedAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		files := &countedFiles{err: errors.New("moved away")}
		ctx, stop := context.WithTimeout(t.Context(), 2*time.Hour+time.Second)
		defer stop()
		if err := keepAuditLog(ctx, files, 400*time.Hour, slog.New(slog.NewTextHandler(&log, nil))); err != nil {
			t.Error(err)
		}
		if files.checks != 120 || files.expiries != 2 || files.kept != 400*time.Hour {
			t.Errorf("in two hours, %d checks and %d expiries of what is older than %v", files.checks, files.expiries, files.kept)
		}
		if strings.Count(log.String(), "level=ERROR") != 120 || strings.Count(log.String(), "old audit entries removed") != 2 {
			t.Errorf("logged %d lines, want each check that failed and each file that went", strings.Count(log.String(), "\n"))
		}
	})
}
