package onehost

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"quickdumpnow.com/smsrelay/shared/onehost/certificates"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// metrics shows the relay's measurements as Prometheus series: a count "Relayed" as smsrelay_relayed_total, a latency
// "RelayLatency" as the histogram smsrelay_relay_latency_seconds; the dimension becomes a label.
type metrics struct {
	registry *prometheus.Registry

	mu         sync.Mutex
	counters   map[string]*prometheus.CounterVec
	histograms map[string]*prometheus.HistogramVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		counters: map[string]*prometheus.CounterVec{}, histograms: map[string]*prometheus.HistogramVec{},
	}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// handler serves the metrics.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// emit records the measurements of one unit of work.
func (m *metrics) emit(measurements ...telemetry.Measurement) {
	for _, measurement := range measurements {
		label, value := measurement.Dimension.Name, measurement.Dimension.Value
		var labels []string
		var values []string
		if label != "" {
			labels, values = []string{snake(label)}, []string{value}
		}
		switch measurement.Unit {
		case telemetry.Count:
			m.counter(measurement.Name, labels).WithLabelValues(values...).Add(measurement.Value)
		case telemetry.Milliseconds:
			m.histogram(measurement.Name, labels).WithLabelValues(values...).Observe(measurement.Value / 1000)
		case telemetry.Seconds:
			m.histogram(measurement.Name, labels).WithLabelValues(values...).Observe(measurement.Value)
		}
	}
}

func (m *metrics) counter(name string, labels []string) *prometheus.CounterVec {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.counters[name]
	if !ok {
		c = prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "smsrelay", Name: snake(name) + "_total",
			Help: "The metric " + name + ".",
		}, labels)
		m.registry.MustRegister(c)
		m.counters[name] = c
	}
	return c
}

func (m *metrics) histogram(name string, labels []string) *prometheus.HistogramVec {
	m.mu.Lock()
	defer m.mu.Unlock()
	h, ok := m.histograms[name]
	if !ok {
		h = prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "smsrelay", Name: snake(name) + "_seconds", Help: "The metric " + name + ", in seconds.",
			Buckets: prometheus.ExponentialBuckets(0.01, 2.5, 12),
		}, labels)
		m.registry.MustRegister(h)
		m.histograms[name] = h
	}
	return h
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

// watch adds series with the depths of the queues at the moment of each request.
func (m *metrics) watch(queues map[string]*sqlite.Queue) {
	m.registry.MustRegister(queueDepths(queues))
}

// watchCertificates adds a series with the ends of the certificates of the relay's own domains.
func (m *metrics) watchCertificates(states func() []certificates.State) {
	m.registry.MustRegister(ends(states))
}

// ends tells how it stands with the certificates.
type ends func() []certificates.State

func endDesc() *prometheus.Desc {
	return prometheus.NewDesc("smsrelay_certificate_end_timestamp_seconds",
		"When the certificate of a domain of the relay ends, in seconds since 1970. A domain without one has no series.", []string{"domain"}, nil)
}

// Describe describes the series.
func (ends) Describe(out chan<- *prometheus.Desc) { out <- endDesc() }

// Collect asks for the certificates.
func (e ends) Collect(out chan<- prometheus.Metric) {
	for _, s := range e() {
		if !s.Until.IsZero() {
			out <- prometheus.MustNewConstMetric(endDesc(), prometheus.GaugeValue, float64(s.Until.Unix()), s.Domain)
		}
	}
}

// queueDepths are the queues by their names in the series.
type queueDepths map[string]*sqlite.Queue

// The series of the queues.
const (
	depthName = "smsrelay_queue_messages"
	ageName   = "smsrelay_queue_oldest_age_seconds"
)

func depthDesc() *prometheus.Desc {
	return prometheus.NewDesc(depthName, "Messages on the queue, waiting or in flight.", []string{"queue", "status"}, nil)
}

func ageDesc() *prometheus.Desc {
	return prometheus.NewDesc(ageName, "Age of the oldest message on the queue.", []string{"queue"}, nil)
}

// Describe describes the series.
func (q queueDepths) Describe(out chan<- *prometheus.Desc) {
	out <- depthDesc()
	out <- ageDesc()
}

// Collect asks every queue.
func (q queueDepths) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	for name, one := range q {
		waiting, inFlight, oldest, err := one.Depth(ctx)
		if err != nil {
			out <- prometheus.NewInvalidMetric(depthDesc(), err)
			continue
		}
		age := 0.0
		if !oldest.IsZero() {
			age = time.Since(oldest).Seconds()
		}
		out <- prometheus.MustNewConstMetric(depthDesc(), prometheus.GaugeValue, float64(waiting), name, "waiting")
		out <- prometheus.MustNewConstMetric(depthDesc(), prometheus.GaugeValue, float64(inFlight), name, "in_flight")
		out <- prometheus.MustNewConstMetric(ageDesc(), prometheus.GaugeValue, age, name)
	}
}
