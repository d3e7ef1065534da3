package model

import (
	"math"
	"math/rand/v2"
	"time"

	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/retry"
)

// text is one text of a customer.
type text struct {
	stack  *stack
	number *number
	isNew  bool
	// twilio is how long Twilio takes for its POST.
	twilio time.Duration
	// arrived is when its webhook came, posted when the POST to Twilio began that got it through, 0 before.
	arrived, posted time.Duration
}

// number is a Twilio number with the phone that serves it.
type number struct {
	// state and version are its item of the pace table, phone the version of the phone's item.
	state          pace.State
	version, phone int
	// groups are those of its customers.
	groups map[int]*group
}

// account is one of AWS, in one region, and one of Twilio's.
type account struct {
	requests *bucket
	sqs      *flow
	// runs is how many functions run at once.
	runs *station
	// posts is how many requests Twilio works on at once.
	posts *station
	rate  *flow
}

// stack is what one deployment of the template is.
type stack struct {
	world *world

	// inbound and callbacks are the throttles of Twilio's two paths.
	inbound, callbacks *bucket
	ingest             *station
	queue              *queue
	senders            *station
	idle               []*sender
	// ledger are the ledger's own writes, all those with its indexes; states are the hottest keys of ByStateDay.
	ledger, table                    *flow
	queued, sending, sent, delivered *flow
	tags                             *flow
	shards                           []*shard
	streams                          *station
	numbers                          []*number
	tagsInUse                        int
}

// world is one run.
type world struct {
	*agenda

	size   Size
	times  times
	random *rand.Rand
	// groupsEach is how many groups a run of the sender gets: a batch of them, or on one host one.
	groupsEach int
	// withoutReceipts is whether Twilio is asked for none.
	withoutReceipts bool
	policy          retry.Policy
	stacks          []*stack
	account         *account
	counts          counts
}

// counts is what a run counts.
type counts struct {
	offered, posted, delivered int
	// refused are webhooks that the gateway answered 429, lost those that ingest had no room for.
	refused, lost int
	// putOff are texts that wait for a reserved time, raced those whose time another process took, throttled writes that DynamoDB refused,
	// tooMany POSTs that Twilio refused.
	// untagged are new customers for whom no tag could be found.
	putOff, raced, throttled, tooMany, untagged int
	latencies, lags                             []time.Duration
}

// epoch is the moment at which virtual time begins, for shared/pace.
func epoch(at time.Duration) time.Time {
	return time.Date(2026, time.November, 30, 12, 0, 0, 0, time.UTC).Add(at)
}

func newWorld(size Size, seed uint64, t times) *world {
	w := &world{
		agenda: newAgenda(), size: size, times: t, random: rand.New(rand.NewPCG(seed, 0)),
		groupsEach: batchSize, policy: retry.NewPolicy(2*time.Second, 8),
	}
	atOnce := size.TwilioAtOnce
	if atOnce == 0 {
		atOnce = int(of("twilio at once"))
	}
	w.account = &account{
		requests: newBucket("API Gateway's requests (account)", of("gateway rate"), of("gateway burst")),
		sqs:      newFlow("SQS calls (account)", of("sqs calls")),
		runs:     newStation(w.agenda, "Lambda's runs at once (account)", int(of("lambda"))),
		posts:    newStation(w.agenda, "Twilio's requests at once (account)", atOnce),
		rate:     newFlow("Twilio's messages (account)", of("twilio rate")),
	}
	for i := range size.Stacks {
		w.stacks = append(w.stacks, w.newStack(i))
	}
	return w
}

