package onehost

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// gaugeTimeout limits one reading of a gauge.
const gaugeTimeout = 2 * time.Second

// reading is one value of a gauge, with the values of its labels.
type reading struct {
	value  float64
	labels []string
}

// gauge is a series that is read at the moment of each request. It is a prometheus.Collector.
type gauge struct {
	desc *prometheus.Desc
	read func(ctx context.Context) ([]reading, error)
}

// newGauge makes the series smsrelay_<name>.
func newGauge(name, help string, read func(ctx context.Context) ([]reading, error), labels ...string) gauge {
	return gauge{desc: prometheus.NewDesc(namespace+"_"+name, help, labels, nil), read: read}
}

// Describe describes the series.
func (g gauge) Describe(out chan<- *prometheus.Desc) { out <- g.desc }

// Collect reads it.
func (g gauge) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), gaugeTimeout)
	defer cancel()
	readings, err := g.read(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(g.desc, err)
		return
	}
	for _, r := range readings {
		out <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, r.value, r.labels...)
	}
}

// alone is the reading of a gauge without labels.
func alone(value float64, err error) ([]reading, error) {
	return []reading{{value: value}}, err
}

// register adds the series that are read at the moment of each request: the relay's, and those of its queues.
func (r *Relay) register(inbox, dead, timers *sqlite.Queue) {
	queues := queueDepths{
		"inbox": inbox, "dead_letters": dead, "timers": timers,
		"dead_timers": r.db.Queue(datafolder.DeadTimersName, sqlite.QueueConfig{}),
	}
	r.metrics.registry.MustRegister(append(r.gauges(), queues)...)
	r.findings = &findings{
		db: r.db, dead: []*sqlite.Queue{dead, queues["dead_timers"]}, data: r.config.Data, show: r.config.NotifyShow, found: r.found,
		space: datafolder.Space, quota: r.newQuota(), now: time.Now,
	}
}

// gauges are the relay's.
func (r *Relay) gauges() []prometheus.Collector {
	build := telemetry.ReadBuild()
	return []prometheus.Collector{
		newGauge("build_info", "Which build runs; the value is always 1.", func(context.Context) ([]reading, error) {
			return []reading{{1, []string{build.Version, build.Commit}}}, nil
		}, "version", "commit"),
		newGauge("problem", "1 while GET /sms/health reports the problem, and says what to do: account (Twilio refuses it), certificate "+
			"(there is none, or it is not renewed), database (damaged), folder_moved (copied or restored), backup (it, or the replica, failed or "+
			"is late).", r.readProblems, "problem"),
		newGauge("backup_last_success_timestamp_seconds", "When the newest backup was taken, in seconds since 1970; 0 if there is none.",
			r.backups.readLast),
		newGauge("backup_age_seconds", "Age of the newest backup; before the first, for how long the relay has been making backups. 0 if it "+
			"makes none.", r.backups.readAge),
		newGauge("replica_age_seconds", "Age of the state that the replica has, the database's, the audit log's or the attachments', whichever "+
			"is oldest; before the first, for how long the relay has been making it. 0 if it keeps none.", r.replica.readAge),
		newGauge("certificate_end_timestamp_seconds", "When the certificate of a domain of the relay ends, in seconds since 1970; 0 while there "+
			"is none. It is renewed by itself, weeks before.", r.readCertificates, "domain"),
		newGauge("uncertain_texts", "Texts of which nobody knows whether Twilio sent them. They wait until somebody looks: relay uncertain ls.",
			func(ctx context.Context) ([]reading, error) {
				n, err := r.db.Ledger().Count(ctx, ledger.Uncertain)
				return alone(float64(n), err)
			}),
		newGauge("audit_behind_seconds", "Age of the oldest change that is not in the audit log yet, 0 if all are. If it grows, the disk is "+
			"full or failing.", r.readBehind),
		newGauge("clock_offset_seconds", "How far this host's clock is ahead of Twilio's, as the last answer about the account said; asked each "+
			"hour.", r.readClock),
		newGauge("disk_free_bytes", "Bytes that the relay may still write on the disk of its data folder. With none left, it accepts no text.",
			r.readDisk(func(free, _ uint64) uint64 { return free })),
		newGauge("data_used_bytes", "Bytes that the data folder has, as of the last minute. RELAY_DISK_QUOTA says from when on people are told.",
			func(context.Context) ([]reading, error) { return alone(float64(r.findings.quota.bytes.Load()), nil) }),
		newGauge("data_quota_bytes", "RELAY_DISK_QUOTA in bytes, 0 if it is not set. Nothing is refused at it: it is there to warn in time.",
			func(context.Context) ([]reading, error) { return alone(float64(r.config.DiskQuota), nil) }),
		newGauge("disk_size_bytes", "Bytes that the disk of the data folder has.",
			r.readDisk(func(_, total uint64) uint64 { return total })),
	}
}

func (r *Relay) readProblems(context.Context) ([]reading, error) {
	found := map[string]float64{}
	for _, p := range r.found() {
		found[p.kind] = 1
	}
	var all []reading
	for _, kind := range []string{problemAccount, problemCertificate, problemDatabase, problemMoved, problemBackup} {
		all = append(all, reading{found[kind], []string{kind}})
	}
	return all, nil
}

func (r *Relay) readCertificates(context.Context) ([]reading, error) {
	var all []reading
	for _, s := range r.door.certificates() {
		end := 0.0
		if !s.Until.IsZero() {
			end = float64(s.Until.Unix())
		}
		all = append(all, reading{end, []string{s.Domain}})
	}
	return all, nil
}

func (r *Relay) readBehind(ctx context.Context) ([]reading, error) {
	changes, err := r.db.Changes().Read(ctx, 1, 0)
	if err != nil || len(changes) == 0 {
		return alone(0, err)
	}
	return alone(time.Since(changes[0].At).Seconds(), nil)
}

func (r *Relay) readClock(context.Context) ([]reading, error) {
	r.findings.mu.Lock()
	defer r.findings.mu.Unlock()
	return alone(r.findings.skew.Seconds(), nil)
}

func (r *Relay) readDisk(which func(free, total uint64) uint64) func(context.Context) ([]reading, error) {
	return func(context.Context) ([]reading, error) {
		free, total, err := datafolder.Space(r.config.Data)
		return alone(float64(which(free, total)), err)
	}
}

// queueDepths are the queues by their names in the series.
type queueDepths map[string]*sqlite.Queue

func depthDesc() *prometheus.Desc {
	return prometheus.NewDesc(namespace+"_queue_messages", "Messages on the queue, waiting or in flight. inbox has texts and receipts, "+
		"timers what is due later; on dead_letters and dead_timers is what was given up, and needs a person.", []string{"queue", "status"}, nil)
}

func ageDesc() *prometheus.Desc {
	return prometheus.NewDesc(namespace+"_queue_oldest_age_seconds", "Age of the oldest message on the queue, 0 if it is empty. On inbox, "+
		"more than minutes mean that texts are late; a timer may be due in days.", []string{"queue"}, nil)
}

// Describe describes the series.
func (q queueDepths) Describe(out chan<- *prometheus.Desc) {
	out <- depthDesc()
	out <- ageDesc()
}

// Collect asks every queue.
func (q queueDepths) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), gaugeTimeout)
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
