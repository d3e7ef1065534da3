package model

import (
	"time"

	"quickdumpnow.com/smsrelay/shared/pace"
)

// ledgerWrites is how many write units of the ledger's own a text has: the claim, the outcome, and two receipts. indexWrites are those of
// its three indexes.
const (
	ledgerWrites = 4
	indexWrites  = 7
)

// sender is one process of the sender function, with its share of a core and with what it remembers.
type sender struct {
	stack  *stack
	cpu    *station
	routes map[*number]time.Duration
	// paces and phones are the versions of the numbers' items that it last saw.
	paces  map[*number]seen
	phones map[*number]int
	turns  map[*number]*station
}

// seen is what a process remembers of a number's item of the pace table.
type seen struct {
	version int
	at      time.Duration
}

// What the sender remembers, and for how long: routes in shared/route, paces in shared/aws/dynamo.
const (
	routeMemory = 5 * time.Second
	paceMemory  = time.Second
	// slotGrace is how late a reserved send time may be used, phoneTries how often a phone's item is written while others change it.
	slotGrace  = 5 * time.Second
	phoneTries = 8
	crowdWait  = time.Second
	// maxBacklog is how long the SDK goes on against a table that refuses.
	maxBacklog = time.Second
)

func newSender(k *stack) *sender {
	return &sender{
		stack: k, cpu: newStation(k.world.agenda, "", 1), routes: map[*number]time.Duration{}, paces: map[*number]seen{},
		phones: map[*number]int{}, turns: map[*number]*station{},
	}
}

// poll gives what is on the queue to the processes that have nothing to do.
func (k *stack) poll() {
	for len(k.idle) > 0 && len(k.queue.ready) > 0 && k.senders.tryTake() {
		s := k.idle[0]
		k.idle = k.idle[1:]
		batch := k.queue.receive(batchSize, k.world.groupsEach)
		k.world.start(func(p *process) {
			s.run(p, batch)
			k.senders.give()
			k.idle = append(k.idle, s)
			k.poll()
		})
	}
}

// run works on the groups of a batch side by side. The batch ends with its slowest group; what is done after a second is settled then.
func (s *sender) run(p *process, batch [][]*message) {
	w := s.stack.world
	p.sleep(w.times.receive)
	w.account.runs.count(1)
	s.work(p, w.times.invocation)
	// pending settles what is done, isLate is set once that no longer waits for the rest.
	var pending []func()
	isLate := false
	settle := func() {
		for _, each := range pending {
			each()
		}
		pending = nil
	}
	w.after(settleAfter, func() { isLate = true; settle() })
	p.sideBySide(len(batch), func(p *process, i int) {
		done, delay := s.group(p, batch[i])
		pending = append(pending, func() { s.stack.queue.settle(batch[i], done, delay) })
		if isLate {
			settle()
		}
	})
	w.account.runs.count(-1)
	p.sleep(w.times.receive)
	settle()
}

// settleAfter is how long a batch may take before its finished messages no longer wait for the rest.
const settleAfter = time.Second

// group works on the messages of one group in their order, until one has to come back after a delay.
func (s *sender) group(p *process, messages []*message) (done int, delay time.Duration) {
	for i, m := range messages {
		var isDone bool
		if m.isReceipt {
			isDone, delay = s.receipt(p, m)
		} else {
			isDone, delay = s.text(p, m)
		}
		if !isDone {
			return i, delay
		}
	}
	return len(messages), 0
}

// work takes so much of the process's share of a core.
func (s *sender) work(p *process, d time.Duration) {
	if d > 0 {
		s.cpu.serve(p, s.stack.world.times.share(d, senderMemory))
	}
}

// call makes a call, and waits for its answer.
func (s *sender) call(p *process, answer time.Duration) {
	s.work(p, s.stack.world.times.call)
	p.sleep(answer)
}

// again is how long a message stays away after a failure that is not its own.
func (w *world) again(m *message) time.Duration {
	return w.policy.Wait(w.now-m.sentAt, w.random.Float64())
}

// text takes a text as far as it goes now: functions/sender/delivery has the same steps, in the same order.
func (s *sender) text(p *process, m *message) (isDone bool, delay time.Duration) {
	w, n := s.stack.world, m.text.number
	if m.looks > 1 {
		s.call(p, w.times.read)
	}
	s.lookUp(p, n)
	s.call(p, w.times.read)
	phone := n.phone
	if m.text.isNew {
		s.tag(p)
		m.text.isNew = false
	}
	if m.slot == 0 || w.now < m.slot || w.now-m.slot > slotGrace {
		if isFree, delay := s.reserve(p, m); !isFree {
			return false, delay
		}
	}
	if !s.enter(p, n, phone) {
		return false, time.Duration((1 + w.random.Float64()) * float64(crowdWait) / 2)
	}
	// A claim is in all three indexes; after a reserved time the record is in them already, in another state.
	if m.isOnRecord {
		s.stack.queued.ask(w.now, 1, maxBacklog)
	}
	if !s.write(p, s.stack.sending, 3) {
		return false, w.again(m)
	}
	m.isOnRecord = true
	return s.post(p, m)
}

// lookUp reads a route, unless it was read lately.
func (s *sender) lookUp(p *process, n *number) {
	w := s.stack.world
	if at, ok := s.routes[n]; ok && w.now-at < routeMemory {
		return
	}
	s.call(p, w.times.read)
	s.routes[n] = w.now
}

