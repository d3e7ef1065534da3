package main

import (
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/cmd/relay/workload"
	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
)

var (
	growthSizes  = flag.String("growth.sizes", "1000,100000", "how many texts the ledgers of BenchmarkGrowth have")
	growthFilled = flag.String("growth.filled", "", "a folder of data folders, each named after how many texts it has; others are filled")
	soakTime     = flag.Duration("soak.time", time.Minute, "how long BenchmarkSoak lasts")
)

const (
	// growthRounds are how often each ledger has its turn, with so many texts and questions each time.
	growthRounds, growthTexts, growthAsked = 10, 100, 50
	// growthConnections send texts at the same time.
	growthConnections = 4
	// growthCustomers write in turn: who writes too much is not relayed.
	growthCustomers = 500
	// slowTwilio is how long Twilio takes to answer the relay that has a slow one.
	slowTwilio = 7 * time.Second
	// soakPause is the time from text to text.
	soakPause = 50 * time.Millisecond
)

// grown is a relay whose ledger has so many texts.
type grown struct {
	name    string
	fake    *twiliofake.Server
	address string
	pid     int
	stop    func()

	// posted counts what the relay has sent on.
	posted atomic.Int64
	next   int
	// sids are of the texts of the last round.
	sids                                         []string
	accepted, listed, searched, begun, timelines []time.Duration
	relayed                                      []float64
}

// BenchmarkGrowth sends texts to relays with small ledgers and large ones, and to one whose Twilio takes seconds, in turns. What each takes
// is not to depend on what was before.
func BenchmarkGrowth(b *testing.B) {
	var all []*grown
	for size := range strings.SplitSeq(*growthSizes, ",") {
		texts, err := strconv.Atoi(size)
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, grow(b, size, texts, 0))
	}
	all = append(all, grow(b, "slow-twilio", 1000, slowTwilio))
	for _, g := range all {
		g.rest(b)
	}
	for b.Loop() {
		for range growthRounds {
			for _, g := range all {
				g.texts(b)
				g.ask(b)
			}
			slices.Reverse(all)
		}
	}
	for _, g := range all {
		b.ReportMetric(milliseconds(g.accepted, 50), g.name+"-accept-ms-p50")
		b.ReportMetric(milliseconds(g.accepted, 99), g.name+"-accept-ms-p99")
		b.ReportMetric(milliseconds(g.listed, 99), g.name+"-list-ms-p99")
		b.ReportMetric(milliseconds(g.searched, 99), g.name+"-search-ms-p99")
		b.ReportMetric(milliseconds(g.begun, 99), g.name+"-beginning-ms-p99")
		if slices.Sort(g.relayed); len(g.relayed) > 0 {
			b.ReportMetric(milliseconds(g.timelines, 99), g.name+"-timeline-ms-p99")
			b.ReportMetric(g.relayed[len(g.relayed)/2], g.name+"-relayed/s")
		}
		g.stop()
	}
	b.ReportMetric(0, "ns/op")
}

func milliseconds(times []time.Duration, percent int) float64 {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)*percent/100].Seconds() * 1000
}

// grow fills a ledger and has a relay serve it.
func grow(b *testing.B, name string, texts int, delay time.Duration) *grown {
	b.Helper()
	g := &grown{name: name}
	var twilioURL string
	g.fake, twilioURL = newFake(b, func(c *twiliofake.Config) {
		c.Faults.BeforeCreate = func(url.Values) twiliofake.Fault {
			g.posted.Add(1)
			return twiliofake.Fault{Delay: delay}
		}
	})
	data := filepath.Join(*growthFilled, strconv.Itoa(texts))
	if _, err := os.Stat(filepath.Join(data, datafolder.DatabaseFile)); *growthFilled == "" || err != nil {
		data = filled(b, texts)
	}
	indexWords(b, data)
	routes := filepath.Join(data, "routes.json")
	if err := os.WriteFile(routes, []byte(testRoutes()), 0o600); err != nil {
		b.Fatal(err)
	}
	g.pid, g.address, g.stop = startAt(b, relayProgram(b), twilioURL, data, "--routes", routes, "--pace-pair", "off", "--pace-number", "off")
	return g
}