func (w *world) newStack(i int) *stack {
	s := w.size.Settings
	k := &stack{
		world:     w,
		inbound:   newBucket("PublicRequestsPerSecond, texts", s.PublicRequestsPerSecond, s.PublicBurst),
		callbacks: newBucket("PublicRequestsPerSecond, receipts", s.PublicRequestsPerSecond, s.PublicBurst),
		ingest:    newStation(w.agenda, "IngestConcurrency", s.IngestConcurrency),
		ledger:    newFlow("ledger's partitions", w.partitions()*of("partition writes")),
		table:     newFlow("ledger's quota", of("table writes")),
		sending:   newFlow("ByStateDay, one key", of("partition writes")),
		sent:      newFlow("ByStateDay, one key", of("partition writes")),
		queued:    newFlow("ByStateDay, one key", of("partition writes")),
		delivered: newFlow("ByStateDay, one key", of("partition writes")),
		tags:      newFlow("tags' partition, reads", of("partition reads")),
	}
	k.queue = &queue{agenda: w.agenda, arrived: k.poll}
	k.hire(s.Texts(), true)
	k.streams = newStation(w.agenda, "stream shards", int(w.partitions()))
	for range int(w.partitions()) {
		k.shards = append(k.shards, newShard(k))
	}
	for n := i; n < w.size.Numbers; n += w.size.Stacks {
		k.numbers = append(k.numbers, &number{groups: map[int]*group{}})
	}
	k.tagsInUse = len(k.numbers) * w.size.CustomersPerNumber
	return k
}

// hire makes so many runs of the sender possible, each in a process of its own, or all in one.
func (k *stack) hire(n int, isApart bool) {
	k.senders, k.idle = newStation(k.world.agenda, "SenderConcurrency", n), nil
	for i := range n {
		if isApart || i == 0 {
			k.idle = append(k.idle, newSender(k))
		} else {
			k.idle = append(k.idle, k.idle[0])
		}
	}
}

// partitions is how many the ledger's table has: those of a new table, or as many as it has grown to.
func (w *world) partitions() float64 {
	perStack := ledgerWrites * w.size.TextsPerSecond / float64(w.size.Stacks)
	return math.Ceil(max(of("new table"), 2*perStack) / of("partition writes"))
}

// Arrival is a text that comes in.
type Arrival struct {
	At time.Duration
	// Number and Customer say whose it is, counted from 0.
	Number, Customer int
	IsNew            bool
	// Twilio is how long Twilio takes for its POST.
	Twilio time.Duration
}

// next returns the next text: texts come at random moments, as many a second as the size says.
func (w *world) next() Arrival {
	s := w.size
	return Arrival{
		At:     w.now + time.Duration(w.random.ExpFloat64()/s.TextsPerSecond*float64(time.Second)),
		Number: w.random.IntN(s.Numbers), Customer: w.random.IntN(s.CustomersPerNumber), IsNew: w.random.Float64() < s.NewShare,
		Twilio: time.Duration((0.5 + w.random.Float64()) * float64(w.times.twilio)),
	}
}

// arrive lets texts come in without an end.
func (w *world) arrive(p *process) {
	for {
		a := w.next()
		p.sleep(a.At - w.now)
		w.take(a)
	}
}

// take lets one text come in.
func (w *world) take(a Arrival) *text {
	k := w.stacks[a.Number%len(w.stacks)]
	n := k.numbers[a.Number/len(w.stacks)]
	m := &message{text: &text{stack: k, number: n, arrived: w.now, isNew: a.IsNew, twilio: a.Twilio}}
	if m.group = n.groups[a.Customer]; m.group == nil || a.IsNew {
		m.group = &group{}
		if !a.IsNew {
			n.groups[a.Customer] = m.group
		}
	}
	w.counts.offered++
	w.start(func(p *process) { k.webhook(p, k.inbound, m) })
	return m.text
}

// Twilio asks again after a 5xx, up to rc times, within the 15 s that a webhook has. A 429 it does not repeat.
const (
	webhookRetries = 5
	webhookPause   = time.Second
)

// webhook brings a message to the queue, through the gateway's throttles and ingest.
func (k *stack) webhook(p *process, path *bucket, m *message) {
	w := k.world
	for range 1 + webhookRetries {
		if !path.allow(w.now) || !k.world.account.requests.allow(w.now) {
			w.counts.refused++
			return
		}
		p.sleep(w.times.gateway)
		if k.ingest.tryTake() {
			k.world.account.runs.count(1)
			p.sleep(w.times.share(w.times.ingest, ingestMemory))
			wait, _ := k.world.account.sqs.ask(w.now, 1, time.Minute)
			p.sleep(w.times.sqs + wait)
			k.queue.send(m)
			k.world.account.runs.count(-1)
			k.ingest.give()
			return
		}
		p.sleep(webhookPause)
	}
	w.counts.lost++
}
