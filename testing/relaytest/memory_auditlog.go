package relaytest

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
)

// MemoryAuditLog is an auditlog.Log, and an auditlog.Trail, in memory that keeps its contract. The zero value is an empty log.
type MemoryAuditLog struct {
	// Fault, if set before the log is used, is asked about "Find", "Append", and within it about "Line" for each line: an error
	// there keeps the lines before. What Append returns holds the error in an *auditlog.IncompleteError.
	Fault Fault

	mu   sync.Mutex
	kept []auditlog.Line
}

// Append implements [auditlog.Log].
func (l *MemoryAuditLog) Append(ctx context.Context, lines []auditlog.Line) error {
	if err := l.Fault.before(ctx, "Append"); err != nil {
		return &auditlog.IncompleteError{Err: err}
	}
	for i, line := range lines {
		if err := l.Fault.before(ctx, "Line"); err != nil {
			return &auditlog.IncompleteError{Kept: i, Err: err}
		}
		l.keep(line)
		if err := l.Fault.after("Line"); err != nil {
			return &auditlog.IncompleteError{Kept: i, Err: err}
		}
	}
	if err := l.Fault.after("Append"); err != nil {
		return &auditlog.IncompleteError{Err: err}
	}
	return nil
}

func (l *MemoryAuditLog) keep(line auditlog.Line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept = append(l.kept, auditlog.Line{Time: line.Time, Text: bytes.Clone(line.Text)})
}

// Find implements [auditlog.Trail].
func (l *MemoryAuditLog) Find(ctx context.Context, messageSid string, from, to time.Time) ([]auditlog.Entry, error) {
	if err := l.Fault.before(ctx, "Find"); err != nil {
		return nil, err
	}
	var entries []auditlog.Entry
	for _, line := range l.Lines() {
		if entry, ok := auditlog.EntryOf(line, messageSid); ok && !line.Time.Before(from) && !line.Time.After(to) {
			entries = append(entries, entry)
		}
	}
	return entries, nil
}

// Lines returns the lines kept, in the order in which they came.
func (l *MemoryAuditLog) Lines() []auditlog.Line {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.kept)
}
