package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/fake"
)

// standIn is a `relay fake-twilio` with the lines that it says at its start.
type standIn struct {
	url   string
	lines chan string // closed when it has ended
	stop  func() int  // ends it and returns the exit code
}

func startStandIn(t *testing.T, args ...string) *standIn {
	t.Helper()
	stdout, said := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	code := make(chan int, 1)
	go func() {
		p := program{cli.Program{Stdout: said, Stderr: io.Discard, Lookup: func(string) (string, bool) { return "", false }}}
		code <- p.run(ctx, append([]string{"fake-twilio", "--listen", "127.0.0.1:0"}, args...))
		_ = said.Close()
	}()
	t.Cleanup(cancel)
	s := &standIn{lines: make(chan string, 16), stop: func() int { cancel(); return <-code }}
	go func() {
		defer close(s.lines)
		for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
			s.lines <- scanner.Text()
		}
	}()
	first := <-s.lines
	_, rest, found := strings.Cut(first, "fake Twilio at ")
	if !found {
		t.Fatalf("began with %q", first)
	}
	s.url, _, _ = strings.Cut(rest, ",")
	return s
}

// create returns the HTTP status, 0 if the connection was closed without one.
func (s *standIn) create(t *testing.T) int {
	t.Helper()
	form := url.Values{"From": {string(testNumber)}, "To": {string(testDestination)}, "Body": {"Hello"}}
	return s.ask(t, http.MethodPost, strings.NewReader(form.Encode()), nil)
}

// listed returns how many messages the API's list has.
func (s *standIn) listed(t *testing.T) int {
	t.Helper()
	var page struct{ Messages []json.RawMessage }
	if got := s.ask(t, http.MethodGet, nil, &page); got != http.StatusOK {
		t.Fatalf("list: %d", got)
	}
	return len(page.Messages)
}

// ask makes a request to the Messages resource and reads the answer into answer, if that is not nil.
func (s *standIn) ask(t *testing.T, method string, body io.Reader, answer any) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.url+"/2010-04-01/Accounts/"+fake.AccountSid+"/Messages.json", body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(fake.AccountSid, fake.AuthToken)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	defer func() { _ = response.Body.Close() }()
	if answer != nil {
		if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
			t.Fatal(err)
		}
	}
	return response.StatusCode
}

// existing returns how many messages there are in truth.
func (s *standIn) existing(t *testing.T) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/fake/messages", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var seen struct{ Messages []json.RawMessage }
	if err := json.NewDecoder(response.Body).Decode(&seen); err != nil {
		t.Fatal(err)
	}
	return len(seen.Messages)
}

func TestFakeTwilioBehavesUnlessToldOtherwise(t *testing.T) {
	fake := startStandIn(t, "--seed", "7")
	if got := fake.create(t); got != http.StatusCreated || fake.listed(t) != 1 {
		t.Errorf("create: %d, %d listed", got, fake.listed(t))
	}
	if code := fake.stop(); code != cli.ExitDone || <-fake.lines != "" {
		t.Errorf("exit code %d, or more was said", code)
	}
}

func TestFakeTwilioTakesAndDrops(t *testing.T) {
	fake := startStandIn(t, "--accept-then-drop", "100%", "--list-lag", "1h")
	if got := fake.create(t); got != 0 {
		t.Errorf("answered %d", got)
	}
	if existing, listed := fake.existing(t), fake.listed(t); existing != 1 || listed != 0 {
		t.Errorf("%d messages, %d listed, want 1 and 0", existing, listed)
	}
}

func TestFakeTwilioFails(t *testing.T) {
	fake := startStandIn(t, "--error-rate", "1")
	for i, want := range []int{500, 503, 429} {
		if got := fake.create(t); got != want {
			t.Errorf("request %d: %d, want %d", i+1, got, want)
		}
	}
	if got := fake.existing(t); got != 1 {
		t.Errorf("%d messages, want that of the 503 alone", got)
	}
}

