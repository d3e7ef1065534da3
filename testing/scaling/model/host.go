package model

import "time"

// Host is a relay on one machine, as it was measured: for holding the model against what really happens.
type Host struct {
	// Runs is how many runs of the sender there may be at once, each with so many groups.
	Runs, GroupsEach int
	// Accept is the time from a webhook to its place on the queue, Receive from there to the sender, Step for each of the sender's reads and
	// writes.
	Accept, Receive, Step time.Duration
	// Receipts is whether Twilio is asked for them.
	Receipts bool
}

// RunOn simulates the arrivals on one host, until all of them are sent, and returns how long each took from its webhook to the POST that
// sent it, in their order, and when the last one was posted.
func RunOn(h Host, s Settings, numbers int, arrivals []Arrival, seed uint64) (latencies []time.Duration, end time.Duration) {
	size := Size{Settings: s, Numbers: numbers, Stacks: 1, Alike: 1, TextsPerSecond: 1, TwilioAtOnce: 1 << 20}
	size.Settings.PublicRequestsPerSecond, size.Settings.PublicBurst, size.Settings.IngestConcurrency = 1e9, 1e9, 1<<20
	w := newWorld(size, seed, times{sqs: h.Accept, receive: h.Receive, read: h.Step, write: h.Step})
	defer w.end()
	w.groupsEach, w.withoutReceipts = h.GroupsEach, !h.Receipts
	w.stacks[0].hire(h.Runs, false)
	var texts []*text
	w.start(func(p *process) {
		for _, a := range arrivals {
			p.sleep(a.At - w.now)
			texts = append(texts, w.take(a))
		}
	})
	for w.counts.posted < len(arrivals) && len(w.events) > 0 {
		w.agenda.run(w.events[0].at)
	}
	for _, t := range texts {
		latencies = append(latencies, t.posted-t.arrived)
		end = max(end, t.posted)
	}
	return latencies, end
}
