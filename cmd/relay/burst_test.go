package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"quickdumpnow.com/smsrelay/cmd/relay/fake"
	"quickdumpnow.com/smsrelay/cmd/relay/serve/onehost"
	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

const burstCustomers = 50

var burstEach = flag.Int("burst.each", 20, "how many texts each customer of TestBurst sends")

func burstCustomer(i int) sms.PhoneNumber {
	return sms.PhoneNumber(fmt.Sprintf("+1%d55501%02d", 312+i/100, i%100))
}

// burst lets every customer send its texts, one after the other; every tenth webhook comes twice. It returns the sids
// that were acknowledged, by body.
func burst(t *testing.T, fake *twiliofake.Server, url string, each int) map[string]string {
	t.Helper()
	var mu sync.Mutex
	acknowledged := map[string]string{}
	var group errgroup.Group
	for c := range burstCustomers {
		group.Go(func() error {
			for n := range each {
				in := twiliofake.Inbound{From: burstCustomer(c), To: testNumber, Body: fmt.Sprintf("text %03d of customer %02d", n, c)}
				response, err := fake.SendInbound(t.Context(), in, url+webhook.PathInbound)
				if err != nil {
					return err
				}
				if !response.Taken {
					continue
				}
				mu.Lock()
				acknowledged[in.Body] = response.MessageSid
				mu.Unlock()
				if (c*each+n)%10 == 0 {
					in.Sid = response.MessageSid
					if _, err := fake.SendInbound(t.Context(), in, url+webhook.PathInbound); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	return acknowledged
}

// relayed returns the bodies that Twilio was asked to send, without the header, in order, by the customer's tag.
func relayed(t *testing.T, fake *twiliofake.Server) map[conversation.Tag][]string {
	t.Helper()
	byCustomer := map[conversation.Tag][]string{}
	for _, m := range fake.Messages() {
		if m.Direction != twiliofake.DirectionOutboundAPI {
			continue
		}
		tag, _, _ := conversation.Leading(m.Body)
		if !tag.IsValid() || m.From != testNumber || m.To != testDestination {
			t.Errorf("unexpected message from %s to %s: %q", m.From, m.To, m.Body)
		}
		byCustomer[tag] = append(byCustomer[tag], conversation.WithoutHeader(m.Body))
	}
	return byCustomer
}

// TestBurst sends 20 webhooks of each of 50 customers, every tenth twice, and wants as many messages, in order for each customer, and as
// many complete audit trails.
func TestBurst(t *testing.T) {
	twilio, twilioURL := newFake(t, nil)
	data := filepath.Join(t.TempDir(), "relay-data")
	routes, err := route.ParseMaintenance(strings.NewReader(testRoutes()), route.Reading{})
	if err != nil {
		t.Fatal(err)
	}
	relay, err := onehost.Open(t.Context(), onehost.Config{
		Listen: "127.0.0.1:0", Data: data, Routes: routes, AccountSid: fake.AccountSid, AuthTokens: []string{fake.AuthToken},
		TwilioBaseURL: twilioURL, RetryBase: time.Second, MaxAttempts: 8, SendTimeout: 8 * time.Second, ReconcileLooks: 3,
		ReconcileInterval: time.Second, Retention: time.Hour,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	stop, stopped := runInBackground(t, relay)
	started := time.Now()
	acknowledged := burst(t, twilio, relay.URL(), *burstEach)
	taken := time.Since(started)
	waitUntil(t, "all texts delivered", 2*time.Minute, func() bool { return delivered(t, relay) == burstCustomers**burstEach })
	t.Logf("%d webhooks acknowledged after %v, all delivered after %v", len(acknowledged), taken.Round(time.Millisecond),
		time.Since(started).Round(time.Millisecond))
	stop()
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}

	if got := len(acknowledged); got != burstCustomers**burstEach {
		t.Errorf("%d texts acknowledged, want %d", got, burstCustomers**burstEach)
	}
	customers := relayed(t, twilio)
	for customer, texts := range customers {
		_, owner, _ := strings.Cut(texts[0], "of ")
		isOther := func(text string) bool { return !strings.HasSuffix(text, owner) }
		if len(texts) != *burstEach || !slices.IsSorted(texts) || slices.ContainsFunc(texts, isOther) {
			t.Errorf("customer %s: %d messages, in order %v; want %d of one customer in order",
				customer, len(texts), slices.IsSorted(texts), *burstEach)
		}
	}
	if len(customers) != burstCustomers {
		t.Errorf("messages have %d tags, want one for each of %d customers", len(customers), burstCustomers)
	}
	checkTrails(t, data, acknowledged)
}

// runInBackground runs the relay until stop is called; stopped then gives what Run returned, after Close.
func runInBackground(t *testing.T, relay *onehost.Relay) (stop func(), stopped <-chan error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		err := relay.Run(ctx)
		if closeErr := relay.Close(); err == nil {
			err = closeErr
		}
		done <- err
	}()
	return cancel, done
}

// delivered counts the texts that the ledger says are delivered.
func delivered(t *testing.T, relay *onehost.Relay) int {
	t.Helper()
	n := 0
	q := ledger.Query{State: ledger.Delivered, Limit: ledger.MaxLimit}
	for {
		page, err := relay.DB().Ledger().List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		n += len(page.Records)
		if page.Next.IsZero() {
			return n
		}
		q.Cursor = page.Next
	}
}

// checkTrails wants a complete trail up to delivered for every acknowledged text.
func checkTrails(t *testing.T, data string, acknowledged map[string]string) {
	t.Helper()
	all := trails(t, data)
	for body, sid := range acknowledged {
		trail := all[sid]
		if err := completeTrail(trail); err != nil {
			t.Errorf("audit trail of %q: %v", body, err)
			continue
		}
		if len(trail) == 0 || trail[len(trail)-1].To != string(ledger.Delivered) {
			t.Errorf("audit trail of %q ends at %v, want delivered", body, trail)
		}
	}
	if len(all) != len(acknowledged) {
		t.Errorf("%d audit trails, want %d", len(all), len(acknowledged))
	}
}
