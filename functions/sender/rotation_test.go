package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/aws/secrets"
	"quickdumpnow.com/smsrelay/shared/onehost/eventsource"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/retry"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	"quickdumpnow.com/smsrelay/shared/twilio"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// gatekeeper is a Twilio that takes some passwords and counts the messages by their text.
type gatekeeper struct {
	mu       sync.Mutex
	accepted []string
	refused  int
	taken    map[string]int
}

func (g *gatekeeper) accept(passwords ...string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.accepted = passwords
}

func (g *gatekeeper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, password, _ := r.BasicAuth()
	body := r.PostFormValue("Body")
	g.mu.Lock()
	defer g.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if !slices.Contains(g.accepted, password) {
		g.refused++
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintln(w, `{"code":20003,"message":"Authenticate","status":401}`)
		return
	}
	g.taken[body]++
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintf(w, `{"sid":"SM%032x","status":"queued","num_segments":"1"}`, len(g.taken))
}

// sent returns how many texts Twilio has taken.
func (g *gatekeeper) sent() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.taken)
}

// rotation is a sender with a secret of an emulated Secrets Manager behind it, under load.
type rotation struct {
	t      *testing.T
	clock  *relaytest.Clock
	client *secretsmanager.Client
	secret string
	value  func(n int) string
	twilio *gatekeeper
	inbox  *relaytest.MemoryQueue
	halted atomic.Int64
	queued int
}

// put writes the nth version of the secret under a stage. AWSCURRENT of another becomes AWSPREVIOUS.
func (r *rotation) put(n int, stage string) {
	r.t.Helper()
	_, err := r.client.PutSecretValue(r.t.Context(), &secretsmanager.PutSecretValueInput{
		SecretId: &r.secret, SecretString: aws.String(r.value(n)), VersionStages: []string{stage},
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// handler returns the sender over memory, with the client that main wires.
func (r *rotation) handler(c config, config awsclient.Config) *delivery.Handler {
	r.t.Helper()
	logger := slog.New(slog.DiscardHandler)
	client, err := c.newClient(r.t.Context(), secrets.New(awsclient.New(config), c.secrets), r.clock.Now, logger)
	if err != nil {
		r.t.Fatal(err)
	}
	records := &relaytest.MemoryLedger{}
	timers := relaytest.NewMemoryQueue(relaytest.QueueOptions{Standard: true}, time.Now)
	routes := relaytest.NewMemoryRoutes(route.Route{
		TwilioNumber:       relaytest.TwilioNumber,
		DestinationCarrier: relaytest.Destination, Active: true,
	})
	return delivery.New(delivery.Config{
		Ledger: records, Records: records, Routes: route.NewCache(routes, time.Now), Conversations: &relaytest.MemoryConversations{},
		Messages: client, Pace: &relaytest.MemoryPace{},
		Queue: r.inbox, TimerQueue: timers, Timers: timers, Answers: r.inbox,
		DeadLetters: relaytest.NewMemoryQueue(relaytest.QueueOptions{}, time.Now),
		Policy:      retry.NewPolicy(c.retryBase, c.maxAttempts), ReceiptFault: twilio.ClassifyReceipt,
		ReconcileLooks: c.reconcileLooks, ReconcileInterval: c.reconcileInterval, SendTimeout: c.sendTimeout, Retention: c.retention,
		Concurrency: groupsPerBatch, Now: time.Now, Spread: func() float64 { return 0 }, NewClaimID: rand.Text, Logger: logger,
		Emit: func(all ...telemetry.Measurement) {
			for _, m := range all {
				if m.Name == "Halted" {
					r.halted.Add(1)
				}
			}
		},
	})
}

// send queues texts of several customers up and waits until Twilio has had that many, with change in the middle of it.
func (r *rotation) send(change func()) {
	r.t.Helper()
	const texts = 60
	for range texts {
		r.queued++
		m := relaytest.Message(r.queued)
		m.From = sms.PhoneNumber(fmt.Sprintf("+131255501%02d", r.queued%20))
		outgoing, err := queue.Envelope{
			Version: queue.Version, Kind: queue.KindInbound, RelayID: m.Sid, ReceivedAt: time.Now(),
			Message: &m,
		}.Outgoing()
		if err == nil {
			err = r.inbox.Send(r.t.Context(), outgoing)
		}
		if err != nil {
			r.t.Fatal(err)
		}
		if r.queued%texts == texts/3 {
			r.await(r.queued - 10)
			change()
		}
	}
	r.await(r.queued)
}

func (r *rotation) await(texts int) {
	r.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); r.twilio.sent() < texts; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) || r.halted.Load() > 0 {
			r.t.Fatalf("%d texts sent of %d, %d halted", r.twilio.sent(), texts, r.halted.Load())
		}
	}
}

