package doctor

import (
	"context"
	"errors"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/doctor/alarms"
	"quickdumpnow.com/smsrelay/cmd/relay/doctor/lambda"
	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/aws/sqs"
	"quickdumpnow.com/smsrelay/shared/fault"
)

// stack is the relay's part of AWS.
type stack struct {
	queues    map[string]*sqs.Settings
	tables    map[string]*dynamo.Description
	mappings  map[string][]lambda.Mapping
	unbacked  string
	reserved  int
	secretErr error
	changedAt time.Time
	alarms    []alarms.Alarm
	heard     [2]int
	age       time.Duration
	err       error
}

// newStack is as the template makes it.
func newStack() *stack {
	const day = 24 * time.Hour
	ledger, routes, talks := dynamo.LedgerSchema(), dynamo.RoutesSchema(), dynamo.ConversationsSchema()
	s := &stack{
		queues: map[string]*sqs.Settings{
			"q.fifo": {
				ARN: "arn:q", FIFO: true, Visibility: 180 * time.Second, Retention: 12 * day, Encrypted: true,
				DeadLetters: "arn:dead", MaxReceives: 1000,
			},
			"q-dead.fifo": {ARN: "arn:dead", FIFO: true, Visibility: 180 * time.Second, Retention: 14 * day, Encrypted: true},
			"q-timers": {
				ARN: "arn:timers", Visibility: 180 * time.Second, Retention: 12 * day, Encrypted: true,
				DeadLetters: "arn:timers-dead", MaxReceives: 1000,
			},
			"q-timers-dead": {ARN: "arn:timers-dead", Retention: 14 * day},
		},
		tables: map[string]*dynamo.Description{
			"ledger": {
				Key: ledger.Key, Indexes: []string{"ByCustomer", "ByStateDay", "ByTwilioNumber"}, StreamViewType: ledger.StreamViewType,
				StreamARN: "arn:ledger/stream", TTLAttribute: ledger.TTLAttribute,
			},
			"routes": {Key: routes.Key, StreamViewType: routes.StreamViewType, StreamARN: "arn:routes/stream"},
			"conversations": {
				Key: talks.Key, SortKey: talks.SortKey, StreamViewType: talks.StreamViewType, StreamARN: "arn:conversations/stream",
			},
		},
		mappings: map[string][]lambda.Mapping{}, reserved: 12, changedAt: noon.Add(-30 * day),
		alarms: []alarms.Alarm{{Name: "dead letters", Topics: []string{"arn:topic"}}}, heard: [2]int{1, 0}, age: time.Second,
	}
	for source, function := range map[string]string{
		"arn:q": "sender", "arn:timers": "sender", "arn:ledger/stream": "audit",
		"arn:routes/stream": "audit", "arn:conversations/stream": "audit",
	} {
		m := lambda.Mapping{FunctionARN: "arn:aws:lambda:us-east-1:0:function:" + function, State: "Enabled"}
		if function == "sender" {
			m.MaximumConcurrency = 6
		}
		s.mappings[source] = []lambda.Mapping{m}
	}
	return s
}

func (s *stack) aws() *AWS {
	missing := &fault.Error{Kind: fault.Fatal, Err: errors.New("there is none")}
	return &AWS{
		QueueName: "q", RoutingTable: "routes", LedgerTable: "ledger", ConversationsTable: "conversations",
		AuthTokenSecret: "token", APIKeySecret: "key",
		Queue: func(_ context.Context, name string) (sqs.Settings, error) {
			if q, found := s.queues[name]; found {
				return *q, s.err
			}
			return sqs.Settings{}, missing
		},
		Table: func(_ context.Context, name string) (dynamo.Description, error) {
			if table, found := s.tables[name]; found {
				return *table, s.err
			}
			return dynamo.Description{}, missing
		},
		BackedUp:     func(_ context.Context, name string) (bool, error) { return name != s.unbacked, s.err },
		CheckSecrets: func(context.Context) error { return s.secretErr },
		ChangedAt:    func(context.Context, string) (time.Time, error) { return s.changedAt, s.err },
		Functions:    s, Watch: s,
	}
}

