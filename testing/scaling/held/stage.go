package held

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"quickdumpnow.com/smsrelay/cmd/relay/fake"
	"quickdumpnow.com/smsrelay/cmd/relay/serve/onehost"
	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/scaling/model"
)

// Work is how long the machine's own work takes.
type Work struct {
	// Accept is the time from a webhook to its answer, Step each of the sender's reads and writes until the POST.
	Accept, Step time.Duration
}

// steps is how many of them there are: a receive, the route, the conversation, pacing, the phone and the claim.
const steps = 6

// Measure finds out by texts that come one at a time, each from a customer of his own, and with a Twilio that answers at once. A fifth of
// them take less: others may use the machine meanwhile.
func Measure(ctx context.Context) (Work, error) {
	const texts = 60
	c := Case{Name: "one at a time", Numbers: 1, Customers: texts}
	var alone []model.Arrival
	for i := range texts {
		alone = append(alone, model.Arrival{At: time.Duration(i) * 30 * time.Millisecond, Customer: i})
	}
	accepted, posted, err := c.playTimes(ctx, alone)
	if err != nil {
		return Work{}, err
	}
	accept, all := percentile(accepted, 20), percentile(posted, 20)
	return Work{Accept: accept, Step: max(0, all-accept) / steps}, nil
}

// customer and number are fictional, number is one of ours.
func customer(n, c int) sms.PhoneNumber { return numbered(312+n, c) }
func number(n int) sms.PhoneNumber      { return numbered(858, n) }
func phone(n int) sms.PhoneNumber       { return numbered(213, n) }

func numbered(area, n int) sms.PhoneNumber {
	return sms.PhoneNumber(fmt.Sprintf("+1%03d55501%02d", area, n))
}

// posts notes when each text came to Twilio, by its words.
type posts struct {
	mu    sync.Mutex
	at    map[int]time.Time
	texts []model.Arrival
	all   chan struct{}
}

// note notes a text, and lets Twilio take its time for it.
func (p *posts) note(params url.Values) twiliofake.Fault {
	now := time.Now()
	words := params.Get("Body")
	n, err := strconv.Atoi(words[strings.LastIndexByte(words, ' ')+1:])
	if err != nil || n >= len(p.texts) {
		return twiliofake.Fault{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.at[n]; !ok {
		if p.at[n] = now; len(p.at) == len(p.texts) {
			close(p.all)
		}
	}
	return twiliofake.Fault{Delay: p.texts[n].Twilio}
}

// play runs the relay on the arrivals, and returns how long each text took to Twilio, and when the last one was there.
func (c Case) play(ctx context.Context, arrivals []model.Arrival) (latencies []time.Duration, end time.Duration, err error) {
	_, latencies, err = c.playTimes(ctx, arrivals)
	for i, a := range arrivals {
		if err == nil {
			end = max(end, a.At+latencies[i])
		}
	}
	return latencies, end, err
}

// playTimes returns how long each webhook and each text took.
func (c Case) playTimes(ctx context.Context, arrivals []model.Arrival) (accepted, latencies []time.Duration, err error) {
	p := &posts{at: map[int]time.Time{}, texts: arrivals, all: make(chan struct{})}
	twilio, err := twiliofake.New(twiliofake.Config{ //nolint:contextcheck // it ends with Close.
		AccountSid: fake.AccountSid, AuthToken: fake.AuthToken, StepDelay: 50 * time.Millisecond, Now: time.Now,
		Faults: twiliofake.Faults{BeforeCreate: p.note},
	})
	if err != nil {
		return nil, nil, err
	}
	defer twilio.Close() //nolint:contextcheck // it has no context.
	server := httptest.NewServer(twilio)
	defer server.Close()
	folder, err := os.MkdirTemp("", "relay-held-")
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	relay, err := c.open(ctx, folder, server.URL)
	if err != nil {
		return nil, nil, err
	}
	running, stop := context.WithCancel(ctx)
	ran := make(chan error, 1)
	go func() { ran <- relay.run(running) }()
	accepted, came, err := send(ctx, twilio, relay.url, arrivals)
	if err == nil {
		err = p.wait(ctx)
	}
	stop()
	err = errors.Join(err, <-ran, relay.close())
	for i := range came {
		latencies = append(latencies, p.at[i].Sub(came[i]))
	}
	return accepted, latencies, err
}

// longestWait bounds how long the relay may take for the last text.
const longestWait = time.Minute

func (p *posts) wait(ctx context.Context) error {
	select {
	case <-p.all:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(longestWait):
		p.mu.Lock()
		defer p.mu.Unlock()
		return fmt.Errorf("only %d of %d texts came to Twilio", len(p.at), len(p.texts))
	}
}

// send posts each text's webhook at its time, and returns how long each took, and when it came.
func send(ctx context.Context, twilio *twiliofake.Server, to string, arrivals []model.Arrival) ([]time.Duration, []time.Time, error) {
	took, came := make([]time.Duration, len(arrivals)), make([]time.Time, len(arrivals))
	var all errgroup.Group
	began := time.Now()
	for i, a := range arrivals {
		time.Sleep(time.Until(began.Add(a.At)))
		all.Go(func() error {
			came[i] = time.Now()
			response, err := twilio.SendInbound(ctx, twiliofake.Inbound{
				From: customer(a.Number, a.Customer), To: number(a.Number), Body: "text " + strconv.Itoa(i),
			}, to+webhook.PathInbound)
			took[i] = time.Since(came[i])
			if err == nil && !response.Taken {
				err = errors.New("a webhook was refused")
			}
			return err
		})
	}
	return took, came, all.Wait()
}

// running is a relay that can be run.
type running struct {
	url   string
	run   func(ctx context.Context) error
	close func() error
}

// open opens relay serve, or with Batches its front door with a sender that gets whole batches.
func (c Case) open(ctx context.Context, folder, twilioURL string) (running, error) {
	var routes []route.Route
	for n := range c.Numbers {
		routes = append(routes, route.Route{TwilioNumber: number(n), DestinationCarrier: phone(n), Active: true, LastUpdated: time.Now().UTC()})
	}
	config := onehost.Config{
		Listen: "127.0.0.1:0", Data: folder, Routes: routes, AccountSid: fake.AccountSid, AuthTokens: []string{fake.AuthToken},
		TwilioBaseURL: twilioURL, RetryBase: time.Second, MaxAttempts: 8, SendTimeout: delivery.MaxSendTimeout,
		ReconcileLooks: 3, ReconcileInterval: time.Second, Retention: 400 * 24 * time.Hour, PaceNumber: c.PaceNumber,
		Logger: slog.New(slog.DiscardHandler),
	}
	if c.Batches > 0 {
		return c.openBatches(ctx, config)
	}
	relay, err := onehost.Open(ctx, config)
	if err != nil {
		return running{}, err
	}
	return running{relay.URL(), relay.Run, relay.Close}, nil
}
