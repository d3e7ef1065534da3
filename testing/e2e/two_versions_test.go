//go:build unix

package e2e

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/testing/lambdahost"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

var twoVersions = flag.Bool("versions", false, "run TestTwoVersions, which builds the last release's sender")

// program is what testing/e2e/either reads.
type program struct {
	Command     []string
	Environment map[string]string
}

// TestTwoVersions lets the last release's sender and this one take from the same queue, as while a stack is deployed. What one of them
// began the other ends: receipts come to either. Each text is sent once, in its customer's order, and its records are sealed for the audit.
func TestTwoVersions(t *testing.T) {
	if !*twoVersions {
		t.Skip("only with -versions: make e2e-versions")
	}
	relaytest.Emulator(t, relaytest.EmulatorDynamoDB) // Without the emulators nothing needs to be built.
	old := relaytest.BuildLastRelease(t, "./functions/sender", "CGO_ENABLED=0", "GOFLAGS=-tags=lambda.norpc")
	folder := sideBySide(t)
	s, err := startStageOf(t, folder, map[string]any{"PacePair": "off", "PaceNumber": "off"}, func(c *twiliofake.Config) {
		c.Faults.BeforeCallback = func(twiliofake.Message) twiliofake.CallbackFault {
			return twiliofake.CallbackFault{Delay: 300 * time.Millisecond}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	var byOld atomic.Int64
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/Messages.json") {
			byOld.Add(1)
		}
		s.tally.watching(s.twilio).ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	now, err := lambdahost.Command(filepath.Join(*artefacts, "SenderFunction", "bootstrap"))
	if err != nil {
		t.Fatal(err)
	}
	another := map[string]string{"TWILIO_API_BASE_URL": server.URL}
	choose(t, folder, program{Command: []string{old}, Environment: another}, program{Command: now})

	s.putRoute(route.Route{TwilioNumber: number, DestinationCarrier: phone, AnswerTimeout: route.Duration(time.Hour)})
	const from, each = 16, 8
	taken := s.textAll(from, each)
	s.until("all texts delivered", 3*time.Minute, func() bool { return s.count(ledger.Delivered) == from*each })
	for words, messages := range s.sent() {
		if len(messages) != 1 {
			t.Errorf("%q was sent %d times", words, len(messages))
		}
	}
	last := map[conversation.Tag]string{}
	for _, m := range s.twilio.Messages() {
		if tag, _, isTagged := conversation.Leading(m.Body); m.Direction == twiliofake.DirectionOutboundAPI && isTagged {
			words := conversation.WithoutHeader(m.Body)
			if words <= last[tag] {
				t.Errorf("%q was sent after %q", words, last[tag])
			}
			last[tag] = words
		}
	}
	all, n := len(taken), int(byOld.Load())
	t.Logf("%d texts, of which the last release's sender sent %d and this one %d", all, n, all-n)
	if len(s.sent()) != all || n == 0 || n >= all {
		t.Errorf("%d of %d texts were sent, %d by the last release's sender; want all, and some by each", len(s.sent()), all, n)
	}
	s.checkTrails(taken)
}

// textAll lets so many customers send so many texts each, one after the other, and again until the front door has taken each: it is not
// what is tried here. It returns the sids.
func (s *stage) textAll(from, each int) (sids []string) {
	s.t.Helper()
	var mu sync.Mutex
	var senders errgroup.Group
	senders.SetLimit(4)
	for c := range from {
		senders.Go(func() error {
			for n := range each {
				in := twiliofake.Inbound{From: customer(c), To: number, Body: fmt.Sprintf("text %03d of customer %02d", n, c)}
				for started := time.Now(); ; {
					answer, err := s.twilio.SendInbound(s.t.Context(), in, s.webhook())
					in.Sid = answer.MessageSid
					if err == nil && answer.Taken {
						break
					}
					if err == nil && time.Since(started) > 2*time.Minute {
						err = fmt.Errorf("answered %d", answer.StatusCode)
					}
					if err != nil {
						return fmt.Errorf("%s: %w", in.Body, err)
					}
				}
				mu.Lock()
				sids = append(sids, in.Sid)
				mu.Unlock()
			}
			return nil
		})
	}
	if err := senders.Wait(); err != nil {
		s.t.Fatal(err)
	}
	return sids
}

// sideBySide makes a folder of artefacts like the one that sam build filled, but for the sender: that is either.
func sideBySide(t *testing.T) string {
	t.Helper()
	built, err := filepath.Abs(*artefacts)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	entries, err := os.ReadDir(built)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.Name() == "SenderFunction" {
			continue
		}
		if err := os.Symlink(filepath.Join(built, entry.Name()), filepath.Join(folder, entry.Name())); err != nil {
			t.Fatal(err)
		}
	}
	bootstrap := filepath.Join(folder, "SenderFunction", "bootstrap")
	if said, err := exec.CommandContext(t.Context(), "go", "build", "-o", bootstrap, "./either").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, said)
	}
	return folder
}

// choose says which programs the sender's processes become.
func choose(t *testing.T, folder string, programs ...program) {
	t.Helper()
	text, err := json.Marshal(programs)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "SenderFunction", "programs.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
}