// rest waits until a relay has done what follows its start: it reads its whole database once, to find damage.
func (g *grown) rest(b *testing.B) {
	b.Helper()
	began := time.Now()
	for before, isBusy := 0, true; isBusy; {
		time.Sleep(time.Second)
		ran, _ := threads(b, g.pid)
		isBusy, before = time.Duration(ran-before) > 20*time.Millisecond, ran
	}
	b.Logf("%s: at rest after %s", g.name, time.Since(began).Round(time.Second))
}

// texts sends the texts of one round, and waits until they were relayed, unless Twilio is slow.
func (g *grown) texts(b *testing.B) {
	b.Helper()
	began, before := time.Now(), g.posted.Load()
	g.sids = nil
	var mu sync.Mutex
	var senders sync.WaitGroup
	for c := range growthConnections {
		senders.Go(func() {
			for n := c; n < growthTexts; n += growthConnections {
				in := twiliofake.Inbound{From: burstCustomer((g.next + n) % growthCustomers), To: testNumber, Body: fmt.Sprintf("text %d", g.next+n)}
				asked := time.Now()
				response, err := g.fake.SendInbound(b.Context(), in, g.address+webhook.PathInbound)
				if err != nil || !response.Taken {
					b.Errorf("%+v, %v", response, err)
					return
				}
				mu.Lock()
				g.accepted, g.sids = append(g.accepted, time.Since(asked)), append(g.sids, response.MessageSid)
				mu.Unlock()
			}
		})
	}
	senders.Wait()
	g.next += growthTexts
	if g.name == "slow-twilio" {
		return
	}
	for g.posted.Load() < before+growthTexts {
		if time.Since(began) > time.Minute {
			b.Fatalf("%s: %d of %d texts were relayed within a minute", g.name, g.posted.Load()-before, growthTexts)
		}
		time.Sleep(time.Millisecond)
	}
	g.relayed = append(g.relayed, growthTexts/time.Since(began).Seconds())
}

// growthWords are in a seventh of all texts, in a hundredth, and in a few; growthBeginning begins a word that is in a seventh. Each search
// puts on record which texts it has shown.
var (
	growthWords     = []string{"container", "gate neighbours", "text 77"}
	growthBeginning = "contai"
)

// ask asks for lists, looks for words, and asks what happened to texts of the last round.
func (g *grown) ask(b *testing.B) {
	b.Helper()
	timed := func(times *[]time.Duration, path string, query url.Values) {
		began := time.Now()
		askOperator(b, g.address+path, query)
		*times = append(*times, time.Since(began))
	}
	for n := range growthAsked {
		query := url.Values{"number": {string(workload.TwilioNumber(n))}}
		if n%2 == 1 {
			query = url.Values{"number": {string(workload.Customer(n))}}
		}
		timed(&g.listed, operations.PathStatus, query)
		timed(&g.searched, operations.PathSearch, url.Values{"words": {growthWords[n%len(growthWords)]}})
		timed(&g.begun, operations.PathSearch, url.Values{"words": {growthBeginning}})
		if g.name != "slow-twilio" { // There, most of its texts wait in the queue, and nothing has happened to them.
			timed(&g.timelines, operations.PathStatus, url.Values{"message_sid": {g.sids[n%len(g.sids)]}, "trail": {"true"}})
		}
	}
}

// BenchmarkSoak sends texts for a while, and shows the memory (RSS) of the relay after each tenth of it, in MB.
func BenchmarkSoak(b *testing.B) {
	for b.Loop() {
		g := grow(b, "soak", 1000, 0)
		for tenth := range 10 {
			for end := time.Now().Add(*soakTime / 10); time.Now().Before(end); time.Sleep(soakPause) {
				in := twiliofake.Inbound{From: burstCustomer(g.next % growthCustomers), To: testNumber, Body: fmt.Sprintf("text %d", g.next)}
				if response, err := g.fake.SendInbound(b.Context(), in, g.address+webhook.PathInbound); err != nil || !response.Taken {
					b.Fatalf("%+v, %v", response, err)
				}
				g.next++
			}
			resident := 1024 * numberOf(b, fmt.Sprintf("/proc/%d/status", g.pid), "VmRSS:")
			b.ReportMetric(float64(resident)/1e6, fmt.Sprintf("MB-%02d", tenth+1))
		}
		b.ReportMetric(float64(g.next), "texts")
		g.stop()
	}
}
