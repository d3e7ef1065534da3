package model

import "time"

// message is a text or a receipt on the queue.
type message struct {
	text  *text
	group *group
	// isReceipt is set for a receipt, and isLast if it says delivered.
	isReceipt, isLast bool
	// isOnRecord is set once the ledger has the text.
	isOnRecord bool
	// looks is how often it was received, slot the send time that was reserved for it.
	looks int
	slot  time.Duration
	// sentAt is when the queue got it.
	sentAt time.Duration
}

// group is a FIFO group: what comes first goes first, and one batch of it is in flight at a time.
type group struct {
	waiting  []*message
	inFlight int
	// hidden is set while the first message waits for its time.
	hidden bool
}

// queue is a FIFO queue. It hands out as many messages of a group as there are, the longest waiting group first, as SQS does.
type queue struct {
	agenda *agenda
	ready  []*group
	depth  int
	// arrived is called when there is something to receive.
	arrived func()
}

func (q *queue) send(m *message) {
	m.sentAt = q.agenda.now
	m.group.waiting = append(m.group.waiting, m)
	q.depth++
	if len(m.group.waiting) == 1 {
		q.offer(m.group)
	}
}

// offer makes a group ready if nothing of it is in flight or hidden.
func (q *queue) offer(g *group) {
	if len(g.waiting) == 0 || g.inFlight > 0 || g.hidden {
		return
	}
	q.ready = append(q.ready, g)
	q.arrived()
}

// receive takes up to limit messages of so many groups at most, each group in its order.
func (q *queue) receive(limit, groups int) [][]*message {
	var batch [][]*message
	for limit > 0 && len(batch) < groups && len(q.ready) > 0 {
		g := q.ready[0]
		q.ready = q.ready[1:]
		n := min(limit, len(g.waiting))
		taken := g.waiting[:n:n]
		g.waiting = g.waiting[n:]
		g.inFlight = n
		limit -= n
		for _, m := range taken {
			m.looks++
		}
		batch = append(batch, taken)
	}
	return batch
}

// settle deletes the first done messages of what was received of one group, and brings the others back: the first after the delay.
func (q *queue) settle(taken []*message, done int, delay time.Duration) {
	g := taken[0].group
	g.inFlight = 0
	q.depth -= done
	if back := taken[done:]; len(back) > 0 {
		g.waiting = append(back, g.waiting...)
		if delay > 0 {
			g.hidden = true
			q.agenda.after(delay, func() {
				g.hidden = false
				q.offer(g)
			})
			return
		}
	}
	q.offer(g)
}
