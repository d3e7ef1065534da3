package main

import (
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

var (
	chaosKills = flag.Int("chaos.kills", 2, "how often TestChaos kills the relay")
	chaosSeed  = flag.Uint64("chaos.seed", 0, "where TestChaos begins its random choices; 0 for a new one each time")
)

const (
	// Each chaosCustomer sends one text after the other, a little apart, for as long as there are kills to come. They are many, and each
	// of them sends few: a text whose answer was lost holds up those behind it for half a minute.
	chaosCustomers = 200
	chaosPause     = 800 * time.Millisecond
	// chaosEach is after how many texts another customer goes on: a phone gets forty of one customer at once, and then one every three
	// minutes.
	chaosEach = 35
	// chaosInterval lets three looks outlast the time in which a message of the text before, in the same words, may turn up.
	chaosInterval = "8s"
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
// and starts it again each time. In the end every acknowledged text has been sent, once: Twilio's list tells what became of those
// that were in hand, and the route says to send again what is not on it. `make chaos` kills 50 times.
func TestChaos(t *testing.T) {
	t.Parallel()
	c, random := newChaos(t, "TestChaos -chaos.kills "+strconv.Itoa(*chaosKills), chaosPause, time.Minute)
	c.binary = relayProgram(t)
	c.start(c.binary, "127.0.0.1:0")
	c.address = c.relay.url[len("http://"):]
	c.run(random)
	c.settle()
	c.check()
}

// newChaos makes a run of the test, as its flags say, with Twilio's faults on, and says how to repeat it. Its chance comes from the seed.
func newChaos(t *testing.T, test string, pause, patience time.Duration) (*chaos, *rand.Rand) {
	t.Helper()
	seed := *chaosSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("again: go test ./cmd/relay -run %s -chaos.seed %d", test, seed)
	fake, twilioURL := newFake(t, func(c *twiliofake.Config) {
		c.Numbers = nil
		c.Faults = twiliofake.RandomFaults(chaosOdds(), rand.New(rand.NewPCG(seed, 1)))
		c.Faults.ListLag = 300 * time.Millisecond
	})
	folder := t.TempDir()
	return &chaos{
		t: t, fake: fake, twilioURL: twilioURL, data: filepath.Join(folder, "relay-data"), routes: writeMaintenance(t, folder, chaosRoutes()),
		acknowledged: map[string]twiliofake.Inbound{}, pause: pause, patience: patience,
	}, rand.New(rand.NewPCG(seed, 0))
}

// start runs a relay's program on the folder.
func (c *chaos) start(program, address string) {
	c.t.Helper()
	c.relay = startServe(c.t, program, c.twilioURL, c.data, address, c.routes, chaosInterval)
}

// chaosNumbers is how many Twilio numbers there are, each with a phone of its own: a pair of numbers that says more than
// Twilio's list can be read of is another test's.
const chaosNumbers = 10

func chaosNumber(customer int) sms.PhoneNumber {
	return sms.PhoneNumber(fmt.Sprintf("+185855501%02d", customer%chaosNumbers))
}

func chaosRoutes() string {
	var routes []string
	for n := range chaosNumbers {
		routes = append(routes, fmt.Sprintf(`{"TwilioNumber":%q,"DestinationCarrier":"+161955501%02d","Active":true,"OnUncertain":"resend"}`,
			chaosNumber(n), n))
	}
	return `{"routes":[` + strings.Join(routes, ",") + `]}`
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
	acknowledged         map[string]twiliofake.Inbound
	// kills is how often a relay was killed.
	kills int
	// pause is how long a customer waits between two texts, and patience for how long no text may get there in the end.
	pause, patience time.Duration
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
		c.kills++
		c.start(c.binary, c.address)
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

// customer texts, and another one after it has texted often enough. Every fifth text says the same, so that there are texts that only
// counting tells apart.
func (c *chaos) customer(i int, over <-chan struct{}) error {
	for n := 0; ; n++ {
		select {
		case <-over:
			return nil
		case <-time.After(c.pause):
		}
		if !c.mayText() {
			return nil
		}
		who := i + n/chaosEach*chaosCustomers
		in := twiliofake.Inbound{From: burstCustomer(who), To: chaosNumber(who), Body: fmt.Sprintf("text %04d", n)}
		if n%5 == 0 {
			in.Body = "ok"
		}
		response, err := c.fake.SendInbound(c.t.Context(), in, "http://"+c.address+webhook.PathInbound)
		if err != nil {
			return err
		}
		if response.Taken {
			c.mu.Lock()
			c.acknowledged[response.MessageSid] = in
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

// settle waits until no text is on its way, for as long as texts get there.
func (c *chaos) settle() {
	c.t.Helper()
	under := slices.Collect(maps.Keys(c.acknowledged))
	started, progressed, reported := time.Now(), time.Now(), time.Now()
	for len(under) > 0 {
		before := len(under)
		under = slices.DeleteFunc(under, c.isSettled)
		switch {
		case len(under) < before:
			progressed = time.Now()
		case time.Since(progressed) > c.patience:
			c.t.Fatalf("%d texts are still on their way after %v, and none has got there for %v: %s is %q", len(under), time.Since(started),
				c.patience, under[0], stateOf(c.t, c.relay.url, under[0]))
		}
		if time.Since(reported) > 10*time.Second {
			reported = time.Now()
			c.t.Logf("%d texts still on their way %v after the last", len(under), time.Since(started).Round(time.Second))
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err := c.fake.Wait(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
}

func (c *chaos) isSettled(sid string) bool {
	switch stateOf(c.t, c.relay.url, sid) {
	case "", ledger.Queued, ledger.Sending:
		return false
	case ledger.Sent, ledger.Delivered, ledger.Undelivered, ledger.Failed, ledger.Uncertain, ledger.Dropped, ledger.Dead:
	}
	return true
}

// check wants each text sent once, and its trail whole.
func (c *chaos) check() {
	c.t.Helper()
	sent := sentByText(c.t, c.fake)
	states := map[ledger.State]int{}
	lost, doubled := 0, 0
	for sid, in := range c.acknowledged {
		message := messageOf(c.t, c.relay.url, sid)
		state := message.State
		states[state]++
		switch n := sent[sid]; {
		case n == 0:
			lost++
			c.t.Errorf("text %s of %s is lost: Twilio never got it, and it is %s", sid, in.From, c.told(sid))
		case n > 1:
			doubled++
			c.t.Errorf("text %s of %s was sent %d times, and is %s", sid, in.From, n, state)
		case state != ledger.Delivered && state != ledger.Sent && !c.isOneOfTwo(message, in):
			c.t.Errorf("text %s of %s was sent, and is %s", sid, in.From, c.told(sid))
		}
	}
	c.relay.stop(c.t)
	all := trails(c.t, c.data)
	for sid := range c.acknowledged {
		if err := completeTrail(all[sid]); err != nil || len(all[sid]) == 0 {
			c.t.Errorf("audit trail of %s: %v, %d entries", sid, err, len(all[sid]))
		}
	}
	c.t.Logf("%d kills, %d texts acknowledged: %d lost, %d doubled, %v", c.kills, len(c.acknowledged), lost, doubled, states)
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

// isOneOfTwo reports whether a text that was sent is left to an operator because Twilio lists one message for two attempts at the
// same words: one that it turned away for the moment, and one whose answer and receipts were lost (docs/guarantees.md).
func (c *chaos) isOneOfTwo(m operations.Message, in twiliofake.Inbound) bool {
	if m.State != ledger.Uncertain || m.Reason != ledger.ReasonAmbiguous {
		return false
	}
	for sid, other := range c.acknowledged {
		if other.From != in.From || other.Body != in.Body {
			continue
		}
		for _, a := range messageOf(c.t, c.relay.url, sid).Attempts {
			if a.Outcome == fault.Throttled.String() || a.Outcome == fault.Transient.String() {
				return true
			}
		}
	}
	return false
}

// told returns all that an operator is told about a text.
func (c *chaos) told(sid string) string {
	request, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, c.relay.url+operations.PathStatus+"?message_sid="+sid,
		http.NoBody)
	if err != nil {
		c.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+testOperator)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // it is read to its end.
	text, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(text)
}
