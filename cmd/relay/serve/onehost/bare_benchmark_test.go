package onehost

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/route"
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
			beside(b, load{connections: connections, texts: 400 + 60*connections})
		})
	}
	b.Run("paced", func(b *testing.B) { beside(b, load{connections: 1, texts: pacedTexts, pause: pacedPause}) })
}

// beside measures all kinds of loops under a load, in turns.
func beside(b *testing.B, of load) {
	b.Helper()
	took, rates := map[string][]time.Duration{}, map[string][]float64{}
	for b.Loop() {
		for range besideRounds {
			for _, open := range []func(b *testing.B) loop{bareLoop, doorLoop, relayLoop} {
				l := open(b)
				began := time.Now()
				took[l.name] = append(took[l.name], of.on(b, l)...)
				rates[l.name] = append(rates[l.name], float64(of.texts)/time.Since(began).Seconds())
				l.stop()
				if l.posts != nil {
					took["post"] = append(took["post"], l.posts.times...)
				}
			}
			took["flush"] = append(took["flush"], flushes(b)...)
		}
	}
	if !b.Failed() {
		reportBeside(b, took, rates, of.pause > 0)
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

// load is so many texts over so many connections, each after the answer to the one before it, and a pause.
type load struct {
	connections, texts int
	pause              time.Duration
}

// on puts the load on a loop, and returns how long each text took.
func (of load) on(b *testing.B, l loop) (times []time.Duration) {
	b.Helper()
	var next atomic.Int64
	var mu sync.Mutex
	var all sync.WaitGroup
	requests := make([][]byte, of.texts)
	for n := range requests {
		requests[n] = signedBytes("http://"+l.address, n, of.connections)
	}
	for range of.connections {
		all.Go(func() {
			own, err := of.oneByOne(b.Context(), l, func() (n int, ok bool) {
				n = int(next.Add(1)) - 1
				return n, n < of.texts
			}, requests)
			if err != nil {
				b.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			times = append(times, own...)
		})
	}
	all.Wait()
	return times
}

// oneByOne sends the next request over one connection as long as there is one.
func (of load) oneByOne(ctx context.Context, l loop, next func() (int, bool), requests [][]byte) (times []time.Duration, err error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", l.address)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	answers := bufio.NewReader(conn)
	for n, ok := next(); ok; n, ok = next() {
		began := time.Now()
		l.posts.begin(n, began)
		if err := ask(conn, answers, requests[n]); err != nil {
			return times, err
		}
		times = append(times, time.Since(began))
		time.Sleep(of.pause)
	}
	return times, nil
}

var textNumber = regexp.MustCompile(`text (\d+)[.]`)

func ask(conn net.Conn, answers *bufio.Reader, request []byte) error {
	if _, err := conn.Write(request); err != nil {
		return err
	}
	response, err := http.ReadResponse(answers, nil)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d", response.StatusCode)
	}
	return err
}

// signedBytes are the nth text as Twilio posts it.
func signedBytes(base string, n, customers int) []byte {
	form := url.Values{
		"MessageSid": {fmt.Sprintf("SM%032x", n)}, "AccountSid": {"AC00000000000000000000000000000001"},
		"From": {fmt.Sprintf("+1%d55501%02d", 312+n%customers/100, n%customers%100)}, "To": {string(relaytest.TwilioNumber)},
		"NumSegments": {"1"}, "NumMedia": {"0"}, "Body": {fmt.Sprintf("Is the gate open? This is text %d.", n)},
	}
	signed := base + "/sms/inbound"
	for _, name := range []string{"AccountSid", "Body", "From", "MessageSid", "NumMedia", "NumSegments", "To"} {
		signed += name + form.Get(name)
	}
	sum := hmac.New(sha1.New, []byte(hexToken))
	sum.Write([]byte(signed))
	body := form.Encode()
	return fmt.Appendf(nil, "POST /sms/inbound HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\n"+
		"Content-Length: %d\r\nX-Twilio-Signature: %s\r\nUser-Agent: TwilioProxy/1.1\r\n\r\n%s",
		strings.TrimPrefix(base, "http://"), len(body), base64.StdEncoding.EncodeToString(sum.Sum(nil)), body)
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
