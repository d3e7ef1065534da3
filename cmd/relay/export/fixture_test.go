package export

import (
	"context"
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// stage is a relay here and one there.
type stage struct {
	t     *testing.T
	clock *relaytest.Clock
	here  *sqlite.DB

	routes        *relaytest.MemoryRoutes
	ledger        *relaytest.MemoryLedger
	conversations *relaytest.MemoryConversations
	queues        map[string]*relaytest.MemoryQueue
}

func newStage(t *testing.T, folder string, fail relaytest.Fault) *stage {
	t.Helper()
	s := &stage{t: t, clock: relaytest.NewClock(time.Now()), routes: relaytest.NewMemoryRoutes()}
	var err error
	if s.here, err = sqlite.Open(t.Context(), filepath.Join(folder, datafolder.DatabaseFile), s.clock.Now); err != nil {
		t.Fatal(err)
	}
	s.ledger = &relaytest.MemoryLedger{}
	s.conversations = &relaytest.MemoryConversations{}
	s.ledger.Fault, s.conversations.Fault = fail, fail
	s.queues = map[string]*relaytest.MemoryQueue{}
	for _, name := range queueNames() {
		s.queues[name] = relaytest.NewMemoryQueue(relaytest.QueueOptions{Standard: queueConfig(name).Standard}, s.clock.Now)
		s.queues[name].Fault = fail
	}
	return s
}

func queueNames() []string {
	return []string{datafolder.QueueName, datafolder.TimersName, datafolder.DeadLettersName, datafolder.DeadTimersName}
}

func (s *stage) export(stopped bool) *Export {
	e := &Export{
		From: s.here, Stopped: stopped, Now: s.clock.Now, Writers: 4,
		To: Destination{Routes: s.routes, Ledger: s.ledger, Conversations: s.conversations, Queues: map[string]queue.Sender{}},
	}
	for name, q := range s.queues {
		e.To.Queues[name] = q
	}
	return e
}

func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// text stores a text here, and returns it as it is stored.
func (s *stage) text(n int, state ledger.State) ledger.Record {
	s.t.Helper()
	r := relaytest.Record(n, s.clock.Now().Add(-time.Duration(n)*time.Hour))
	r.State = state
	r.Media = []sms.Media{{URL: "https://api.twilio.com/picture", Token: "here", KeptUntil: s.clock.Now(), Size: 10}, {URL: "x", Left: true}}
	stored, err := auditlog.Put(s.t.Context(), s.here.Ledger(), ledger.Record{}, r)
	s.must(err)
	return stored
}

// known stores a customer with a tag here, and a phone that was sent a text of his.
func (s *stage) known(who sms.PhoneNumber, tag conversation.Tag) {
	s.t.Helper()
	store, at := s.here.Conversations(), ledger.Stamp(s.clock.Now())
	c, err := store.Get(s.t.Context(), number, who)
	s.must(err)
	taken, use := c.Take(conversation.TagUse{Tag: tag}, at)
	_, err = auditlog.PutTag(s.t.Context(), store, c, taken, use, at)
	s.must(err)
	p, err := store.GetPhone(s.t.Context(), conversation.PhoneKey{TwilioNumber: number, Phone: phone})
	s.must(err)
	_, err = store.PutPhone(s.t.Context(), p.Receive(conversation.Exchange{Customer: who, Tag: tag, SentAt: at}, relaytest.MessageSid(1)))
	s.must(err)
}

// queued puts a text, a timer that is due in an hour, and a dead letter on the queues here; the text is in flight.
func (s *stage) queued() {
	s.t.Helper()
	message := relaytest.Message(1)
	inbound := queue.Envelope{
		Version: queue.Version, Kind: queue.KindInbound, RelayID: message.Sid, ReceivedAt: s.clock.Now(), Message: &message,
	}
	timer := queue.Envelope{
		Version: queue.Version, Kind: queue.KindTimer, RelayID: message.Sid, ReceivedAt: s.clock.Now(),
		Timer: &queue.Timer{Attempt: 1, Due: s.clock.Now().Add(time.Hour)},
	}
	for name, e := range map[string]queue.Envelope{
		datafolder.QueueName: inbound, datafolder.DeadLettersName: inbound, datafolder.TimersName: timer, datafolder.DeadTimersName: timer,
	} {
		out, err := e.Outgoing()
		s.must(err)
		if name == datafolder.TimersName {
			out.Delay = queue.MaxDelay
		}
		s.must(s.here.Queue(name, queueConfig(name)).Send(s.t.Context(), out))
	}
	_, err := s.here.Queue(datafolder.QueueName, datafolder.InboxConfig()).Receive(s.t.Context(), 10, 0, time.Hour)
	s.must(err)
}

// logged takes the changes out of the outbox, as the audit log does.
func (s *stage) logged() {
	s.t.Helper()
	for {
		changes, err := s.here.Changes().Read(s.t.Context(), 100, 0)
		s.must(err)
		if len(changes) == 0 {
			return
		}
		s.must(s.here.Changes().Checkpoint(s.t.Context(), changes[len(changes)-1].SequenceNumber))
	}
}

// all runs the export as the command does, until it has done all.
func (s *stage) all(e *Export) error {
	if err := e.Check(s.t.Context()); err != nil {
		return err
	}
	if err := e.Items(s.t.Context()); err != nil || !e.Stopped {
		return err
	}
	return e.Queued(s.t.Context())
}

// checkText wants the text there as it is here, with an audit trail that begins there.
func (s *stage) checkText(want ledger.Record) {
	s.t.Helper()
	got, err := s.ledger.Get(context.Background(), want.MessageSid)
	s.must(err)
	want.Media = []sms.Media{{URL: "https://api.twilio.com/picture", Size: 10}, {URL: "x", Left: true}}
	if got.Version == 1 {
		entry, err := auditlog.MessageEntry(nil, &got, auditlog.ChangeCreated, auditlog.Seen{})
		if err != nil || entry.Unsealed || entry.Hash != got.Seal {
			s.t.Errorf("text %s: its audit entry is %+v, error %v", want.MessageSid, entry, err)
		}
	}
	for _, r := range []*ledger.Record{&got, &want} {
		r.Version, r.Seal, r.UpdatedAt = 0, "", time.Time{}
	}
	if diff := cmp.Diff(asJSON(s.t, want), asJSON(s.t, got)); diff != "" {
		s.t.Errorf("text (-here +there):\n%s", diff)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (s *stage) wantCounts(e *Export, want map[string]Counts) {
	s.t.Helper()
	if diff := cmp.Diff(want, e.Counts()); diff != "" {
		s.t.Errorf("counts (-want +got):\n%s", diff)
	}
}

// tagged returns whose tag A05 is there, as the relay there would find out.
func (s *stage) tagged() (owner sms.PhoneNumber) {
	s.t.Helper()
	uses, err := s.conversations.TagUses(s.t.Context())
	s.must(err)
	for _, use := range byTag(uses) {
		c, err := s.conversations.Get(s.t.Context(), number, use.Customer)
		s.must(err)
		if use.Tag == "A05" && c.Tag == use.Tag && c.TagVersion == use.Version {
			owner = use.Customer
		}
	}
	return owner
}