func (s *stack) Mappings(_ context.Context, source string) ([]lambda.Mapping, error) {
	return s.mappings[source], s.err
}

func (s *stack) Reserved(context.Context, string) (limit int, set bool, err error) {
	return s.reserved, s.reserved > 0, s.err
}

func (s *stack) OfQueue(context.Context, string) ([]alarms.Alarm, error) { return s.alarms, s.err }

func (s *stack) Subscribers(context.Context, string) (confirmed, unconfirmed int, err error) {
	return s.heard[0], s.heard[1], s.err
}

func (s *stack) IteratorAge(context.Context, string, time.Time, time.Time) (age time.Duration, known bool, err error) {
	return s.age, s.age > 0, s.err
}

// stackProvocations are those of the checks that are for AWS alone.
func stackProvocations() []provocation {
	queue := func(name string, change func(*sqs.Settings)) func(*testing.T, *world) {
		return func(_ *testing.T, w *world) { change(w.stack.queues[name]) }
	}
	table := func(name string, change func(*dynamo.Description)) func(*testing.T, *world) {
		return func(_ *testing.T, w *world) { change(w.stack.tables[name]) }
	}
	in := func(change func(*stack)) func(*testing.T, *world) {
		return func(_ *testing.T, w *world) { change(w.stack) }
	}
	return []provocation{
		{"queue-settings", Fail, "not FIFO", queue("q.fifo", func(q *sqs.Settings) { q.FIFO = false })},
		{"queue-settings", Fail, "after 30s", queue("q.fifo", func(q *sqs.Settings) { q.Visibility = 30 * time.Second })},
		{"queue-settings", Warn, "deletes messages after 1h", queue("q.fifo", func(q *sqs.Settings) { q.Retention = time.Hour })},
		{"queue-settings", Warn, "not encrypted", queue("q.fifo", func(q *sqs.Settings) { q.Encrypted = false })},
		{"queue-settings", Fail, "there is none", in(func(s *stack) { delete(s.queues, "q.fifo") })},
		{"dead-letter-queue", Fail, "not FIFO", queue("q-dead.fifo", func(q *sqs.Settings) { q.FIFO = false })},
		{"dead-letter-queue", Warn, "deletes letters", queue("q-dead.fifo", func(q *sqs.Settings) { q.Retention = 4 * 24 * time.Hour })},
		{"redrive-policy", Fail, "has no dead-letter queue", queue("q.fifo", func(q *sqs.Settings) { q.DeadLetters = "" })},
		{"redrive-policy", Fail, "do not go to", queue("q.fifo", func(q *sqs.Settings) { q.DeadLetters = "arn:else" })},
		{"redrive-policy", Fail, "received 3 times", queue("q.fifo", func(q *sqs.Settings) { q.MaxReceives = 3 })},
		{"timer-queue", Fail, "has no dead-letter queue", queue("q-timers", func(q *sqs.Settings) { q.DeadLetters = "" })},
		{"timer-queue", Fail, "after 30s", queue("q-timers", func(q *sqs.Settings) { q.Visibility = 30 * time.Second })},
		{"table-keys", Fail, `"Number"`, table("routes", func(d *dynamo.Description) { d.Key = "Number" })},
		{"table-keys", Fail, `the sort key of conversations is ""`, table("conversations", func(d *dynamo.Description) { d.SortKey = "" })},
		{"table-keys", Fail, "ByStateDay", table("ledger", func(d *dynamo.Description) { d.Indexes = []string{"ByCustomer", "ByTwilioNumber"} })},
		{"ledger-ttl", Fail, "do not expire", table("ledger", func(d *dynamo.Description) { d.TTLAttribute = "" })},
		{"table-backups", Fail, "routes has no", in(func(s *stack) { s.unbacked = "routes" })},
		{"table-backups", Fail, "conversations has no", in(func(s *stack) { s.unbacked = "conversations" })},
		{"table-streams", Fail, "conversations shows", table("conversations", func(d *dynamo.Description) { d.StreamViewType = "" })},
		{"event-source-mappings", Fail, "no function reads the conversations' stream", in(func(s *stack) {
			delete(s.mappings, "arn:conversations/stream")
		})},
		{"table-streams", Fail, `"KEYS_ONLY"`, table("ledger", func(d *dynamo.Description) { d.StreamViewType = "KEYS_ONLY" })},
		{"event-source-mappings", Fail, "the queue is Disabled (User action)", in(func(s *stack) {
			s.mappings["arn:q"] = []lambda.Mapping{{State: "Disabled", Reason: "User action"}}
		})},
		{"event-source-mappings", Fail, "no function reads the ledger's stream", in(func(s *stack) { delete(s.mappings, "arn:ledger/stream") })},
		{"concurrency", Fail, "sender may run 5 times at once, but its pollers hand out 12", in(func(s *stack) { s.reserved = 5 })},
		{"concurrency", Warn, "no limit", in(func(s *stack) { s.mappings["arn:timers"][0].MaximumConcurrency = 0 })},
		{"secrets-shape", Fail, "not both set", in(func(s *stack) { s.secretErr = errors.New("accountSid and authToken are not both set") })},
		{"secrets-age", Warn, "400 days", in(func(s *stack) { s.changedAt = noon.Add(-400 * 24 * time.Hour) })},
		{"alarm-subscribers", Fail, "nobody has subscribed", in(func(s *stack) { s.heard = [2]int{} })},
		{"alarm-subscribers", Fail, "nobody has confirmed", in(func(s *stack) { s.heard = [2]int{0, 1} })},
		{"alarm-subscribers", Fail, "notifies nobody", in(func(s *stack) { s.alarms[0].Topics = nil })},
		{"alarm-subscribers", Fail, "no alarm", in(func(s *stack) { s.alarms = nil })},
	}
}

