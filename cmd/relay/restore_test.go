package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/backups"
	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

var restoreRounds = flag.Int("restore.rounds", 2, "how often TestRestoreUnderLoad loses the folder of a relay and restores its backup")

// TestRestoreUnderLoad kills a relay under load, again and again, deletes its folder, and restores the newest backup elsewhere, or every
// other time the replica: each text that was accepted is sent, and sent once, by the count of the fake Twilio.
func TestRestoreUnderLoad(t *testing.T) {
	t.Parallel()
	s := &restoring{t: t, binary: relayProgram(t), folder: t.TempDir(), taken: map[string]bool{}}
	s.fake, s.twilioURL = newFake(t, nil)
	s.routes, s.replica = writeMaintenance(t, s.folder, testRoutes()), filepath.Join(s.folder, "replica")
	relay := s.start(0)
	for round := 1; round <= *restoreRounds; round++ {
		stop := s.load(relay.url, round)
		time.Sleep(100 * time.Millisecond)
		from := filepath.Join(s.folder, "backups")
		if round%2 == 0 {
			from = s.replica
			s.waitForReplica(round - 1)
		} else {
			s.run("backup", from, "--data", s.data(round-1))
		}
		time.Sleep(300 * time.Millisecond)
		relay.kill()
		stop()
		if err := os.RemoveAll(s.data(round - 1)); err != nil {
			t.Fatal(err)
		}
		s.run("restore", from, "--data", s.data(round))
		relay = s.start(round)
		stop = s.load(relay.url, round)
		time.Sleep(100 * time.Millisecond)
		stop()
		s.settle(relay.url, round)
	}
	accepted, lost, doubled := s.count()
	t.Logf("%d rounds: %d texts, %d accepted, %d lost, %d doubled", *restoreRounds, len(s.taken), accepted, lost, doubled)
}

// restoreTime is how long it may take until all texts are sent, also if a machine has much else to do.
const restoreTime = 10 * time.Minute

// restoring is a relay whose folder is lost and restored.
type restoring struct {
	t                                 *testing.T
	binary, folder, routes, twilioURL string
	// replica is where the relay keeps a replica; empty if it keeps none.
	replica string
	fake    *twiliofake.Server
	mu      sync.Mutex
	texts   int
	taken   map[string]bool
}

func (s *restoring) data(round int) string {
	return filepath.Join(s.folder, fmt.Sprint("data-", round))
}

func (s *restoring) start(round int) *serving {
	// With the other tests at work, a second is not enough for each answer of the fake: texts would be uncertain because of that alone.
	return startServe(s.t, s.binary, s.twilioURL, s.data(round), "127.0.0.1:0", s.routes, "500ms", "--send-timeout", "5s", "--replicate",
		s.replica)
}

// waitForReplica waits until there is a replica of a round's folder.
func (s *restoring) waitForReplica(round int) {
	s.t.Helper()
	waitUntil(s.t, "there is a replica", time.Minute, func() bool {
		state, _, err := backups.ReadReplicaState(s.data(round))
		return err == nil && !state.Last.IsZero()
	})
}

// run runs a command of the program.
func (s *restoring) run(args ...string) {
	s.t.Helper()
	cmd := exec.Command(s.binary, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.folder}
	if output, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("relay %v: %v\n%s", args, err, output)
	}
}

// load lets twenty customers text until stop is called. What the relay accepted is noted.
func (s *restoring) load(relayURL string, round int) (stop func()) {
	var senders sync.WaitGroup
	ended := make(chan struct{})
	for customer := range 20 {
		senders.Go(func() {
			for {
				select {
				case <-ended:
					return
				default:
				}
				s.mu.Lock()
				s.texts++
				n := s.texts
				s.mu.Unlock()
				in := twiliofake.Inbound{From: burstCustomer(20*round + customer), To: testNumber, Body: fmt.Sprintf("text %d of round %d", n, round)}
				response, err := s.fake.SendInbound(s.t.Context(), in, relayURL+webhook.PathInbound)
				s.mu.Lock()
				s.taken[response.MessageSid] = err == nil && response.Taken
				s.mu.Unlock()
				time.Sleep(150 * time.Millisecond)
			}
		})
	}
	return sync.OnceFunc(func() { close(ended); senders.Wait() })
}

// settle waits until each text that was ever accepted is known here, and sent.
func (s *restoring) settle(relayURL string, round int) {
	s.t.Helper()
	began := time.Now()
	for sid, taken := range s.taken {
		if !taken {
			continue
		}
		state := stateOf(s.t, relayURL, sid)
		for time.Since(began) < restoreTime && state != ledger.Sent && state != ledger.Delivered {
			time.Sleep(10 * time.Millisecond)
			state = stateOf(s.t, relayURL, sid)
		}
		if state != ledger.Sent && state != ledger.Delivered {
			said, _ := exec.Command(s.binary, "status", sid, "--json", "--data", s.data(round)).CombinedOutput()
			s.t.Errorf("round %d: %s is %q\n%s", round, sid, state, said)
		}
	}
}

// count compares what was accepted with what the fake sent.
func (s *restoring) count() (accepted, lost, doubled int) {
	s.t.Helper()
	sent := sentByText(s.t, s.fake)
	for sid, taken := range s.taken {
		if taken {
			accepted++
		}
		switch n := sent[sid]; {
		case n > 1:
			doubled++
			s.t.Errorf("%s was sent %d times", sid, n)
		case n == 0 && taken:
			lost++
			s.t.Errorf("%s was accepted and never sent", sid)
		}
	}
	return accepted, lost, doubled
}
