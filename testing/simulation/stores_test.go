package simulation_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// stores are what all processes share.
type stores struct {
	fifo, timers, dead *watchedQueue
	records            interface {
		ledger.Store
		ledger.Lister
	}
	routes        route.Table
	conversations interface {
		conversation.Store
		conversation.Lister
		conversation.Actions
	}
	pace  pace.Book
	audit *relaytest.MemoryAuditLog
}

// inMemory returns stores in memory.
func inMemory(r route.Route) stores {
	open := func(name string, o relaytest.QueueOptions) *watchedQueue {
		q := relaytest.NewMemoryQueue(o, time.Now)
		w := &watchedQueue{Sender: q, Receiver: q, name: name, held: func() int { return len(q.Messages()) }}
		if q.Dead != nil {
			w.gone = func() int { return len(q.Dead.Messages()) }
		}
		return w
	}
	return stores{
		fifo:   open("fifo", relaytest.QueueOptions{MaxReceiveCount: maxReceives}),
		timers: open("timers", relaytest.QueueOptions{Standard: true, MaxReceiveCount: maxReceives}),
		dead:   open("dead", relaytest.QueueOptions{}), records: &relaytest.MemoryLedger{},
		routes: relaytest.NewMemoryRoutes(r), conversations: &relaytest.MemoryConversations{},
		pace: &relaytest.MemoryPace{}, audit: &relaytest.MemoryAuditLog{},
	}
}

// inFile returns stores in a database file, as `relay serve` has them.
func inFile(t *testing.T, db *sqlite.DB, r route.Route) stores {
	t.Helper()
	held := func(name string) func() int {
		return func() int {
			waiting, inFlight, _, err := db.Queue(name, sqlite.QueueConfig{}).Depth(context.Background())
			if err != nil {
				t.Error(err)
			}
			return waiting + inFlight
		}
	}
	open := func(name string, config sqlite.QueueConfig) *watchedQueue {
		q := db.Queue(name, config)
		return &watchedQueue{Sender: q, Receiver: q, name: name, held: held(name), gone: held(config.DeadLetter)}
	}
	if _, err := db.Routes().Put(context.Background(), r); err != nil {
		t.Error(err)
	}
	return stores{
		fifo:   open("fifo", sqlite.QueueConfig{MaxReceiveCount: maxReceives, DeadLetter: "gone"}),
		timers: open("timers", sqlite.QueueConfig{Standard: true, MaxReceiveCount: maxReceives, DeadLetter: "gone-timers"}),
		dead:   open("dead", sqlite.QueueConfig{}), records: db.Ledger(),
		routes: db.Routes(), conversations: db.Conversations(), pace: db.Pace(), audit: &relaytest.MemoryAuditLog{},
	}
}

// TestSimulationInFile plays schedules over the stores of one host. They are not the ones in memory: of several groups
// the queues hand out another one first.
func TestSimulationInFile(t *testing.T) {
	skipIfOne(t)
	t.Parallel()
	for seed := *firstFlag; seed < *firstFlag+fileSchedules; seed++ {
		if o := playInFile(t, seed); len(o.violations) > 0 {
			t.Errorf("schedule %d, over a file, violates what must hold:\n  %s\n%s", seed, strings.Join(o.violations, "\n  "), o.trace)
		}
	}
}

// fileSchedules is how many schedules are played over a file, each of whose writes is synced.
const fileSchedules = 30

// playInFile plays the schedule of a seed over a database of its own.
func playInFile(t *testing.T, seed uint64) outcome {
	t.Helper()
	var o outcome
	path := filepath.Join(t.TempDir(), "relay.db")
	synctest.Test(t, func(t *testing.T) {
		sc := scenarioOf(seed)
		sc.Clocks.wait()
		db, err := sqlite.Open(context.Background(), path, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		o = playOver(inFile(t, db, sc.route()), sc, fromSeed(seed), true)
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return o
}
