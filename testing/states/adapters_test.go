package states_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/onehost/mediafolder"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// adapters are what a story runs over.
type adapters struct {
	records       records
	routes        route.Table
	pace          pace.Book
	conversations conversations
	media         media.Store
	// texts, timers and dead are the three queues; nothing else is on them.
	texts, timers, dead box
	// now is the clock of the sender and, where they are told the time, of the adapters.
	now func() time.Time
	// wait is how long a receive waits for a message. idle lets time go by when there was none.
	wait time.Duration
	idle func()
	// skip lets so much time go by; nil where the clock cannot be set. It can in a long story.
	skip func(time.Duration)
}

// conversations keep conversations, and list them.
type conversations interface {
	conversation.Store
	conversation.Lister
}

// records is a ledger.
type records interface {
	ledger.Store
	ledger.Lister
}

// box is a queue that shows a test how much is on it.
type box interface {
	queue.Sender
	queue.Receiver
	// depth counts the messages: those waiting, delayed and in flight.
	depth(ctx context.Context) (int, error)
}

// tick is how far a clock that a story moves goes on when there is nothing to do.
const tick = 200 * time.Millisecond

// inMemory returns the doubles in memory, which live by a clock of their own.
func inMemory(*testing.T) adapters {
	a := queuesInMemory()
	a.records, a.routes, a.pace = &relaytest.MemoryLedger{}, &relaytest.MemoryRoutes{}, &relaytest.MemoryPace{}
	a.conversations, a.media = &relaytest.MemoryConversations{}, &relaytest.MemoryMedia{Now: a.now}
	return a
}

// queuesInMemory returns the queues' doubles, and the clock by which they live.
func queuesInMemory() adapters {
	clock := relaytest.NewClock(noon)
	box := func(name string, o relaytest.QueueOptions) box {
		return memoryBox{MemoryQueue: relaytest.NewMemoryQueue(o, clock.Now), name: name}
	}
	return adapters{
		texts:  box("texts", relaytest.QueueOptions{}),
		timers: box("timers", relaytest.QueueOptions{Standard: true}),
		dead:   box("dead", relaytest.QueueOptions{}),
		now:    clock.Now, idle: func() { clock.Advance(tick) }, skip: clock.Advance,
	}
}

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

type memoryBox struct {
	*relaytest.MemoryQueue

	name string
}

// Receive implements [queue.Receiver]. No two messages have the same id, of other queues neither; those of the double may.
func (b memoryBox) Receive(ctx context.Context, limit int, wait, visibility time.Duration) ([]queue.Delivery, error) {
	deliveries, err := b.MemoryQueue.Receive(ctx, limit, wait, visibility)
	for i := range deliveries {
		deliveries[i].MessageID = b.name + "-" + deliveries[i].MessageID
	}
	return deliveries, err
}

func (b memoryBox) depth(context.Context) (int, error) { return len(b.Messages()), nil }

// inSQLite returns the adapters of one host, over a new file, which live by a clock of their own.
func inSQLite(t *testing.T) adapters {
	t.Helper()
	clock := relaytest.NewClock(noon)
	db, err := sqlite.Open(context.WithoutCancel(t.Context()), filepath.Join(t.TempDir(), "relay.db"), clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	folder, err := mediafolder.New(mediafolder.Config{Path: t.TempDir(), Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	return adapters{
		records: db.Ledger(), routes: db.Routes(), pace: db.Pace(), conversations: db.Conversations(), media: folder,
		texts:  sqliteBox{db.Queue("texts", sqlite.QueueConfig{MaxReceiveCount: manyReceives, DeadLetter: "dead"})},
		timers: sqliteBox{db.Queue("timers", sqlite.QueueConfig{Standard: true})},
		dead:   sqliteBox{db.Queue("dead", sqlite.QueueConfig{})},
		now:    clock.Now, idle: func() { clock.Advance(tick) }, skip: clock.Advance,
	}
}

// manyReceives is so often that a queue's own dead-letter policy has no part in a story.
const manyReceives = 1000

type sqliteBox struct{ *sqlite.Queue }

func (b sqliteBox) depth(ctx context.Context) (int, error) {
	visible, inFlight, _, err := b.Depth(ctx)
	return visible + inFlight, err
}
