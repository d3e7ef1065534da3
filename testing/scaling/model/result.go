package model

import (
	"cmp"
	"slices"
	"time"
)

// Result is what a run of a size shows.
type Result struct {
	Size Size `json:"-"`
	Name string
	// Offered, Posted and Delivered are texts a second: that came in, that Twilio got, and whose delivery is on record.
	Offered, Posted, Delivered float64
	// RefusedPercent is the share of webhooks that were not taken.
	RefusedPercent float64
	// P50 and P99 are milliseconds from the webhook to the POST to Twilio. AuditP99 is milliseconds from a change to its audit entry.
	P50, P99, AuditP99 float64
	// Depth is the mean number of messages on all queues, Growth how many it grows by in a second.
	Depth, Growth float64
	// PutOff, Raced, Throttled and TooMany are how often a text waited for its reserved time, another process reserved one for its number
	// first, DynamoDB refused a write, and Twilio a request, for each 100 texts that came in. Untagged are the new customers among them
	// for whom no tag was found.
	PutOff, Raced, Throttled, TooMany, Untagged float64
	// Uses are the resources and what share of each is asked for, the highest first.
	Uses []Use
}

// Use is a resource and the share of it that is asked for: 1 is all, and more than 1 is more than there is.
type Use struct {
	Name  string
	Share float64
}

// First is the limit that comes first.
func (r Result) First() Use { return r.Uses[0] }

// Most is how many texts a second there may be until that limit is reached.
func (r Result) Most() float64 { return r.Offered / r.First().Share }

// Run simulates a size. The same seed has the same result.
func Run(size Size, seed uint64) Result { return newWorld(size, seed, timesOnAWS()).run() }

// warmUp is the share of the window that is not measured.
const warmUp = 0.4

func (w *world) run() Result {
	defer w.end()
	w.start(w.arrive)
	from := time.Duration(warmUp * float64(w.size.Window))
	w.agenda.run(from)
	for _, k := range w.stacks {
		k.restart(w.now)
	}
	w.counts = counts{}
	const samples = 60
	step := (w.size.Window - from) / samples
	var depths []float64
	for range samples {
		w.agenda.run(w.now + step)
		depths = append(depths, w.depth())
	}
	return w.result((w.now - from).Seconds(), depths, step.Seconds())
}

func (w *world) depth() (n float64) {
	for _, k := range w.stacks {
		n += float64(k.queue.depth)
	}
	return n
}

func (w *world) result(seconds float64, depths []float64, step float64) Result {
	c, half := w.counts, len(depths)/2
	alike := float64(w.size.Alike)
	per := func(n int) float64 { return alike * float64(n) / seconds }
	each := func(n int) float64 { return 100 * float64(n) / max(1, float64(c.offered)) }
	return Result{
		Size: w.size, Name: w.size.Name, Offered: per(c.offered), Posted: per(c.posted), Delivered: per(c.delivered),
		RefusedPercent: each(c.refused + c.lost),
		P50:            percentile(c.latencies, 50), P99: percentile(c.latencies, 99), AuditP99: percentile(c.lags, 99),
		Depth:  alike * mean(depths),
		Growth: alike * (mean(depths[half:]) - mean(depths[:half])) / (float64(half) * step),
		PutOff: each(c.putOff), Raced: each(c.raced), Throttled: each(c.throttled), TooMany: each(c.tooMany),
		Untagged: each(c.untagged),
		Uses:     w.uses(),
	}
}

func mean(of []float64) float64 {
	sum := 0.0
	for _, x := range of {
		sum += x
	}
	return sum / max(1, float64(len(of)))
}

// percentile is in milliseconds, 0 of nothing.
func percentile(of []time.Duration, percent int) float64 {
	if len(of) == 0 {
		return 0
	}
	slices.Sort(of)
	return of[len(of)*percent/100].Seconds() * 1000
}

// stations and flows are the stack's resources, with those that it shares.
func (k *stack) stations() []*station {
	return []*station{k.ingest, k.senders, k.streams, k.world.account.posts, k.world.account.runs}
}

func (k *stack) flows() []*use {
	return []*use{
		&k.inbound.use, &k.callbacks.use, &k.ledger.use, &k.table.use, &k.queued.use, &k.sending.use, &k.sent.use, &k.delivered.use,
		&k.tags.use, &k.world.account.rate.use, &k.world.account.requests.use, &k.world.account.sqs.use,
	}
}

// restart begins to measure.
func (k *stack) restart(now time.Duration) {
	for _, s := range k.stations() {
		s.restart(now)
	}
	for _, u := range k.flows() {
		u.restart(now)
	}
}

// uses are the means of all stacks, by name.
func (w *world) uses() []Use {
	mean := map[string]float64{}
	for _, k := range w.stacks {
		for name, share := range k.uses() {
			mean[name] += share / float64(len(w.stacks))
		}
	}
	var all []Use
	for name, share := range mean {
		all = append(all, Use{name, share})
	}
	slices.SortFunc(all, func(a, b Use) int { return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(a.Name, b.Name)) })
	return all
}

// uses are the stack's, by name: of several resources with one name, that of the busiest.
func (k *stack) uses() map[string]float64 {
	w, highest := k.world, map[string]float64{}
	note := func(name string, share float64) { highest[name] = max(highest[name], share) }
	for _, s := range k.stations() {
		s.count(0)
		note(s.name, s.share(w.now))
	}
	for _, u := range k.flows() {
		note(u.name, u.share(w.now))
	}
	perNumber := w.size.TextsPerSecond / float64(w.size.Numbers)
	pair, number := w.size.Settings.PacePair, w.size.Settings.PaceNumber
	if !pair.Off() {
		note("PacePair, one phone", perNumber*pair.Per.Seconds()/float64(pair.N))
	}
	if !number.Off() {
		note("PaceNumber", perNumber*number.Per.Seconds()/float64(number.N))
	}
	return highest
}
