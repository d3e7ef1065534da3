package audit

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// setAside keeps a change whole where someone can find it, and returns the entry that says so. The error is cause if there is
// nowhere to keep it.
func (h *Handler) setAside(ctx context.Context, record events.DynamoDBEventRecord, cause error) (auditlog.Entry, error) {
	if h.config.SetAside == nil {
		return auditlog.Entry{}, cause
	}
	text, err := json.Marshal(record)
	if err != nil {
		return auditlog.Entry{}, errors.Join(cause, err)
	}
	name := nameOf(record)
	if err := h.config.SetAside(ctx, name, text); err != nil {
		return auditlog.Entry{}, errors.Join(cause, err)
	}
	h.config.Logger.LogAttrs(ctx, slog.LevelError, "change set aside", slog.String("sequence_number", record.Change.SequenceNumber),
		slog.String("object", name), slog.String("error", cause.Error()))
	return auditlog.Entry{
		ID: auditlog.SubjectUnreadable + ":" + record.EventID + "@" + record.Change.SequenceNumber,
		// It is dated now: the reason may be that the change's own time is too old or too new for the log.
		Time: ledger.Stamp(h.config.Now()), Subject: auditlog.SubjectUnreadable, Change: record.EventName, Object: name,
	}, nil
}

// nameOf returns the name under which a change is set aside: the day of the change and its identity in the stream, the same
// however often it comes.
func nameOf(record events.DynamoDBEventRecord) string {
	day := record.Change.ApproximateCreationDateTime.UTC().Format("2006/01/02")
	return auditlog.SubjectUnreadable + "/" + day + "/" + record.EventID + "-" + record.Change.SequenceNumber + ".json"
}
