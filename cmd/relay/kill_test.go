package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// TestKilledInTheMiddleOfABurst kills the real program with SIGKILL while customers text it, starts it again on the same
// data, and wants every acknowledged text in a final state, none sent twice, and none left without a trail.
func TestKilledInTheMiddleOfABurst(t *testing.T) {
	t.Parallel()
	binary := relayProgram(t)
	folder := t.TempDir()
	data := filepath.Join(folder, "relay-data")
	routes := writeMaintenance(t, folder, testRoutes())
	fake, twilioURL := newFake(t, func(c *twiliofake.Config) {
		c.Faults.BeforeCreate = func(url.Values) twiliofake.Fault { return twiliofake.Fault{Delay: 5 * time.Millisecond} }
	})
	first := startServe(t, binary, twilioURL, data, "127.0.0.1:0", routes, "500ms")
	acknowledged := textUntilKilled(t, fake, first)
	if len(acknowledged) == 0 {
		t.Fatal("nothing was acknowledged before the kill")
	}
	address := first.url[len("http://"):]
	second := startServe(t, binary, twilioURL, data, address, routes, "500ms")

	final := finalStates(t, second, fake, acknowledged)
	t.Logf("%d texts acknowledged before the kill: %v", len(acknowledged), final)
	sent := sentByText(t, fake)
	for sid, n := range sent {
		if n > 1 {
			t.Errorf("%s was sent %d times", sid, n)
		}
	}
	// Those that were in the sender's hands are found on Twilio's list, or are not there and wait for someone to look.
	for body, sid := range acknowledged {
		if state := stateOf(t, second.url, sid); (sent[sid] > 0) == (state == ledger.Uncertain) {
			t.Errorf("%q is %s, and Twilio has %d messages of it", body, state, sent[sid])
		}
	}
	second.stop(t)
	all := trails(t, data)
	for body, sid := range acknowledged {
		if err := completeTrail(all[sid]); err != nil || len(all[sid]) == 0 {
			t.Errorf("audit trail of %q: %v, %d entries", body, err, len(all[sid]))
		}
	}
}

// finalStates waits until every text has left the sender's hands and every receipt has been applied, and counts the
// states. A text may be left at sent only if its receipt came while nobody listened, and Twilio gave it up.
func finalStates(t *testing.T, relay *serving, fake *twiliofake.Server, acknowledged map[string]string) map[ledger.State]int {
	t.Helper()
	settled := func(sid string) ledger.State {
		state := stateOf(t, relay.url, sid)
		if slices.Contains([]ledger.State{ledger.Sent, ledger.Delivered, ledger.Uncertain}, state) {
			return state
		}
		return ""
	}
	for _, sid := range acknowledged {
		waitUntil(t, "text "+sid+" settled", 2*time.Minute, func() bool { return settled(sid) != "" })
	}
	if err := fake.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	var final map[ledger.State]int
	count := func() {
		final = map[ledger.State]int{}
		for _, sid := range acknowledged {
			final[settled(sid)]++
		}
	}
	// The last receipts are on the queue.
	waitUntil(t, "receipts applied", time.Minute, func() bool {
		count()
		return final[""] == 0 && final[ledger.Sent] <= receiptsGivenUp(fake)
	})
	return final
}

// receiptsGivenUp counts the texts whose last receipt Twilio could not post.
func receiptsGivenUp(fake *twiliofake.Server) int {
	n := 0
	for _, c := range fake.Callbacks() {
		if c.Status == sms.StatusDelivered && c.WebhookErrorCode != 0 {
			n++
		}
	}
	return n
}

// textUntilKilled lets customers text until a hundred texts are acknowledged, then kills the relay, and returns what it
// acknowledged before.
func textUntilKilled(t *testing.T, fake *twiliofake.Server, relay *serving) map[string]string {
	t.Helper()
	var mu sync.Mutex
	acknowledged := map[string]string{}
	enough := make(chan struct{})
	var once sync.Once
	var group errgroup.Group
	for c := range burstCustomers {
		group.Go(func() error {
			for n := range *burstEach {
				in := twiliofake.Inbound{From: burstCustomer(c), To: testNumber, Body: fmt.Sprintf("text %03d of customer %02d", n, c)}
				response, err := fake.SendInbound(t.Context(), in, relay.url+webhook.PathInbound)
				if err != nil {
					return err
				}
				if !response.Taken {
					return nil // The relay is gone.
				}
				mu.Lock()
				acknowledged[in.Body] = response.MessageSid
				if len(acknowledged) == 2*burstCustomers {
					once.Do(func() { close(enough) })
				}
				mu.Unlock()
			}
			return nil
		})
	}
	<-enough
	relay.kill()
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	return acknowledged
}

// stateOf asks the relay for a text's state; empty while the ledger does not know the text.
func stateOf(t *testing.T, url, sid string) ledger.State {
	t.Helper()
	return messageOf(t, url, sid).State
}

// messageOf returns what the operators' API says of a text, the zero value if it does not know it.
func messageOf(t *testing.T, url, sid string) operations.Message {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+operations.PathStatus+"?message_sid="+sid, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+testOperator)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // it is read to its end.
	var message operations.Message
	if response.StatusCode == http.StatusNotFound {
		return operations.Message{}
	}
	if err := json.NewDecoder(response.Body).Decode(&message); err != nil {
		t.Fatal(err)
	}
	return message
}
