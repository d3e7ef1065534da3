package onehost

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

const (
	// benchmarkWatchers have the list of who waits open, on which there are benchmarkWaiting.
	benchmarkWatchers = 100
	benchmarkWaiting  = 200
	// benchmarkRound is how many texts each customer writes before the watchers come or go, benchmarkTurns how often they come.
	benchmarkRound = 15
	benchmarkTurns = 24
)

// BenchmarkAcceptWhileWatched measures how long Twilio waits for its answer while nobody has the console open, and while 100 browsers have,
// which ask for the list anew each time they are told to, in turns. The ratio of the medians is to be 1.02 at most, on a quiet host.
func BenchmarkAcceptWhileWatched(b *testing.B) {
	for b.Loop() {
		r, err := Open(b.Context(), quietConfig(b.TempDir()))
		if err != nil {
			b.Fatal(err)
		}
		letWait(b, r)
		ctx, cancel := context.WithCancel(b.Context())
		ran := make(chan error, 1)
		go func() { ran <- r.Run(ctx) }()
		jar := signedIn(b, r)
		var without, with []time.Duration
		looks := 0
		for half := range 2 * benchmarkTurns {
			first := half * benchmarkRound
			if half%4 == 0 || half%4 == 3 { // without, with, with, without: what grows meanwhile costs both alike.
				without = append(without, acceptedTimes(b, r, first, first+benchmarkRound)...)
				continue
			}
			stop := watched(b, r, jar)
			with = append(with, acceptedTimes(b, r, first, first+benchmarkRound)...)
			looks += stop()
		}
		report(b, without, with, looks)
		cancel()
		if err := <-ran; err != nil {
			b.Error(err)
		}
		if err := r.Close(); err != nil {
			b.Error(err)
		}
	}
}

func report(b *testing.B, without, with []time.Duration, looks int) {
	b.Helper()
	slices.Sort(without)
	slices.Sort(with)
	at := func(of []time.Duration, percent int) float64 { return of[len(of)*percent/100].Seconds() * 1000 }
	b.ReportMetric(at(without, 50), "ms-p50-without")
	b.ReportMetric(at(with, 50), "ms-p50-with")
	b.ReportMetric(at(with, 50)/at(without, 50), "p50-ratio")
	b.ReportMetric(at(without, 99), "ms-p99-without")
	b.ReportMetric(at(with, 99), "ms-p99-with")
	b.ReportMetric(float64(looks), "looks")
}

// watched lets all watchers in, and returns what lets them go, which returns how often they looked.
func watched(b *testing.B, r *Relay, jar *cookiejar.Jar) (stop func() int) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	var audience, arrived sync.WaitGroup
	var looked atomic.Int64
	arrived.Add(benchmarkWatchers)
	for range benchmarkWatchers {
		audience.Go(func() {
			client := &http.Client{Jar: jar, Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			if err := watchList(ctx, client, r.URL(), arrived.Done, func() { looked.Add(1) }); err != nil && ctx.Err() == nil {
				b.Error(err)
			}
		})
	}
	arrived.Wait()
	return func() int {
		cancel()
		audience.Wait()
		return int(looked.Load())
	}
}

// letWait has customers of a number wait that nobody texts meanwhile.
func letWait(b *testing.B, r *Relay) {
	b.Helper()
	way := relaytest.Route()
	way.TwilioNumber, way.AnswerTimeout = "+18585550101", route.Duration(time.Hour)
	if _, err := r.db.Routes().Put(b.Context(), way); err != nil {
		b.Fatal(err)
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	for n := range benchmarkWaiting {
		before := conversation.Conversation{
			TwilioNumber: way.TwilioNumber, Customer: sms.PhoneNumber(fmt.Sprintf("+1%d55501%02d", 312+n/100, n%100)),
		}
		waits := before
		waits.Spell = conversation.Spell{
			MessageSid: relaytest.MessageSid(n), BeganAt: now, NewestSid: relaytest.MessageSid(n), NewestAt: now, Texts: 1,
		}
		if _, err := auditlog.PutConversation(b.Context(), r.db.Conversations(), before, waits, now); err != nil {
			b.Fatal(err)
		}
	}
}

func signedIn(b *testing.B, r *Relay) *cookiejar.Jar {
	b.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	form := url.Values{"name": {"operator"}, "password": {operatorToken}}
	request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, r.URL()+"/console/sign-in", strings.NewReader(form.Encode()))
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("Content-Type", plain)
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	client := http.Client{Jar: jar}
	response, err := client.Do(request)
	if err != nil || response.Body.Close() != nil || response.StatusCode != http.StatusOK {
		b.Fatalf("sign in: %v, %v", response, err)
	}
	return jar
}

var listensTo = regexp.MustCompile(`hx-sse:connect="([^"]+)"`)

// watchList has the list open as a browser does, until ctx ends.
func watchList(ctx context.Context, client *http.Client, base string, arrived, looked func()) error {
	page, err := getPage(ctx, client, base+"/console")
	if err != nil {
		return err
	}
	path := listensTo.FindStringSubmatch(page)
	if path == nil {
		return fmt.Errorf("the page listens to nothing: %s", page)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+strings.ReplaceAll(path[1], "&amp;", "&"), nil)
	if err != nil {
		return err
	}
	request.Header.Set("HX-Request", "true")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // it is only read.
	arrived()
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		if lines.Text() != "event: news" {
			continue
		}
		if _, err := getPage(ctx, client, base+"/console"); err != nil {
			return err
		}
		looked()
	}
	return lines.Err()
}

func getPage(ctx context.Context, client *http.Client, from string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close() //nolint:errcheck // it is only read.
	page, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: status %d", from, response.StatusCode)
	}
	return string(page), err
}
