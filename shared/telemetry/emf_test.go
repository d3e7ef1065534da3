package telemetry_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/telemetry"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func emit(measurements ...telemetry.Measurement) []string {
	var out bytes.Buffer
	telemetry.NewEMF(&out, func() time.Time { return noon })(measurements...)
	if out.Len() == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

func TestEMFWritesOneLineForAUnitOfWork(t *testing.T) {
	got := emit(
		telemetry.Measurement{Name: "Entries", Unit: telemetry.Count, Value: 2},
		telemetry.Measurement{Name: "Entries", Unit: telemetry.Count, Value: 3},
		telemetry.Measurement{Name: "Lag", Unit: telemetry.Milliseconds, Value: 7},
		telemetry.Measurement{Name: "Lag", Unit: telemetry.Milliseconds, Value: 9},
		telemetry.Measurement{Name: "Lag", Unit: telemetry.Milliseconds, Value: 11},
	)
	want := []string{`{"Entries":5,"Lag":[7,9,11],"_aws":{"Timestamp":1795521600000,"CloudWatchMetrics":[{"Namespace":"SMSRelay",` +
		`"Dimensions":[[]],"Metrics":[{"Name":"Entries","Unit":"Count"},{"Name":"Lag","Unit":"Milliseconds"}]}]}}`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("EMF lines (-want +got):\n%s", diff)
	}
}

func TestEMFKeepsDimensionsApart(t *testing.T) {
	reason := func(value string) telemetry.Dimension { return telemetry.Dimension{Name: "Reason", Value: value} }
	got := emit(
		telemetry.Measurement{Name: "Rejected", Unit: telemetry.Count, Value: 1, Dimension: reason("signature")},
		telemetry.Measurement{Name: "Rejected", Unit: telemetry.Count, Value: 1, Dimension: reason("method")},
	)
	want := []string{
		`{"Reason":"method","Rejected":1,"_aws":{"Timestamp":1795521600000,"CloudWatchMetrics":[{"Namespace":"SMSRelay",` +
			`"Dimensions":[[],["Reason"]],"Metrics":[{"Name":"Rejected","Unit":"Count"}]}]}}`,
		`{"Reason":"signature","Rejected":1,"_aws":{"Timestamp":1795521600000,"CloudWatchMetrics":[{"Namespace":"SMSRelay",` +
			`"Dimensions":[[],["Reason"]],"Metrics":[{"Name":"Rejected","Unit":"Count"}]}]}}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("EMF lines (-want +got):\n%s", diff)
	}
}

func TestEMFWritesNothingForNothing(t *testing.T) {
	if got := emit(); got != nil {
		t.Errorf("lines = %q, want none", got)
	}
}
