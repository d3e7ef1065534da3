package onehost

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// metrics shows the relay's measurements as Prometheus series: a count "Relayed" as smsrelay_relayed_total, a latency
// "RelayLatency" as the histogram smsrelay_relay_latency_seconds; the dimension becomes a label. Each series is there from the start, at 0:
// Prometheus sees no increase from a series that comes into being with its first event.
type metrics struct {
	registry   *prometheus.Registry
	counters   map[string]*prometheus.CounterVec
	histograms map[string]*prometheus.HistogramVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		counters: map[string]*prometheus.CounterVec{}, histograms: map[string]*prometheus.HistogramVec{},
	}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, s := range counted() {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: snake(s.name) + "_total", Help: s.help}, s.labels())
		m.registry.MustRegister(c)
		m.counters[s.name] = c
		for _, value := range s.values {
			c.WithLabelValues(value)
		}
		if s.dimension == "" {
			c.WithLabelValues()
		}
	}
	for _, s := range timed() {
		h := prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: snake(s.name) + "_seconds", Help: s.help, Buckets: s.buckets,
		}, nil)
		m.registry.MustRegister(h)
		m.histograms[s.name] = h
		h.WithLabelValues()
	}
	return m
}

// handler serves the metrics. A series that cannot be read is left out: the others may say why.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry, ErrorHandling: promhttp.ContinueOnError})
}

// emit records the measurements of one unit of work. What is not listed in counted or timed is left out; a test finds it.
func (m *metrics) emit(measurements ...telemetry.Measurement) {
	for _, measurement := range measurements {
		var values []string
		if measurement.Dimension.Name != "" {
			values = []string{measurement.Dimension.Value}
		}
		if c := m.counters[measurement.Name]; c != nil {
			if series, err := c.GetMetricWithLabelValues(values...); err == nil {
				series.Add(measurement.Value)
			}
			continue
		}
		if h := m.histograms[measurement.Name]; h != nil {
			if series, err := h.GetMetricWithLabelValues(values...); err == nil {
				series.Observe(seconds(measurement))
			}
		}
	}
}

// sentNotice counts a try to tell people something.
func (m *metrics) sentNotice(isTaken bool) {
	result := noticeFailed
	if isTaken {
		result = noticeTaken
	}
	m.emit(telemetry.Measurement{
		Name: metricNotifications, Unit: telemetry.Count, Value: 1, Dimension: telemetry.Dimension{Name: "Result", Value: result},
	})
}

func seconds(m telemetry.Measurement) float64 {
	if m.Unit == telemetry.Milliseconds {
		return m.Value / 1000
	}
	return m.Value
}

// snake writes a metric's name as Prometheus does: "RelayLatency" gives "relay_latency".
func snake(name string) string {
	var out []byte
	for i, c := range []byte(name) {
		if c >= 'A' && c <= 'Z' {
			if i > 0 {
				out = append(out, '_')
			}
			c += 'a' - 'A'
		}
		out = append(out, c)
	}
	return string(out)
}
