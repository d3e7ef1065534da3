package dashboards

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/serve/onehost"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	"quickdumpnow.com/smsrelay/testing/dashboards/drawing"
)

// capital is where a word begins in a metric's name.
var capital = regexp.MustCompile(`([a-z])([A-Z])`)

// checkOneHost wants each series that the handlers' metrics become on one host to be there, at 0, before the first text: Prometheus sees no
// increase from a series that begins with its first event.
func checkOneHost(t *testing.T, emitted *drawing.Metrics) {
	t.Helper()
	body := freshMetrics(t)
	for _, key := range emitted.Keys() {
		if key.Namespace != telemetry.Namespace || key.Name == telemetry.MetricColdStart {
			continue
		}
		name := "smsrelay_" + strings.ToLower(capital.ReplaceAllString(key.Name, "${1}_$2"))
		labels := ""
		if dimension, value, ok := strings.Cut(key.Dimensions, "="); ok {
			labels = fmt.Sprintf("{%s=%q}", strings.ToLower(dimension), value)
		} else if strings.Contains(body, "\n"+name+"_total{") {
			// The total of a metric with a dimension is a sum to Prometheus.
			continue
		}
		if !strings.Contains(body, "\n"+name+"_total"+labels+" 0\n") && !strings.Contains(body, "\n"+name+"_seconds_count"+labels+" 0\n") {
			t.Errorf("a relay on one host begins without a series for %s", key)
		}
	}
}

// freshMetrics is what a relay on one host exposes before it has anything to do.
func freshMetrics(t *testing.T) string {
	t.Helper()
	relay, err := onehost.Open(t.Context(), onehost.Config{
		Listen: "127.0.0.1:0", Data: t.TempDir(), AccountSid: "AC00000000000000000000000000000001",
		AuthTokens: []string{authToken}, TwilioBaseURL: "http://127.0.0.1:1", RetryBase: time.Second, MaxAttempts: 3, SendTimeout: time.Second,
		ReconcileLooks: 1, ReconcileInterval: time.Second, Retention: 400 * time.Hour, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := relay.Close(); err != nil {
			t.Error(err)
		}
	})
	recorder := &httptest.ResponseRecorder{Body: &bytes.Buffer{}}
	relay.Metrics().ServeHTTP(recorder, &http.Request{Method: http.MethodGet, Header: http.Header{}})
	return recorder.Body.String()
}
