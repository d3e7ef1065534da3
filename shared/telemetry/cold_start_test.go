package telemetry_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/telemetry"
)

func TestColdStartIsCountedOnceAProcess(t *testing.T) {
	var emitted []telemetry.Measurement
	emit := func(m ...telemetry.Measurement) { emitted = append(emitted, m...) }
	broken := errors.New("broken")
	handle := telemetry.CountColdStart("sender", emit, func(_ context.Context, in string) (int, error) {
		if in == "" {
			return 0, broken
		}
		return len(in), nil
	})
	if len(emitted) != 0 {
		t.Errorf("before the first call: %v", emitted)
	}
	if _, err := handle(t.Context(), ""); !errors.Is(err, broken) {
		t.Errorf("error = %v, want the handler's", err)
	}
	if out, err := handle(t.Context(), "four"); out != 4 || err != nil {
		t.Errorf("answer = %d, %v; want the handler's", out, err)
	}
	want := []telemetry.Measurement{{
		Name: telemetry.MetricColdStart, Unit: telemetry.Count, Value: 1,
		Dimension: telemetry.Dimension{Name: "Function", Value: "sender"},
	}}
	if diff := cmp.Diff(want, emitted); diff != "" {
		t.Errorf("measurements (-want +got):\n%s", diff)
	}
}

// TestColdStartKeepsNobodyWaiting: the first call goes on while the count is written, and does not return before it is.
func TestColdStartKeepsNobodyWaiting(t *testing.T) {
	handled, counted := make(chan struct{}), false
	emit := func(...telemetry.Measurement) {
		<-handled
		counted = true
	}
	handle := telemetry.CountColdStart("sender", emit, func(context.Context, string) (int, error) {
		close(handled)
		return 1, nil
	})
	if _, err := handle(t.Context(), ""); err != nil || !counted {
		t.Errorf("counted %v, error %v", counted, err)
	}
}