// TestFakeTwilioStopsWhileItHoldsAnswersBack has a caller wait for an answer of the next day.
func TestFakeTwilioStopsWhileItHoldsAnswersBack(t *testing.T) {
	twilio := startStandIn(t, "--latency", "24h-25h")
	answered := make(chan int)
	go func() { answered <- twilio.create(t) }()
	waitUntil(t, "the message", fake.StopTimeout, func() bool { return twilio.existing(t) == 1 })
	if code := twilio.stop(); code != cli.ExitDone {
		t.Errorf("exit code %d", code)
	}
	if got := <-answered; got != http.StatusCreated {
		t.Errorf("answered %d", got)
	}
}

// TestFakeTwilioShowsAndSetsItsFaults in a browser and by its own interface: what the flags set is there, and can be changed.
func TestFakeTwilioShowsAndSetsItsFaults(t *testing.T) {
	twilio := startStandIn(t, "--error-rate", "1", "--seed", "7", "--number", string(testNumber))
	ask := func(method, path, body string) string {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, twilio.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close() //nolint:errcheck // it was only read.
		told, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Errorf("%s %s: %d %s, %v", method, path, answer.StatusCode, told, err)
		}
		return string(told)
	}
	page := ask(http.MethodGet, "/settings", "")
	if !strings.Contains(page, "503 or 429: 100 %") || !strings.Contains(page, string(testNumber)) {
		t.Errorf("the settings are %s", page)
	}
	if got := twilio.create(t); got != http.StatusInternalServerError {
		t.Errorf("create: %d", got)
	}
	if told := ask(http.MethodGet, "/fake/exchanges?refused=true", ""); !strings.Contains(told, "fault: answered 500; no message was made") {
		t.Errorf("the exchanges are %s", told)
	}
	if told := ask(http.MethodPut, "/fake/faults", `{"seed":7}`); !strings.Contains(told, `"error_rate":0,`) {
		t.Errorf("the faults are %s", told)
	}
	if got := twilio.create(t); got != http.StatusCreated {
		t.Errorf("create: %d", got)
	}
}

// TestFakeTwilioSaysItsFaults reads the line with which the same faults can be had again.
func TestFakeTwilioSaysItsFaults(t *testing.T) {
	tests := []struct {
		name string
		args []string
		want string
	}{
		{
			"probabilities",
			[]string{"--error-rate", "10%", "--accept-then-drop", "0.05", "--seed", "7"},
			"faults: --accept-then-drop=0.05 --error-rate=0.1 --seed=7",
		},
		{
			"receipts",
			[]string{"--receipts=drop,duplicate,reorder:50%", "--seed", "7"},
			"faults: --receipts=duplicate:0.3,reorder:0.5,drop:0.1 --seed=7",
		},
		{"times", []string{"--latency", "50ms-2s", "--list-lag", "1m", "--seed", "7"}, "faults: --latency=50ms-2s --list-lag=1m --seed=7"},
		{"one latency", []string{"--latency", "1s", "--seed", "7"}, "faults: --latency=1s --seed=7"},
		{"loop guard", []string{"--loop-guard", "--seed", "7"}, "faults: --loop-guard=15 --seed=7"},
		{"loop guard of another size", []string{"--loop-guard=20", "--seed", "7"}, "faults: --loop-guard=20 --seed=7"},
		{"a new seed", []string{"--error-rate", "1"}, "faults: --error-rate=1 --seed="},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			fake := startStandIn(t, test.args...)
			if got := <-fake.lines; !strings.HasPrefix(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestWrongFaultsAreWrongUsage(t *testing.T) {
	for _, wrong := range []string{"--accept-then-drop=2", "--receipts=x", "--latency=x", "--list-lag=-1s", "--loop-guard=-1", "--seed=x"} {
		var stdout, stderr bytes.Buffer
		p := program{cli.Program{Stdout: &stdout, Stderr: &stderr, Lookup: func(string) (string, bool) { return "", false }}}
		if got := p.run(t.Context(), []string{"fake-twilio", wrong}); got != cli.ExitUsage || stdout.Len() > 0 {
			t.Errorf("%s: exit code %d\n%s%s", wrong, got, &stdout, &stderr)
		}
	}
}