// tag gives a new customer a tag: all tags in use are read, and a transaction writes one. If they cannot be read, the customer has none.
func (s *sender) tag(p *process) {
	w, tags := s.stack.world, float64(s.stack.tagsInUse)
	megabytes := tags * w.times.tagBytes / 1e6
	s.call(p, w.times.read)
	// An eventually consistent read of 8 kB is one unit. A partition does not give out at once what it has for more than a second.
	units := megabytes * 1e3 / 8
	wait, ok := s.stack.tags.ask(w.now, units, maxBacklog)
	if !ok || units > s.stack.tags.capacity {
		w.counts.untagged++
		p.sleep(maxBacklog)
		return
	}
	p.sleep(wait + time.Duration(max(1, megabytes)*float64(w.times.page)))
	s.work(p, time.Duration(tags)*w.times.tag)
	s.call(p, w.times.transaction)
}

// reserve books a send time in the pace table, over the version of the item that the process knows.
func (s *sender) reserve(p *process, m *message) (isFree bool, delay time.Duration) {
	w, n := s.stack.world, m.text.number
	limits := pace.Limits{Pair: w.size.Settings.PacePair, Number: w.size.Settings.PaceNumber}
	if limits.Off() {
		return true, 0
	}
	turn, ok := s.turns[n]
	if !ok {
		turn = newStation(w.agenda, "", 1)
		s.turns[n] = turn
	}
	turn.take(p)
	defer turn.give()
	known, ok := s.paces[n]
	if !ok || w.now-known.at > paceMemory {
		s.call(p, w.times.read)
		known.version = n.version
	}
	asked := w.now
	s.call(p, w.times.write)
	s.paces[n] = seen{n.version, asked}
	if known.version != n.version {
		w.counts.raced++
		rematch := 100*time.Millisecond + time.Duration(w.random.Float64()*float64(900*time.Millisecond))
		return false, time.Duration(float64(rematch) * (1 + w.random.Float64()))
	}
	state, at := n.state.Book(pace.Request{Number: "+18585550100", To: "+13125550147", Limits: limits}, epoch(asked))
	n.state = state
	n.version++
	s.paces[n] = seen{n.version, asked}
	if m.slot = at.Sub(epoch(0)); m.slot <= asked {
		return true, 0
	}
	w.counts.putOff++
	s.write(p, s.stack.queued, 3)
	m.isOnRecord = true
	return false, m.slot - w.now
}

// enter notes what the phone is sent, over the version of its item that was read before.
func (s *sender) enter(p *process, n *number, read int) bool {
	w := s.stack.world
	read = max(read, s.phones[n])
	for range phoneTries {
		s.call(p, w.times.write)
		if read == n.phone {
			n.phone++
			s.phones[n] = n.phone
			return true
		}
		s.call(p, w.times.read)
		read = n.phone
	}
	return false
}

// write changes a record of the ledger: one unit of the table itself, and some of the indexes, of which at most one is for the hottest key.
func (s *sender) write(p *process, key *flow, indexed float64) bool {
	w, k := s.stack.world, s.stack
	var longest time.Duration
	isThrottled := false
	ask := func(of *flow, units float64) {
		wait, ok := of.ask(w.now, units, maxBacklog)
		longest, isThrottled = max(longest, wait), isThrottled || !ok
	}
	ask(k.ledger, 1)
	ask(k.table, 1+indexed)
	ask(key, min(1, indexed))
	s.call(p, w.times.write+longest)
	if isThrottled {
		w.counts.throttled++
		return false
	}
	k.shards[w.random.IntN(len(k.shards))].put(w.now)
	return true
}

// insist writes until the ledger takes it: what Twilio has taken is written down, by this process or by the one that has the text next.
func (s *sender) insist(p *process, m *message, keys ...*flow) {
	for !s.write(p, keys[0], float64(len(keys))) {
		p.sleep(s.stack.world.again(m))
	}
	for _, key := range keys[1:] {
		key.ask(s.stack.world.now, 1, maxBacklog)
	}
}

// post sends the text, and writes down what came of it. Twilio's receipts come later.
func (s *sender) post(p *process, m *message) (isDone bool, delay time.Duration) {
	w, k := s.stack.world, s.stack
	s.work(p, w.times.text)
	began := w.now
	w.account.rate.ask(w.now, 1, time.Hour)
	if !w.account.posts.tryTake() {
		w.counts.tooMany++
		w.account.posts.offered += m.text.twilio.Seconds()
		s.call(p, m.text.twilio/2)
		s.write(p, k.sending, 0)
		return false, w.again(m)
	}
	s.call(p, m.text.twilio)
	w.account.posts.give()
	m.text.posted = began
	w.counts.posted++
	w.counts.latencies = append(w.counts.latencies, began-m.text.arrived)
	s.insist(p, m, k.sending, k.sent)
	if !w.withoutReceipts {
		k.receiptAfter(m.text, w.times.receiptSent, false)
		k.receiptAfter(m.text, w.times.receiptDelivered, true)
	}
	return true, 0
}

func (k *stack) receiptAfter(t *text, d time.Duration, isLast bool) {
	k.world.after(d, func() {
		k.world.start(func(p *process) {
			k.webhook(p, k.callbacks, &message{text: t, group: &group{}, isReceipt: true, isLast: isLast})
		})
	})
}

// receipt applies one receipt: a read and a write.
func (s *sender) receipt(p *process, m *message) (isDone bool, delay time.Duration) {
	w, k := s.stack.world, s.stack
	s.work(p, w.times.receipt)
	s.call(p, w.times.read)
	if !m.isLast {
		return s.write(p, k.sent, 0), w.again(m)
	}
	if !s.write(p, k.sent, 2) {
		return false, w.again(m)
	}
	k.delivered.ask(w.now, 1, maxBacklog)
	w.counts.delivered++
	return true, 0
}
