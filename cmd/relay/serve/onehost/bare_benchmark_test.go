package onehost

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/testing/accepts"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

const (
	// besideRounds is how often each measurement is taken, in turns.
	besideRounds = 5
	// pacedTexts come one each pacedPause.
	pacedTexts = 150
	pacedPause = 20 * time.Millisecond
)

// BenchmarkAcceptBesideBareLoop measures how long a text takes to be accepted beside the least that a durable accept can be: net/http, the
// same bytes, and one insert with a group commit in the same driver, without signature, queue or sender. With so many connections, each
// text is sent as soon as the one before it was answered; paced, one connection sends them at a set pace, so that threads are woken for
// each. The aims are in docs/performance.md.
func BenchmarkAcceptBesideBareLoop(b *testing.B) {
	for _, connections := range []int{1, 4, 16, 128} {
		b.Run(fmt.Sprintf("connections=%d", connections), func(b *testing.B) {
			beside(b, accepts.Load{Connections: connections, Texts: 400 + 60*connections})
		})
	}
	b.Run("paced", func(b *testing.B) { beside(b, accepts.Load{Connections: 1, Texts: pacedTexts, Pause: pacedPause}) })
}

// beside measures all kinds of loops under a load, in turns.
func beside(b *testing.B, of accepts.Load) {
	b.Helper()
	of.Token, of.To = hexToken, string(relaytest.TwilioNumber)
	took, rates := map[string][]time.Duration{}, map[string][]float64{}
	for b.Loop() {
		for range besideRounds {
			for _, open := range []func(b *testing.B) loop{bareLoop, doorLoop, relayLoop} {
				l := open(b)
				began := time.Now()
				of.Began = l.posts.begin
				times, err := of.On(b.Context(), l.address)
				if err != nil {
					b.Error(err)
				}
				took[l.name] = append(took[l.name], times...)
				rates[l.name] = append(rates[l.name], float64(of.Texts)/time.Since(began).Seconds())
				l.stop()
				if l.posts != nil {
					took["post"] = append(took["post"], l.posts.times...)
				}
			}
			took["flush"] = append(took["flush"], flushes(b)...)
		}
	}
	if !b.Failed() {
		reportBeside(b, took, rates, of.Pause > 0)
	}
}

func reportBeside(b *testing.B, took map[string][]time.Duration, rates map[string][]float64, isPaced bool) {
	b.Helper()
	at := func(name string, percent int) float64 {
		slices.Sort(took[name])
		return took[name][len(took[name])*percent/100].Seconds() * 1e6
	}
	rate := func(name string) float64 {
		slices.Sort(rates[name])
		return rates[name][len(rates[name])/2]
	}
	for _, name := range []string{"flush", "bare", "door", "relay"} {
		b.ReportMetric(at(name, 50), "µs-p50-"+name)
	}
	for _, name := range []string{"door", "relay"} {
		b.ReportMetric(at(name, 50)/at("bare", 50), name+"/bare-p50")
		b.ReportMetric(at(name, 99)/at("bare", 99), name+"/bare-p99")
	}
	b.ReportMetric(at("door", 50)/at("flush", 50), "door/flush-p50")
	b.ReportMetric(at("bare", 50)/at("flush", 50), "bare/flush-p50")
	if isPaced {
		// Without a pause the sender is behind, and this is how long the queue is.
		b.ReportMetric(at("post", 50)/at("relay", 50), "post/relay-p50")
	} else {
		b.ReportMetric(rate("bare"), "accepts/s-bare")
		b.ReportMetric(rate("door")/rate("bare"), "door/bare-rate")
		b.ReportMetric(rate("relay")/rate("bare"), "relay/bare-rate")
	}
	b.ReportMetric(0, "ns/op")
}

// loop is something that takes texts.
type loop struct {
	name, address string
	stop          func()
	// posts is nil where nothing is sent on.
	posts *posts
}

// posts are how long it takes from when a text is sent until it is sent on.
type posts struct {
	mu    sync.Mutex
	began map[int]time.Time
	times []time.Duration
}

func (p *posts) begin(n int, at time.Time) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.began[n] = at
}

func (p *posts) end(n int, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if began, ok := p.began[n]; ok {
		delete(p.began, n)
		p.times = append(p.times, at.Sub(began))
	}
}

var textNumber = regexp.MustCompile(`text (\d+)[.]`)

// bareLoop is the least that takes texts and keeps them.
func bareLoop(b *testing.B) loop {
	b.Helper()
	s, err := accepts.OpenBare(b.Context(), filepath.Join(b.TempDir(), "bare.db"))
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(s)
	return loop{name: "bare", address: server.Listener.Addr().String(), stop: func() {
		server.Close()
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	}}
}

// doorLoop is the relay without its sender, audit and all that runs beside.
func doorLoop(b *testing.B) loop {
	b.Helper()
	r, err := Open(b.Context(), quietConfig(b.TempDir()))
	if err != nil {
		b.Fatal(err)
	}
	go func() { _ = r.door.server.Serve(r.door.listener) }()
	return loop{name: "door", address: r.door.listener.Addr().String(), stop: func() {
		_ = r.door.server.Close() // nobody asks any more.
		if err := r.Close(); err != nil {
			b.Error(err)
		}
	}}
}

// relayLoop is the whole relay, with a Twilio that answers at once.
func relayLoop(b *testing.B) loop {
	b.Helper()
	sent := &posts{began: map[int]time.Time{}}
	twilio := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived, n := time.Now(), -1
		if found := textNumber.FindStringSubmatch(r.FormValue("Body")); found != nil {
			n, _ = strconv.Atoi(found[1]) // the pattern has digits only.
		}
		sent.end(n, arrived)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = fmt.Fprintf(w, `{"sid":"SM%032x","status":"queued","account_sid":"AC00000000000000000000000000000001"}`, n+1<<40)
	}))
	config := quietConfig(b.TempDir())
	config.TwilioBaseURL = twilio.URL
	config.Routes = []route.Route{relaytest.Route()}
	r, err := Open(b.Context(), config)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	ran := make(chan error, 1)
	go func() { ran <- r.Run(ctx) }()
	return loop{name: "relay", address: r.door.listener.Addr().String(), posts: sent, stop: func() {
		time.Sleep(200 * time.Millisecond) // the last texts are sent on.
		cancel()
		if err := errors.Join(<-ran, r.Close()); err != nil {
			b.Error(err)
		}
		twilio.Close()
	}}
}

// flushes is how long it takes to overwrite a page and have it on the disk.
func flushes(b *testing.B) (times []time.Duration) {
	b.Helper()
	file, err := os.Create(filepath.Join(b.TempDir(), "page"))
	if err != nil {
		b.Fatal(err)
	}
	page := make([]byte, 4096)
	for n := range 200 {
		began := time.Now()
		if _, err := file.WriteAt(page, 0); err != nil {
			b.Fatal(err)
		}
		if err := file.Sync(); err != nil {
			b.Fatal(err)
		}
		if n > 0 {
			times = append(times, time.Since(began))
		}
	}
	if err := file.Close(); err != nil {
		b.Fatal(err)
	}
	return times
}
