package sqlite

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// model is the queue's contract in the plainest form: lists of messages, and a look at all of them each time.
type model struct {
	t     *rapid.T
	q     *Queue
	dead  *Queue
	clock *relaytest.Clock

	messages []*modelMessage
	buried   []string
	handles  []string
	sent     int
}

type modelMessage struct {
	group, body string
	count       int
	handle      string
	hiddenUntil time.Time
}

const modelMaxReceiveCount = 3

func (m *model) inFlight(message *modelMessage) bool {
	return m.clock.Now().Before(message.hiddenUntil)
}

func (m *model) locked(group string) bool {
	return slices.ContainsFunc(m.messages, func(message *modelMessage) bool {
		return message.group == group && m.inFlight(message)
	})
}

func (m *model) drop(message *modelMessage) {
	m.messages = slices.DeleteFunc(m.messages, func(other *modelMessage) bool { return other == message })
}

func (m *model) must(err error) {
	if err != nil {
		m.t.Fatal(err)
	}
}

func (m *model) send(t *rapid.T) {
	m.sent++
	message := &modelMessage{group: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "group"), body: fmt.Sprint(m.sent)}
	m.must(m.q.Send(t.Context(), queue.Outgoing{Group: message.group, DeduplicationID: message.body, Body: message.body}))
	m.messages = append(m.messages, message)
}

// take returns what one round of a receive hands out: of the groups that are free, no more than limit and the one with
// the oldest message first, the messages in order, without those that go to the dead-letter queue now.
func (m *model) take(limit int) []*modelMessage {
	var taken []*modelMessage
	var seen []string
	for _, head := range slices.Clone(m.messages) {
		if slices.Contains(seen, head.group) || m.locked(head.group) || len(taken) == limit || len(seen) == limit {
			continue
		}
		seen = append(seen, head.group)
		taken = append(taken, m.takeGroup(head.group, limit-len(taken))...)
	}
	return taken
}

// takeGroup looks at the first messages of a group, no more than may be handed out.
func (m *model) takeGroup(group string, limit int) []*modelMessage {
	var taken []*modelMessage
	looked := 0
	for _, message := range slices.Clone(m.messages) {
		if message.group != group || looked == limit {
			continue
		}
		looked++
		if message.count >= modelMaxReceiveCount {
			m.buried = append(m.buried, message.body)
			m.drop(message)
			continue
		}
		taken = append(taken, message)
	}
	return taken
}

func (m *model) receive(t *rapid.T) {
	limit := rapid.IntRange(1, 10).Draw(t, "limit")
	visibility := time.Duration(rapid.IntRange(0, 3).Draw(t, "visibility")) * time.Second
	got, err := m.q.Receive(t.Context(), limit, 0, visibility)
	m.must(err)
	m.compare(got, limit, visibility)
}

func (m *model) compare(got []queue.Delivery, limit int, visibility time.Duration) {
	// A round in which all messages were buried is followed by another.
	want := m.take(limit)
	for before := -1; len(want) == 0 && before != len(m.buried); {
		before = len(m.buried)
		want = m.take(limit)
	}
	if len(got) != len(want) {
		m.t.Fatalf("received %d messages, want %d", len(got), len(want))
	}
	for i, message := range want {
		message.count++
		if got[i].Body != message.body || got[i].Group != message.group || got[i].ReceiveCount != message.count {
			m.t.Fatalf("message %d is %s of %s, received %d times; want %s of %s, %d times",
				i, got[i].Body, got[i].Group, got[i].ReceiveCount, message.body, message.group, message.count)
		}
		message.handle, message.hiddenUntil = got[i].ReceiptHandle, m.clock.Now().Add(visibility)
		m.handles = append(m.handles, message.handle)
	}
}

// held draws a handle, which may have lapsed, and returns its message if it has not.
func (m *model) held(t *rapid.T) (handle string, message *modelMessage) {
	if len(m.handles) == 0 {
		t.Skip("nothing was received yet")
	}
	handle = m.handles[len(m.handles)-1-rapid.IntRange(0, min(15, len(m.handles)-1)).Draw(t, "handle")]
	for _, message := range m.messages {
		if message.handle == handle && m.inFlight(message) {
			return handle, message
		}
	}
	return handle, nil
}

func (m *model) remove(t *rapid.T) {
	handle, message := m.held(t)
	m.must(m.q.Delete(t.Context(), []string{handle}))
	m.drop(message)
}

func (m *model) hide(t *rapid.T) {
	handle, message := m.held(t)
	timeout := time.Duration(rapid.IntRange(0, 3).Draw(t, "timeout")) * time.Second
	m.must(m.q.ChangeVisibility(t.Context(), []queue.Visibility{{ReceiptHandle: handle, Timeout: timeout}}))
	if message != nil {
		message.hiddenUntil = m.clock.Now().Add(timeout)
	}
}

func (m *model) advance(t *rapid.T) {
	m.clock.Advance(time.Duration(rapid.IntRange(1, 2500).Draw(t, "milliseconds")) * time.Millisecond)
}

// check compares the depth, and the dead letters, after each step.
func (m *model) check(t *rapid.T) {
	inFlight := 0
	for _, message := range m.messages {
		if m.inFlight(message) {
			inFlight++
		}
	}
	gotVisible, gotInFlight, _, err := m.q.Depth(t.Context())
	m.must(err)
	if gotVisible != len(m.messages)-inFlight || gotInFlight != inFlight {
		t.Fatalf("depth %d and %d in flight, want %d and %d", gotVisible, gotInFlight, len(m.messages)-inFlight, inFlight)
	}
	gotVisible, _, _, err = m.dead.Depth(t.Context())
	m.must(err)
	if gotVisible != len(m.buried) {
		t.Fatalf("%d dead letters, want %d", gotVisible, len(m.buried))
	}
}

// Whatever is done with a queue, in whatever order, it behaves as the model does.
func TestQueueBehavesAsItsModel(t *testing.T) {
	clock := relaytest.NewClock(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))
	db := openAt(t, t.TempDir()+"/relay.db", clock.Now)
	queues := 0
	rapid.Check(t, func(t *rapid.T) {
		queues++
		dead := fmt.Sprintf("dead-%d", queues)
		m := &model{
			t: t, clock: clock, dead: db.Queue(dead, QueueConfig{}),
			q: db.Queue(fmt.Sprintf("main-%d", queues), QueueConfig{MaxReceiveCount: modelMaxReceiveCount, DeadLetter: dead}),
		}
		t.Repeat(map[string]func(*rapid.T){
			"send": m.send, "receive": m.receive, "delete": m.remove, "change visibility": m.hide, "advance": m.advance, "": m.check,
		})
	})
}