// newRotation starts a sender whose secret has a first version that Twilio takes.
func newRotation(t *testing.T, variable string, value func(n int) string) *rotation {
	t.Helper()
	emulator := relaytest.Emulator(t, relaytest.EmulatorMoto)
	r := &rotation{
		t: t, clock: relaytest.NewClock(time.Now()), client: secretsmanager.NewFromConfig(awsclient.New(emulator)), value: value,
		twilio: &gatekeeper{taken: map[string]int{}}, inbox: relaytest.NewMemoryQueue(relaytest.QueueOptions{}, time.Now),
	}
	created, err := r.client.CreateSecret(t.Context(),
		&secretsmanager.CreateSecretInput{Name: aws.String("test-" + rand.Text()), SecretString: aws.String(value(0))})
	if err != nil {
		t.Fatal(err)
	}
	r.secret = *created.ARN
	r.twilio.accept(password(0))
	server := httptest.NewServer(r.twilio)
	t.Cleanup(server.Close)
	c, err := read(map[string]string{variable: r.secret, "TWILIO_API_BASE_URL": server.URL})
	if err != nil {
		t.Fatal(err)
	}
	mapping := eventsource.Queue{
		Receiver: r.inbox, Function: r.handler(c, emulator).Handle, BatchSize: 10, Pollers: 4, Visibility: 30 * time.Second,
		Logger: slog.New(slog.DiscardHandler),
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = mapping.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
	return r
}

func password(n int) string { return fmt.Sprintf("fake-%d", n) }

// TestRotationHaltsNoText rotates the secret again and again while texts go out, as the managed rotation of its kind does.
func TestRotationHaltsNoText(t *testing.T) {
	const account = "AC00000000000000000000000000000001"
	token := func(n int) string { return fmt.Sprintf(`{"accountSid":%q,"authToken":%q}`, account, password(n)) }
	key := func(n int) string {
		return fmt.Sprintf(`{"accountSid":%q,"apiKeySid":"SK%032x","apiKeySecret":%q}`, account, n, password(n))
	}
	tests := []struct {
		name     string
		variable string
		value    func(n int) string
		steps    func(r *rotation, n int) []func()
	}{
		{"the Auth Token", "RELAY_TWILIO_AUTH_TOKEN_SECRET", token, func(r *rotation, n int) []func() {
			return []func(){
				func() { r.put(n, "AWSPENDING") },
				func() { r.twilio.accept(password(n)) },
				func() { r.put(n, "AWSCURRENT") },
			}
		}},
		{"the API key", "RELAY_TWILIO_API_KEY_SECRET", key, func(r *rotation, n int) []func() {
			return []func(){
				func() { r.twilio.accept(password(n-1), password(n)); r.put(n, "AWSPENDING") },
				func() { r.put(n, "AWSCURRENT") },
				func() { r.twilio.accept(password(n)) },
			}
		}},
		{"an API key by hand", "RELAY_TWILIO_API_KEY_SECRET", key, func(r *rotation, n int) []func() {
			return []func(){func() { r.put(n, "AWSCURRENT"); r.twilio.accept(password(n)) }}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRotation(t, tt.variable, tt.value)
			for n := range 3 {
				for _, step := range tt.steps(r, n+1) {
					r.send(step)
				}
				r.clock.Advance(time.Minute)
			}
			r.check()
		})
	}
}

// check holds what Twilio has had against what was to be sent.
func (r *rotation) check() {
	r.t.Helper()
	if r.halted.Load() != 0 || r.twilio.sent() != r.queued {
		r.t.Errorf("%d texts sent of %d, %d halted", r.twilio.sent(), r.queued, r.halted.Load())
	}
	for text, times := range r.twilio.taken {
		if times != 1 {
			r.t.Errorf("%q was sent %d times", text, times)
		}
	}
	if r.twilio.refused == 0 {
		r.t.Error("Twilio never refused: nothing was rotated")
	}
	r.t.Logf("%d texts, %d refusals on the way", r.queued, r.twilio.refused)
}
