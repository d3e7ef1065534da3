package sqlite

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

const (
	// killedPath and killedRound tell the child process, which is this test binary once more, what to do.
	killedPath  = "SMSRELAY_TEST_KILLED_PATH"
	killedRound = "SMSRELAY_TEST_KILLED_ROUND"
	// killedWorkers write side by side in the child.
	killedWorkers = 8
)

// TestKilledChild is no test by itself: it is what TestKill9 runs in another process. It writes for ever, and prints
// each write when it was told that it is kept.
func TestKilledChild(t *testing.T) {
	path, round := os.Getenv(killedPath), os.Getenv(killedRound)
	if path == "" {
		t.Skip("runs only as the child of TestKill9")
	}
	db := openAt(t, path, time.Now)
	q, l := db.Queue("main", QueueConfig{}), db.Ledger()
	var mu sync.Mutex
	acknowledge := func(kind, id string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Printf("kept %s %s\n", kind, id)
	}
	var wg sync.WaitGroup
	for worker := range killedWorkers {
		wg.Go(func() {
			for n := 0; ; n++ {
				id := fmt.Sprintf("%s-%d-%06d", round, worker, n)
				if err := q.Send(t.Context(), queue.Outgoing{Group: fmt.Sprint(worker), DeduplicationID: id, Body: id}); err != nil {
					t.Errorf("Send: %v", err)
					return
				}
				acknowledge("message", id)
				r := relaytest.Record(1, noon)
				r.MessageSid = id
				stored, err := l.Create(t.Context(), r)
				if err == nil {
					stored, err = l.Update(t.Context(), stored)
				}
				if err != nil {
					t.Errorf("Create and Update: %v", err)
					return
				}
				acknowledge("record", stored.MessageSid)
			}
		})
	}
	wg.Wait()
}

// runAndKill lets a child process write until it has had a number of acknowledgements, kills it in the middle of
// whatever it does, and returns all that it was told.
func runAndKill(t *testing.T, path string, round, acknowledgements int) (messages, records []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	// A context that ends kills the process with SIGKILL.
	child := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestKilledChild$", "-test.v")
	child.Env = append(os.Environ(), killedPath+"="+path, fmt.Sprintf("%s=%d", killedRound, round))
	child.Stderr = os.Stderr
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(output); lines.Scan(); {
		id, isMessage := strings.CutPrefix(lines.Text(), "kept message ")
		if isMessage {
			messages = append(messages, id)
		} else if id, isRecord := strings.CutPrefix(lines.Text(), "kept record "); isRecord {
			records = append(records, id)
		}
		if len(messages)+len(records) == acknowledgements {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil || child.ProcessState.Exited() {
		t.Fatalf("child ended by itself (%v) after %d acknowledgements", err, len(messages)+len(records))
	}
	return messages, records
}

// Whatever the moment at which the process is killed: what it was told is kept is there, once, in order, and nothing
// is there by half.
func TestKill9(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	path := filepath.Join(t.TempDir(), "relay.db")
	var messages, records []string
	for round := range 5 {
		m, r := runAndKill(t, path, round, 150+370*round)
		messages, records = append(messages, m...), append(records, r...)
	}
	db := openAt(t, path, time.Now)
	checkIntegrity(t, db)
	checkMessages(t, db, messages)
	checkRecords(t, db, records)
}

func checkIntegrity(t *testing.T, db *DB) {
	t.Helper()
	for pragma, want := range map[string]string{"integrity_check": "ok", "foreign_key_check": ""} {
		var got string
		if _, err := db.reader.get(t.Context(), []any{&got}, "PRAGMA "+pragma); err != nil || got != want {
			t.Errorf("%s says %q, error %v", pragma, got, err)
		}
	}
}

func checkMessages(t *testing.T, db *DB, acknowledged []string) {
	t.Helper()
	q := db.Queue("main", QueueConfig{})
	visible, _, _, err := q.Depth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	received := map[string]bool{}
	last := map[string]string{}
	for {
		got, err := q.Receive(t.Context(), 10, 0, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 {
			break
		}
		for _, d := range got {
			if received[d.Body] || d.Body <= last[d.Group] {
				t.Errorf("received %s after %s", d.Body, last[d.Group])
			}
			received[d.Body], last[d.Group] = true, d.Body
		}
		remove(t, q, got...)
	}
	if len(received) != visible {
		t.Errorf("received %d messages, the queue counted %d", len(received), visible)
	}
	for _, id := range acknowledged {
		if !received[id] {
			t.Errorf("message %s was acknowledged and is lost", id)
		}
	}
	t.Logf("%d messages acknowledged, %d on the queue", len(acknowledged), len(received))
}

func checkRecords(t *testing.T, db *DB, acknowledged []string) {
	t.Helper()
	changes := map[string]int64{}
	for {
		read := read(t, db, 1000)
		if len(read) == 0 {
			break
		}
		for _, c := range read {
			changes[c.Key]++
		}
		if err := db.Changes().Checkpoint(t.Context(), read[len(read)-1].SequenceNumber); err != nil {
			t.Fatal(err)
		}
	}
	for key, count := range changes {
		if r, err := db.Ledger().Get(t.Context(), key); err != nil || r.Version != count {
			t.Errorf("record %s has version %d, error %v, and %d changes", key, r.Version, err, count)
		}
	}
	for _, key := range acknowledged {
		if changes[key] != 2 {
			t.Errorf("record %s was acknowledged in version 2 and has %d changes", key, changes[key])
		}
	}
	t.Logf("%d records acknowledged, %d in the ledger", len(acknowledged), len(changes))
}