// TestIteratorAgeOnAWS asks CloudWatch what the outbox tells on one host.
func TestIteratorAgeOnAWS(t *testing.T) {
	for age, want := range map[time.Duration]Status{0: OK, time.Second: OK, 2 * time.Minute: Warn, 10 * time.Minute: Fail} {
		w := newWorld(t)
		w.relay.Host, w.relay.AWS, w.stack.age = nil, w.stack.aws(), age
		if got := w.examine(t, "iterator-age")["iterator-age"]; got.Status != want {
			t.Errorf("%s: %s: %s, want %s", age, got.Status, got.Found, want)
		}
	}
}

// TestAWSThatDoesNotAnswer: what could not be looked at is never said to be well.
func TestAWSThatDoesNotAnswer(t *testing.T) {
	w := newWorld(t)
	w.relay.Host, w.relay.AWS = nil, w.stack.aws()
	w.stack.err = &fault.Error{Kind: fault.Fatal, Err: errors.New("access denied")}
	for _, c := range stackChecks() {
		got := w.examine(t, c.Name)[c.Name]
		if c.Name != "secrets-shape" && got.Status != Fail && got.Status != Skipped {
			t.Errorf("%s: %s: %s", c.Name, got.Status, got.Found)
		}
	}
}

// TestTheOtherSetIsPassedOver unless it is asked for by name, and then it says so.
func TestTheOtherSetIsPassedOver(t *testing.T) {
	w := newWorld(t)
	if _, made := w.examine(t)["ledger-ttl"]; made {
		t.Error("a check for AWS runs on the relay on one host")
	}
	if got := w.examine(t, "ledger-ttl")["ledger-ttl"]; got.Status != Skipped {
		t.Errorf("by name: %+v", got)
	}
	w.relay.Host, w.relay.AWS = nil, w.stack.aws()
	if got := w.examine(t); got["disk-space"].Name != "" || got["ledger-ttl"].Status != OK {
		t.Errorf("on AWS: %+v", got)
	}
}
