package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/twiliofake"
)

var (
	chaosKills = flag.Int("chaos.kills", 2, "how often TestChaos kills the relay")
	chaosSeed  = flag.Uint64("chaos.seed", 0, "where TestChaos begins its random choices; 0 for a new one each time")
)

const (
	// Each chaosCustomer sends one text after the other, a little apart, for as long as there are kills to come.
	chaosCustomers = 100
	chaosPause     = 400 * time.Millisecond
	// chaosTexts bounds all texts of one run.
	chaosTexts = 20_000
)

// chaosOdds is a Twilio on a bad day.
func chaosOdds() twiliofake.Odds {
	return twiliofake.Odds{
		AcceptThenDrop: 0.05, ErrorRate: 0.1,
		DropCallback: 0.05, DuplicateCallback: 0.2, ReorderCallback: 0.2, LatencyMost: 30 * time.Millisecond,
	}
}

// TestChaos lets customers text the real program while Twilio's faults are on, kills it with SIGKILL at random moments,
// and starts it again each time. In the end every acknowledged text has been sent, once: Twilio's list tells what became
// of those that were in hand, and the route says to send again what is not on it. `make chaos` kills 50 times.
func TestChaos(t *testing.T) {
	seed := *chaosSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("chaos of seed %d: go test ./cmd/relay -run TestChaos -chaos.kills %d -chaos.seed %d", seed, *chaosKills, seed)
	random := rand.New(rand.NewPCG(seed, 0))
	fake, twilioURL := newFake(t, func(c *twiliofake.Config) {
		c.Faults = twiliofake.RandomFaults(chaosOdds(), rand.New(rand.NewPCG(seed, 1)))
		c.Faults.ListLag = 300 * time.Millisecond
	})
	folder := t.TempDir()
	c := &chaos{
		t: t, fake: fake, twilioURL: twilioURL, binary: buildRelay(t), data: filepath.Join(folder, "relay-data"),
		routes:       writeFile(t, folder, "maintenance.json", chaosRoutes()),
		acknowledged: map[string]sms.PhoneNumber{},
	}
	c.relay = startServe(t, c.binary, c.twilioURL, c.data, "127.0.0.1:0", c.routes)
	c.address = c.relay.url[len("http://"):]
	c.run(random)
	c.settle()
	c.check()
}

func chaosRoutes() string {
	return fmt.Sprintf(`{"routes":[{"TwilioNumber":%q,"DestinationCarrier":%q,"Active":true,"OnUncertain":"resend"}]}`, testNumber, testDestination)
}

// chaos is one run.
type chaos struct {
	t                    *testing.T
	fake                 *twiliofake.Server
	twilioURL            string
	binary, data, routes string
	address              string
	relay                *serving
	mu                   sync.Mutex
	texts                int
	acknowledged         map[string]sms.PhoneNumber
}

// run lets the customers text until the last kill is over.
func (c *chaos) run(random *rand.Rand) {
	c.t.Helper()
	over := make(chan struct{})
	var customers errgroup.Group
	for i := range chaosCustomers {
		customers.Go(func() error { return c.customer(i, over) })
	}
	started := time.Now()
	for n := range *chaosKills {
		time.Sleep(200*time.Millisecond + time.Duration(random.Int64N(int64(time.Second))))
		c.relay.kill()
		c.relay = startServe(c.t, c.binary, c.twilioURL, c.data, c.address, c.routes)
		if (n+1)%10 == 0 {
			c.mu.Lock()
			c.t.Logf("%d kills after %v, %d texts acknowledged", n+1, time.Since(started).Round(time.Second), len(c.acknowledged))
			c.mu.Unlock()
		}
	}
	time.Sleep(time.Second)
	close(over)
	if err := customers.Wait(); err != nil {
		c.t.Fatal(err)
	}
}

// customer texts. Every fifth text says the same, so that there are texts that only counting tells apart.
func (c *chaos) customer(i int, over <-chan struct{}) error {
	for n := 0; ; n++ {
		select {
		case <-over:
			return nil
		case <-time.After(chaosPause):
		}
		if !c.mayText() {
			return nil
		}
		in := twiliofake.Inbound{From: burstCustomer(i), To: testNumber, Body: fmt.Sprintf("text %04d", n)}
		if n%5 == 0 {
			in.Body = "ok"
		}
		response, err := c.fake.SendInbound(c.t.Context(), in, "http://"+c.address+webhook.PathInbound)
		if err != nil {
			return err
		}
		if response.Taken {
			c.mu.Lock()
			c.acknowledged[response.MessageSid] = in.From
			c.mu.Unlock()
		}
	}
}

func (c *chaos) mayText() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.texts++
	return c.texts <= chaosTexts
}

// settle waits until no text is on its way.
func (c *chaos) settle() {
	c.t.Helper()
	for sid := range c.acknowledged {
		waitUntil(c.t, "text "+sid+" settled", 3*time.Minute, func() bool {
			switch stateOf(c.t, c.relay.url, sid) {
			case "", ledger.Queued, ledger.Sending:
				return false
			case ledger.Sent, ledger.Delivered, ledger.Undelivered, ledger.Failed, ledger.Uncertain, ledger.Dropped, ledger.Dead:
			}
			return true
		})
	}
	if err := c.fake.Wait(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
}

// check wants each text sent once, and its trail whole.
func (c *chaos) check() {
	c.t.Helper()
	sent := sentByText(c.t, c.fake)
	states := map[ledger.State]int{}
	lost, doubled := 0, 0
	for sid, from := range c.acknowledged {
		state := stateOf(c.t, c.relay.url, sid)
		states[state]++
		switch n := sent[sid]; {
		case n == 0:
			lost++
			c.t.Errorf("text %s of %s is lost: Twilio never got it, and it is %s", sid, from, state)
		case n > 1:
			doubled++
			c.t.Errorf("text %s of %s was sent %d times, and is %s", sid, from, n, state)
		case state != ledger.Delivered && state != ledger.Sent:
			c.t.Errorf("text %s of %s was sent, and is %s", sid, from, state)
		}
	}
	c.relay.kill()
	all := trails(c.t, c.data)
	for sid := range c.acknowledged {
		if err := completeTrail(all[sid]); err != nil || len(all[sid]) == 0 {
			c.t.Errorf("audit trail of %s: %v, %d entries", sid, err, len(all[sid]))
		}
	}
	c.t.Logf("%d kills, %d texts acknowledged: %d lost, %d doubled, %v", *chaosKills, len(c.acknowledged), lost, doubled, states)
}

// sentByText counts the messages that Twilio has of each text.
func sentByText(t *testing.T, fake *twiliofake.Server) map[string]int {
	t.Helper()
	sent := map[string]int{}
	for _, m := range fake.Messages() {
		if m.Direction != twiliofake.DirectionOutboundAPI {
			continue
		}
		callback, err := url.Parse(m.StatusCallback)
		if err != nil {
			t.Fatal(err)
		}
		ref, err := sms.ParseCallbackRef(callback.RawQuery)
		if err != nil {
			t.Fatal(err)
		}
		sent[ref.RelayID]++
	}
	return sent
}
