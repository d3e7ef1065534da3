package model

import "time"

// shard is one of the ledger's stream: there is one for each partition of the table. One batch of it is at work at a time.
type shard struct {
	stack   *stack
	records []time.Duration
	isBusy  bool
}

func newShard(k *stack) *shard { return &shard{stack: k} }

// put adds a change.
func (s *shard) put(at time.Duration) {
	s.records = append(s.records, at)
	s.poll()
}

// poll gives stream-audit a batch once it is full or its window is over.
func (s *shard) poll() {
	w := s.stack.world
	if s.isBusy || len(s.records) == 0 {
		return
	}
	s.isBusy = true
	w.start(func(p *process) {
		if open := s.records[0] + auditWindow - w.now; open > 0 && len(s.records) < auditBatch {
			p.sleep(open)
		}
		batch := s.records[:min(auditBatch, len(s.records))]
		s.records = s.records[len(batch):]
		w.account.runs.count(1)
		s.stack.streams.count(1)
		p.sleep(w.times.share(w.times.invocation+w.times.call+time.Duration(len(batch))*w.times.entry, auditMemory) + w.times.logs)
		w.account.runs.count(-1)
		s.stack.streams.count(-1)
		for _, at := range batch {
			w.counts.lags = append(w.counts.lags, w.now-at)
		}
		s.isBusy = false
		w.after(0, s.poll)
	})
}
