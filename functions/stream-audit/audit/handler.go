// Package audit turns the changes of the ledger, of the routing table and of the conversations into audit entries and writes them
// to the audit log. It makes no changes itself, and it neither stores nor shows a number in full, the text of a message or the name
// of a customer.
package audit

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// Config is what a Handler is made of. Every field is needed.
type Config struct {
	// Log keeps the entries.
	Log auditlog.Log
	// SetAside stores a whole change from which no entry can be made or kept, under a name of its own. It returns nil only when
	// the change is stored durably. If SetAside is nil or fails, such a change is reported as failed, and its shard waits.
	SetAside func(ctx context.Context, name string, change []byte) error
	// Now is the clock.
	Now func() time.Time
	// Logger gets one line for each batch, Emit its measurements.
	Logger *slog.Logger
	Emit   telemetry.Emit
}

// Handler serves one batch at a time or many; it keeps no state.
type Handler struct{ config Config }

// New returns a Handler.
func New(config Config) *Handler { return &Handler{config: config} }

// Handle writes one batch of changes to the log, in the stream's order; it passes over the items that are not audited. A change that
// can never make an entry, or whose entry the log will never accept, is set aside, with an entry that says so, and delays no other.
// Handle stops at the first change that could not be written now, or not be set aside, and reports its SequenceNumber, so that the
// stream continues there. Later entries may already be in the log, and come again under the same ID. The error is always nil.
func (h *Handler) Handle(ctx context.Context, batch events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
	records := audited(batch.Records)
	entries, lines, broken := h.read(ctx, records)
	kept, err := h.keep(ctx, records, entries, lines)
	if err == nil {
		err = broken
	}
	h.report(ctx, records, entries[:kept], err)
	if err == nil {
		return events.DynamoDBEventResponse{BatchItemFailures: []events.DynamoDBBatchItemFailure{}}, nil
	}
	failed := events.DynamoDBBatchItemFailure{ItemIdentifier: records[kept].Change.SequenceNumber}
	return events.DynamoDBEventResponse{BatchItemFailures: []events.DynamoDBBatchItemFailure{failed}}, nil
}

// audited returns the records that belong in the audit log.
func audited(records []events.DynamoDBEventRecord) []events.DynamoDBEventRecord {
	chosen := make([]events.DynamoDBEventRecord, 0, len(records))
	for _, record := range records {
		if isAudited(record) {
			chosen = append(chosen, record)
		}
	}
	return chosen
}

// read makes the entries of the records up to the first that is unreadable and cannot be set aside, and says what is wrong
// with that one.
func (h *Handler) read(ctx context.Context, records []events.DynamoDBEventRecord) ([]auditlog.Entry, []auditlog.Line, error) {
	entries := make([]auditlog.Entry, 0, len(records))
	lines := make([]auditlog.Line, 0, len(records))
	for _, record := range records {
		entry, err := entryOf(record)
		if err != nil {
			entry, err = h.setAside(ctx, record, err)
		}
		if err != nil {
			return entries, lines, err
		}
		line, err := entry.Line()
		if err != nil {
			return entries, lines, err
		}
		entries, lines = append(entries, entry), append(lines, line)
	}
	return entries, lines, nil
}

// keep writes the lines to the log and returns how many of them, from the first, are certainly there. It replaces a line that
// the log will never accept with a line that says so.
func (h *Handler) keep(ctx context.Context, records []events.DynamoDBEventRecord, entries []auditlog.Entry,
	lines []auditlog.Line,
) (kept int, err error) {
	for kept < len(lines) {
		err := h.config.Log.Append(ctx, lines[kept:])
		if err == nil {
			break
		}
		kept += min(keptOf(err), len(lines)-kept-1)
		if fault.Of(err).Kind == fault.Permanent && kept+1 < len(lines) {
			// Another line of the same call may be the cause, so this one is tried on its own.
			if err = h.config.Log.Append(ctx, lines[kept:kept+1]); err == nil {
				kept++
				continue
			}
		}
		if fault.Of(err).Kind != fault.Permanent || entries[kept].Subject == auditlog.SubjectUnreadable {
			return kept, err
		}
		if entries[kept], err = h.setAside(ctx, records[kept], err); err != nil {
			return kept, err
		}
		if lines[kept], err = entries[kept].Line(); err != nil {
			return kept, err
		}
	}
	return len(lines), nil
}

// keptOf returns how many lines the log has surely kept.
func keptOf(err error) int {
	if incomplete, ok := errors.AsType[*auditlog.IncompleteError](err); ok {
		return incomplete.Kept
	}
	return 0
}

// report writes the batch's one log line and its measurements.
func (h *Handler) report(ctx context.Context, records []events.DynamoDBEventRecord, kept []auditlog.Entry, err error) {
	measurements := []telemetry.Measurement{
		{Name: telemetry.MetricAuditEntries, Unit: telemetry.Count, Value: float64(len(kept))},
		{Name: telemetry.MetricRouteChanges, Unit: telemetry.Count, Value: float64(ofSubject(kept, auditlog.SubjectRoute))},
	}
	if aside := ofSubject(kept, auditlog.SubjectUnreadable); aside > 0 {
		measurements = append(measurements,
			telemetry.Measurement{Name: telemetry.MetricAuditSetAside, Unit: telemetry.Count, Value: float64(aside)})
	}
	if len(kept) > 0 {
		lag := h.config.Now().Sub(oldest(kept))
		measurements = append(measurements,
			telemetry.Measurement{Name: telemetry.MetricAuditLag, Unit: telemetry.Milliseconds, Value: float64(lag.Milliseconds())})
	}
	level, attrs := slog.LevelInfo, []slog.Attr{slog.Int("records", len(records)), slog.Int("entries", len(kept))}
	if err != nil {
		level = slog.LevelError
		attrs = append(attrs, slog.String("sequence_number", records[len(kept)].Change.SequenceNumber), slog.String("error", err.Error()))
		measurements = append(measurements, telemetry.Measurement{Name: telemetry.MetricAuditFailures, Unit: telemetry.Count, Value: 1})
	}
	h.config.Emit(measurements...)
	h.config.Logger.LogAttrs(ctx, level, "changes audited", attrs...)
}

// ofSubject counts the entries with a subject.
func ofSubject(entries []auditlog.Entry, subject string) int {
	n := 0
	for _, entry := range entries {
		if entry.Subject == subject {
			n++
		}
	}
	return n
}

func oldest(entries []auditlog.Entry) time.Time {
	first := entries[0].Time
	for _, entry := range entries[1:] {
		if entry.Time.Before(first) {
			first = entry.Time
		}
	}
	return first
}
