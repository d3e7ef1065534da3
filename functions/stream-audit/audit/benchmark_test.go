package audit_test

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/functions/stream-audit/audit"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// BenchmarkHandle measures a full batch of 100 changes without the log's own work.
func BenchmarkHandle(b *testing.B) {
	var records []events.DynamoDBEventRecord
	for n := 0; len(records) < 100; n++ {
		records = slices.Concat(records, changes(len(records), life(n, noon)))
	}
	batch := events.DynamoDBEvent{Records: records[:100]}
	clock := newStage(nil).clock
	handler := audit.New(audit.Config{
		Log: logFunc(func([]auditlog.Line) error { return nil }), Now: clock.Now,
		Logger: slog.New(slog.DiscardHandler), Emit: telemetry.NewEMF(io.Discard, clock.Now),
	})
	b.ReportAllocs()
	for b.Loop() {
		response, err := handler.Handle(context.Background(), batch)
		if err != nil || len(response.BatchItemFailures) > 0 {
			b.Fatalf("%d changes failed, error %v", len(response.BatchItemFailures), err)
		}
	}
}
