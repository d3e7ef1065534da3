package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// copiedCustomers write three times each.
const copiedCustomers = 5

// TestACopiedFolderSendsNothingTwice copies the folder of a relay that has texts queued, lets the original send them, and starts the
// copy: it finds out what was sent, and sends nothing.
func TestACopiedFolderSendsNothingTwice(t *testing.T) {
	t.Parallel()
	binary := relayProgram(t)
	folder := t.TempDir()
	original, copied := filepath.Join(folder, "original"), filepath.Join(folder, "copy")
	routes := writeMaintenance(t, folder, testRoutes())
	var busy atomic.Bool
	var refused atomic.Int64
	fake, twilioURL := newFake(t, func(c *twiliofake.Config) {
		c.Faults.BeforeCreate = func(url.Values) twiliofake.Fault {
			if !busy.Load() {
				return twiliofake.Fault{}
			}
			refused.Add(1)
			return twiliofake.Fault{Status: 429, RetryAfter: 3 * time.Second}
		}
	})
	busy.Store(true)
	first := startServe(t, binary, twilioURL, original, "127.0.0.1:0", routes, "500ms")
	sids := textThreeTimesEach(t, fake, first.url)
	waitUntil(t, "each customer's first text refused", time.Minute, func() bool {
		return refused.Load() >= copiedCustomers && !isAnySending(t, first.url, sids)
	})
	first.kill()
	if err := os.CopyFS(copied, os.DirFS(original)); err != nil {
		t.Fatal(err)
	}
	busy.Store(false)
	settled := func(relay *serving) {
		t.Helper()
		for _, sid := range sids {
			waitUntil(t, "text "+sid+" settled", time.Minute, func() bool {
				return slices.Contains([]ledger.State{ledger.Delivered, ledger.Uncertain}, stateOf(t, relay.url, sid))
			})
			if state := stateOf(t, relay.url, sid); state != ledger.Delivered {
				t.Errorf("%s is %s", sid, state)
			}
		}
	}
	again := startServe(t, binary, twilioURL, original, "127.0.0.1:0", routes, "500ms")
	settled(again)
	again.kill()

	second := startServe(t, binary, twilioURL, copied, "127.0.0.1:0", routes, "500ms")
	settled(second)
	wantSentOnce(t, fake, sids)
	const says = "this data folder was copied or restored"
	if output := second.output.String(); !strings.Contains(output, says) {
		t.Errorf("the copy does not say that it is one:\n%s", output)
	}
	if output := again.output.String(); strings.Contains(output, says) {
		t.Errorf("the original says that it is a copy:\n%s", output)
	}
	second.stop(t)
	wantCompleteTrails(t, copied)
}

func wantSentOnce(t *testing.T, fake *twiliofake.Server, sids []string) {
	t.Helper()
	sent := sentByText(t, fake)
	for _, sid := range sids {
		if sent[sid] != 1 {
			t.Errorf("%s was sent %d times", sid, sent[sid])
		}
	}
}

func wantCompleteTrails(t *testing.T, data string) {
	t.Helper()
	for sid, entries := range trails(t, data) {
		if err := completeTrail(entries); err != nil {
			t.Errorf("audit trail of %s: %v", sid, err)
		}
	}
}

// isAnySending reports whether a text is under way to Twilio. What was refused waits for three seconds; what is under way when the relay
// dies is uncertain, rightly.
func isAnySending(t *testing.T, relayURL string, sids []string) bool {
	t.Helper()
	return slices.ContainsFunc(sids, func(sid string) bool { return stateOf(t, relayURL, sid) == ledger.Sending })
}

// textThreeTimesEach lets five customers text three times each, and returns the ids.
func textThreeTimesEach(t *testing.T, fake *twiliofake.Server, relayURL string) []string {
	t.Helper()
	var sids []string
	for n := range 3 * copiedCustomers {
		in := twiliofake.Inbound{From: burstCustomer(n % copiedCustomers), To: testNumber, Body: fmt.Sprintf("text %d of 3", n/copiedCustomers+1)}
		if n%copiedCustomers == 0 {
			// One customer says the same each time.
			in.Body = "hello?"
		}
		response, err := fake.SendInbound(t.Context(), in, relayURL+webhook.PathInbound)
		if err != nil || !response.Taken {
			t.Fatalf("text not accepted: %+v, error %v", response, err)
		}
		sids = append(sids, response.MessageSid)
	}
	return sids
}
