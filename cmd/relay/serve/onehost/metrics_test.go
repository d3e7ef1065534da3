package onehost

import (
	"bytes"
	"context"
	"errors"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/certificates"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// exposed is what /metrics says.
type exposed struct {
	body []byte
	// values are those of each series, by name and labels as they are written there.
	values map[string]float64
	// labels are the values that each label of each name has.
	labels map[string]map[string][]string
	help   map[string]string
}

var (
	seriesLine = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*\})? (\S+)$`)
	labelPair  = regexp.MustCompile(`([a-zA-Z_]+)="([^"]*)"`)
)

// scrape reads what a relay's /metrics says now.
func scrape(t *testing.T, m *metrics) exposed {
	t.Helper()
	recorder := httptest.NewRecorder()
	m.handler().ServeHTTP(recorder, httptest.NewRequest("GET", "/metrics", nil))
	e := exposed{
		body: bytes.Clone(recorder.Body.Bytes()), values: map[string]float64{}, labels: map[string]map[string][]string{},
		help: map[string]string{},
	}
	for line := range strings.Lines(string(e.body)) {
		line = strings.TrimSuffix(line, "\n")
		if rest, ok := strings.CutPrefix(line, "# HELP "); ok {
			name, help, _ := strings.Cut(rest, " ")
			e.help[name] = help
			continue
		}
		found := seriesLine.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		e.values[found[1]+found[2]], _ = strconv.ParseFloat(found[3], 64)
		if e.labels[found[1]] == nil {
			e.labels[found[1]] = map[string][]string{}
		}
		for _, pair := range labelPair.FindAllStringSubmatch(found[2], -1) {
			e.labels[found[1]][pair[1]] = append(e.labels[found[1]][pair[1]], pair[2])
		}
	}
	if recorder.Code != 200 || len(e.values) == 0 {
		t.Fatalf("/metrics: %d, %s", recorder.Code, e.body)
	}
	return e
}

// watchedRelay is one with a domain of its own that gets no certificate, so that every series is there.
func watchedRelay(t *testing.T) *Relay {
	t.Helper()
	config := quietConfig(t.TempDir())
	config.Certificates = certificates.Config{Domains: []string{"relay.test"}, Directory: "https://127.0.0.1:1/dir"}
	config.PublicBaseURLs = []string{"https://relay.test"}
	r, err := Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// TestEveryMetricHasItsSeries from the start, at 0, and with words that say something.
func TestEveryMetricHasItsSeries(t *testing.T) {
	e := scrape(t, watchedRelay(t).metrics)
	for constant, name := range relaytest.MetricNames(t, filepath.Join("..", "..", "..", "..")) {
		count, histogram := namespace+"_"+snake(name)+"_total", namespace+"_"+snake(name)+"_seconds_count"
		if e.labels[count] == nil && e.labels[histogram] == nil && name != telemetry.MetricColdStart {
			t.Errorf("telemetry.%s has no row in series.go", constant)
		}
	}
	for name, help := range e.help {
		if strings.HasPrefix(name, namespace) && (len(help) < 25 || !strings.HasSuffix(help, ".") && !strings.Contains(help, ": relay")) {
			t.Errorf("%s: %q should say what it is, and end as a sentence", name, help)
		}
	}
}

func TestMeasurementsBecomeSeries(t *testing.T) {
	m := newMetrics()
	m.emit(
		telemetry.Measurement{Name: telemetry.MetricRelayed, Unit: telemetry.Count, Value: 2},
		telemetry.Measurement{
			Name: telemetry.MetricOutcome, Unit: telemetry.Count, Value: 1, Dimension: telemetry.Dimension{Name: "State", Value: "dead"},
		},
		telemetry.Measurement{Name: telemetry.MetricTimeToAnswer, Unit: telemetry.Milliseconds, Value: 90_000},
		telemetry.Measurement{Name: "Unheard", Unit: telemetry.Count, Value: 1},
	)
	e := scrape(t, m)
	for series, want := range map[string]float64{
		`smsrelay_relayed_total`:                                  2,
		`smsrelay_outcome_total{state="dead"}`:                    1,
		`smsrelay_outcome_total{state="uncertain"}`:               0,
		`smsrelay_time_to_answer_seconds_sum`:                     90,
		`smsrelay_time_to_answer_seconds_bucket{le="60"}`:         0,
		`smsrelay_time_to_answer_seconds_bucket{le="120"}`:        1,
		`smsrelay_dropped_total{reason="no_route"}`:               0,
		`smsrelay_answers_total{verdict="automatic"}`:             0,
		`smsrelay_twilio_fault_total{kind="unreachable"}`:         0,
		`promhttp_metric_handler_errors_total{cause="gathering"}`: 0,
	} {
		if got, ok := e.values[series]; !ok || got != want {
			t.Errorf("%s is %v (%v), want %v", series, got, ok, want)
		}
	}
}

// TestGauges shows what is so at the moment.
func TestGauges(t *testing.T) {
	r := watchedRelay(t)
	for series, want := range map[string]float64{
		`smsrelay_uncertain_texts`: 0, `smsrelay_problem{problem="account"}`: 0,
		`smsrelay_certificate_end_timestamp_seconds{domain="relay.test"}`: 0, `smsrelay_audit_behind_seconds`: 0,
		`smsrelay_queue_messages{queue="dead_timers",status="waiting"}`: 0,
	} {
		if got, ok := scrape(t, r.metrics).values[series]; !ok || got != want {
			t.Errorf("%s is %v (%v), want %v", series, got, ok, want)
		}
	}

	record := relaytest.Record(1, time.Now().Add(-time.Minute))
	record.State, record.Reason = ledger.Uncertain, ledger.ReasonAmbiguous
	if _, err := r.db.Ledger().Create(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	r.problems.setAccount("Twilio refuses it")
	r.problems.setMoved("it was copied")
	e := scrape(t, r.metrics)
	for series, want := range map[string]float64{
		`smsrelay_uncertain_texts`: 1, `smsrelay_problem{problem="account"}`: 1, `smsrelay_problem{problem="folder_moved"}`: 1,
		`smsrelay_problem{problem="database"}`: 0,
	} {
		if e.values[series] != want {
			t.Errorf("%s is %v, want %v", series, e.values[series], want)
		}
	}
	free, size := e.values["smsrelay_disk_free_bytes"], e.values["smsrelay_disk_size_bytes"]
	if behind := e.values["smsrelay_audit_behind_seconds"]; behind <= 0 || behind > 60 || free <= 0 || size < free {
		t.Errorf("the audit log is %v s behind, and %v of %v bytes are free", behind, free, size)
	}
}

// TestOneUnreadableSeries leaves the others to be read.
func TestOneUnreadableSeries(t *testing.T) {
	m := newMetrics()
	m.registry.MustRegister(gauge{
		desc: prometheus.NewDesc("smsrelay_broken", "It cannot be read.", nil, nil),
		read: func(context.Context) ([]reading, error) { return nil, errors.New("no disk") },
	})
	e := scrape(t, m)
	if _, ok := e.values["smsrelay_relayed_total"]; !ok || e.labels["smsrelay_broken"] != nil {
		t.Errorf("exposed: %s", e.body)
	}
	if got := scrape(t, m).values[`promhttp_metric_handler_errors_total{cause="gathering"}`]; got == 0 {
		t.Error("nothing says that a series could not be read")
	}
}
