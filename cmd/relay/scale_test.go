package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/fake"
	"quickdumpnow.com/smsrelay/cmd/relay/serve/onehost"
	"quickdumpnow.com/smsrelay/cmd/relay/workload"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// scaleSizes are the ledgers that BenchmarkStatus asks; with -short, only the first.
func scaleSizes() []int {
	if testing.Short() {
		return []int{10_000}
	}
	return []int{10_000, 1_000_000}
}

// BenchmarkStatus asks relay serve what operators ask it, over ledgers that relay bench fill made, each question of one
// right after the other. docs/scaling.md shows what came of it.
func BenchmarkStatus(b *testing.B) {
	var ledgers []servedLedger
	for _, size := range scaleSizes() {
		ledgers = append(ledgers, serveFilled(b, size))
	}
	for _, ask := range statusQuestions() {
		for _, l := range ledgers {
			b.Run(fmt.Sprintf("%s/texts=%d", ask.name, l.size), func(b *testing.B) {
				for n := 0; b.Loop(); n++ {
					askOperator(b, l.address+operations.PathStatus, ask.query(l, n))
				}
			})
		}
	}
}

// servedLedger is a ledger that relay serve works on.
type servedLedger struct {
	size    int
	address string
	// sids are of texts all over it.
	sids []string
}

// filled is a data folder whose ledger has so many texts.
func filled(b *testing.B, size int) (data string) {
	b.Helper()
	data = b.TempDir()
	p := program{cli.Program{Stdout: io.Discard, Stderr: io.Discard, Lookup: func(string) (string, bool) { return "", false }}}
	if code := p.run(b.Context(), []string{"bench", "fill", "--data", data, "--texts", strconv.Itoa(size)}); code != cli.ExitDone {
		b.Fatalf("bench fill: exit code %d", code)
	}
	return data
}

// BenchmarkReady starts the program on a ledger until it answers GET /sms/health: what a restart takes.
func BenchmarkReady(b *testing.B) {
	for _, size := range scaleSizes() {
		data := filled(b, size)
		b.Run(fmt.Sprintf("texts=%d", size), func(b *testing.B) {
			_, twilioURL := newFake(b, nil)
			for b.Loop() {
				_, stop := startUntilHealthy(b, relayProgram(b), twilioURL, data)
				b.StopTimer()
				stop()
				b.StartTimer()
			}
		})
	}
}

// startUntilHealthy starts relay serve, and returns its process and what stops it.
func startUntilHealthy(b *testing.B, program, twilioURL, data string, more ...string) (pid int, stop func()) {
	b.Helper()
	pid, _, stop = startAt(b, program, twilioURL, data, more...)
	return pid, stop
}

// startAt does the same, and returns where it serves, too.
func startAt(b *testing.B, program, twilioURL, data string, more ...string) (pid int, address string, stop func()) {
	b.Helper()
	arguments := append([]string{"serve", "--listen", "127.0.0.1:0", "--data", data}, more...)
	cmd := exec.CommandContext(b.Context(), program, arguments...)
	cmd.Env = []string{
		cli.EnvAccountSid + "=" + fake.AccountSid, cli.EnvAuthToken + "=" + fake.AuthToken, cli.EnvTwilioBaseURL + "=" + twilioURL,
		cli.EnvOperatorToken + "=" + testOperator,
	}
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	for lines := bufio.NewScanner(stderr); address == "" && lines.Scan(); {
		var line struct{ Msg, URL string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "relay serves" {
			address = line.URL
		}
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, stderr) // a relay whose log nobody reads waits.
	}()
	response, err := http.Get(address + "/sms/health")
	if err != nil || response.StatusCode != http.StatusOK {
		b.Fatalf("GET %s/sms/health: %v", address, err)
	}
	return cmd.Process.Pid, address, func() {
		if err := errors.Join(response.Body.Close(), cmd.Process.Signal(os.Interrupt)); err != nil {
			b.Error(err)
		}
		<-drained
		if err := cmd.Wait(); err != nil {
			b.Error(err)
		}
	}
}

// serveFilled fills a ledger and serves it until the benchmark ends.
func serveFilled(b *testing.B, size int) servedLedger {
	b.Helper()
	data := filled(b, size)
	relay, err := onehost.Open(b.Context(), onehost.Config{
		Listen: "127.0.0.1:0", Data: data, AccountSid: fake.AccountSid, AuthTokens: []string{fake.AuthToken},
		OperatorToken: testOperator, Retention: 9600 * time.Hour, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- relay.Run(ctx) }()
	b.Cleanup(func() {
		stop()
		if err := errors.Join(<-stopped, relay.Close()); err != nil {
			b.Error(err)
		}
	})
	return servedLedger{size: size, address: relay.URL(), sids: someSids(b, relay.DB().Ledger())}
}

// someSids returns the MessageSids of texts of many days.
func someSids(b *testing.B, l ledger.Lister) []string {
	b.Helper()
	var sids []string
	for day := range 50 {
		before := ledger.Cursor{ReceivedAt: time.Now().AddDate(0, 0, -day), MessageSid: "SM"}
		page, err := l.List(b.Context(), ledger.Query{Limit: 20, Cursor: before})
		if err != nil {
			b.Fatal(err)
		}
		for _, r := range page.Records {
			sids = append(sids, r.MessageSid)
		}
	}
	return sids
}

// statusQuestion is one way to look into the ledger; n changes whom it is about.
type statusQuestion struct {
	name  string
	query func(l servedLedger, n int) url.Values
}

func statusQuestions() []statusQuestion {
	list := func(number func(n int) string, state ledger.State) func(servedLedger, int) url.Values {
		return func(_ servedLedger, n int) url.Values {
			query := url.Values{}
			if number != nil {
				query.Set("number", number(n))
			}
			if state != "" {
				query.Set("state", string(state))
			}
			return query
		}
	}
	ours := func(n int) string { return string(workload.TwilioNumber(n)) }
	theirs := func(n int) string { return string(workload.Customer(n % 1000)) }
	return []statusQuestion{
		{"one text", func(l servedLedger, n int) url.Values {
			return url.Values{"message_sid": {l.sids[n*7%len(l.sids)]}}
		}},
		{"everything", list(nil, "")},
		{"by state, delivered", list(nil, ledger.Delivered)},
		{"by state, dead", list(nil, ledger.Dead)},
		{"by Twilio number", list(ours, "")},
		{"by customer", list(theirs, "")},
		{"by Twilio number and state, delivered", list(ours, ledger.Delivered)},
		{"by Twilio number and state, dead", list(ours, ledger.Dead)},
	}
}

// askOperator asks the operators' API one question.
func askOperator(b *testing.B, address string, query url.Values) {
	b.Helper()
	request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, address+"?"+query.Encode(), nil)
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+testOperator)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	_, err = io.Copy(io.Discard, response.Body)
	if closed := response.Body.Close(); err != nil || closed != nil || response.StatusCode != http.StatusOK {
		b.Fatalf("status %d, errors %v and %v", response.StatusCode, err, closed)
	}
}
