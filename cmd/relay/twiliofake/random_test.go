package twiliofake_test

import (
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
)

func random(odds twiliofake.Odds) func(*twiliofake.Config) {
	return func(c *twiliofake.Config) { c.Faults = twiliofake.RandomFaults(odds, rand.New(rand.NewPCG(1, 2))) }
}

// tryCreate returns the HTTP status, 0 if the connection was closed without one.
func (a *account) tryCreate(t *testing.T, params url.Values) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.messagesURL(), strings.NewReader(params.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(accountSid, authToken)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// TestErrorsInTurn counts the messages that exist after each error.
func TestErrorsInTurn(t *testing.T) {
	account := start(t, random(twiliofake.Odds{ErrorRate: 1}))
	type seen struct{ status, messages int }
	var got []seen
	for range 7 {
		status := account.tryCreate(t, params())
		got = append(got, seen{status, len(account.Messages())})
	}
	want := []seen{{500, 0}, {503, 1}, {429, 1}, {500, 2}, {503, 2}, {429, 2}, {500, 2}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(seen{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestAcceptThenDrop has messages and callbacks without an answer; a refusal is answered.
func TestAcceptThenDrop(t *testing.T) {
	account, app := start(t, random(twiliofake.Odds{AcceptThenDrop: 1})), receive(t, nil)
	for range 3 {
		if got := account.tryCreate(t, params("StatusCallback", app.url)); got != 0 {
			t.Errorf("answered %d", got)
		}
	}
	if got := account.tryCreate(t, params("To", "+15005550004")); got != http.StatusBadRequest {
		t.Errorf("refusal: %d", got)
	}
	account.settle(t)
	if a, b := len(account.Messages()), len(app.webhooks()); a != 3 || b != 6 {
		t.Errorf("%d messages and %d callbacks, want 3 and 6", a, b)
	}
}

// TestOddsAreKept throws often enough that each kind of fault comes as often as it should, within a twentieth.
func TestOddsAreKept(t *testing.T) {
	const throws = 20_000
	odds := twiliofake.Odds{
		AcceptThenDrop: 0.2, ErrorRate: 0.3, DropCallback: 0.1, DuplicateCallback: 0.3, ReorderCallback: 0.5,
		LatencyLeast: 100 * time.Millisecond, LatencyMost: 300 * time.Millisecond,
	}
	faults := twiliofake.RandomFaults(odds, rand.New(rand.NewPCG(1, 2)))
	counts := map[string]float64{}
	count := func(name string, happened bool) {
		if happened {
			counts[name]++
		}
	}
	for range throws {
		fault := faults.BeforeCreate(nil)
		count("drop", fault.DropConnection && fault.OnceTaken && fault.Status == 0)
		count("error", fault.Status != 0)
		count("5xx taken", fault.Status >= 500 && fault.OnceTaken)
		count("429", fault.Status == 429 && !fault.OnceTaken)
		callback := faults.BeforeCallback(twiliofake.Message{})
		count("callback dropped", callback.Drop)
		count("callback twice", callback.Duplicate)
		count("callback reordered", callback.AfterNext)
		count("callback twice and reordered", callback.Duplicate && callback.AfterNext)
		latency := faults.Latency()
		count("latency", latency >= odds.LatencyLeast && latency <= odds.LatencyMost)
		count("latency in the first half", latency < 200*time.Millisecond)
	}
	for name, want := range map[string]float64{
		"drop": 0.2, "error": 0.3, "5xx taken": 0.1, "429": 0.1,
		"callback dropped": 0.1, "callback twice": 0.3, "callback reordered": 0.5, "callback twice and reordered": 0.15,
		"latency": 1, "latency in the first half": 0.5,
	} {
		if got := counts[name] / throws; math.Abs(got-want) > want/20 {
			t.Errorf("%s: %.3f, want %.3f", name, got, want)
		}
	}
}

func TestNoOddsNoFaults(t *testing.T) {
	faults := twiliofake.RandomFaults(twiliofake.Odds{}, rand.New(rand.NewPCG(1, 2)))
	for range 1000 {
		if faults.BeforeCreate(nil) != (twiliofake.Fault{}) || faults.BeforeCallback(twiliofake.Message{}) != (twiliofake.CallbackFault{}) ||
			faults.Latency() != 0 {
			t.Fatal("a fault without odds")
		}
	}
}

// TestSameSeedSameFaults replays a run by its seed.
func TestSameSeedSameFaults(t *testing.T) {
	odds := twiliofake.Odds{
		AcceptThenDrop: 0.2, ErrorRate: 0.2, DropCallback: 0.2, DuplicateCallback: 0.2, ReorderCallback: 0.2,
		LatencyMost: time.Second,
	}
	type thrown struct {
		create   twiliofake.Fault
		callback twiliofake.CallbackFault
		latency  time.Duration
	}
	run := func(seed uint64) []thrown {
		faults := twiliofake.RandomFaults(odds, rand.New(rand.NewPCG(seed, 0)))
		var all []thrown
		for range 100 {
			all = append(all, thrown{faults.BeforeCreate(nil), faults.BeforeCallback(twiliofake.Message{}), faults.Latency()})
		}
		return all
	}
	exact := cmp.AllowUnexported(thrown{})
	if diff := cmp.Diff(run(7), run(7), exact); diff != "" {
		t.Errorf("the same seed (-first +second):\n%s", diff)
	}
	if cmp.Equal(run(7), run(8), exact) {
		t.Error("another seed makes the same faults")
	}
}

// TestEverythingAtOnce has several callers meet every fault: each message exists whose request was accepted, and whatever
// is posted is posted at most twice.
func TestEverythingAtOnce(t *testing.T) {
	const callers, each = 8, 25
	account, app := start(t, random(twiliofake.Odds{
		AcceptThenDrop: 0.2, ErrorRate: 0.3, DropCallback: 0.1, DuplicateCallback: 0.3, ReorderCallback: 0.3, LatencyMost: time.Millisecond,
	})), receive(t, nil)
	var mu sync.Mutex
	statuses := map[int]int{}
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			for range each {
				status := account.tryCreate(t, params("StatusCallback", app.url))
				mu.Lock()
				statuses[status]++
				mu.Unlock()
			}
		})
	}
	group.Wait()
	account.settle(t)
	taken, unanswered := statuses[http.StatusCreated], statuses[0]
	if got := len(account.Messages()); got < taken+unanswered || got > callers*each-statuses[http.StatusTooManyRequests] {
		t.Errorf("%d messages after %v", got, statuses)
	}
	posted := map[string]int{}
	for _, callback := range app.webhooks() {
		key := callback.params.Get("MessageSid") + callback.params.Get("MessageStatus")
		if posted[key]++; posted[key] > 2 {
			t.Errorf("%s: posted %d times", key, posted[key])
		}
	}
	if all := 2 * len(account.Messages()); len(posted) == all || len(app.webhooks()) == len(posted) {
		t.Errorf("of %d callbacks %d were posted, %d in all", all, len(posted), len(app.webhooks()))
	}
}

func TestOddsAreValidated(t *testing.T) {
	tests := []struct {
		name string
		odds twiliofake.Odds
		want string
	}{
		{"nothing", twiliofake.Odds{}, ""},
		{"certainties", twiliofake.Odds{AcceptThenDrop: 1, DropCallback: 1, DuplicateCallback: 1, ReorderCallback: 1}, ""},
		{"one latency", twiliofake.Odds{LatencyLeast: time.Second, LatencyMost: time.Second}, ""},
		{"above 1", twiliofake.Odds{ErrorRate: 1.5}, "error rate: want a probability from 0 to 1, got 1.5"},
		{"below 0", twiliofake.Odds{AcceptThenDrop: -0.1}, "accept-then-drop: want"},
		{"no number", twiliofake.Odds{DropCallback: math.NaN()}, "callbacks dropped: want"},
		{"more than all", twiliofake.Odds{AcceptThenDrop: 0.6, ErrorRate: 0.6}, "accept-then-drop and error rate together: want"},
		{"twice above 1", twiliofake.Odds{DuplicateCallback: 2}, "callbacks duplicated: want"},
		{"reordered above 1", twiliofake.Odds{ReorderCallback: 2}, "callbacks reordered: want"},
		{"negative latency", twiliofake.Odds{LatencyLeast: -1, LatencyMost: 1}, "latency: "},
		{"latency backwards", twiliofake.Odds{LatencyLeast: 2, LatencyMost: 1}, "latency: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.odds.Validate()
			if test.want == "" && err != nil {
				t.Errorf("got %v", err)
			}
			if test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q in it", err, test.want)
			}
		})
	}
}
