package twiliofake_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// TestListLag has a message in the list only when its time has come, and under its Sid from the first moment.
func TestListLag(t *testing.T) {
	account := start(t, func(c *twiliofake.Config) { c.Faults.ListLag = time.Minute })
	first := account.mustCreate(t, params("Body", "first"))
	account.clock.Advance(30 * time.Second)
	account.mustCreate(t, params("Body", "second"))
	account.settle(t)
	if got := account.fetch(t, first)["body"]; got != "first" {
		t.Errorf("fetched %v", got)
	}
	for _, step := range []struct {
		later time.Duration
		want  []string
	}{
		{0, []string{}},
		{30*time.Second - time.Nanosecond, []string{}},
		{time.Nanosecond, []string{"first"}},
		{30 * time.Second, []string{"second", "first"}},
	} {
		account.clock.Advance(step.later)
		for _, query := range []string{"", "?To=%2B18585550111&DateSent%3E=2026-11-24"} {
			if diff := cmp.Diff(step.want, bodiesOf(t, account.list(t, messagesPath+query))); diff != "" {
				t.Errorf("%s after noon, list%s (-want +got):\n%s", account.clock.Now().Sub(noon), query, diff)
			}
		}
	}
}

// TestLatencyHoldsBackEveryAnswer has the message made, and its callbacks posted, before the caller hears of it.
func TestLatencyHoldsBackEveryAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		latency := 2 * time.Second
		account := inBubble(t, answering(http.StatusOK), func(c *twiliofake.Config) {
			c.Faults.Latency = func() time.Duration { return latency }
			c.StepDelay = 400 * time.Millisecond
		})
		began := time.Now()
		time.AfterFunc(time.Second, func() {
			if got := account.Messages(); len(got) != 1 || got[0].Status != sms.StatusDelivered {
				t.Errorf("a second before the answer: %+v", got)
			}
		})
		if got := account.create(t, params("StatusCallback", "http://app.example.com/")); got != http.StatusCreated {
			t.Errorf("create: %d", got)
		}
		if took := time.Since(began); took != latency {
			t.Errorf("create took %s", took)
		}
		for name, ask := range map[string]func() int{
			"list":    func() int { return serve(t, account, http.MethodGet, nil) },
			"refusal": func() int { return account.create(t, params("To", "+15005550001")) },
			"unauthorized": func() int {
				recorded := httptest.NewRecorder()
				account.ServeHTTP(recorded, httptest.NewRequest(http.MethodGet, messagesPath, nil))
				return recorded.Code
			},
		} {
			began := time.Now()
			status := ask()
			if took := time.Since(began); took != latency {
				t.Errorf("%s: %d after %s", name, status, took)
			}
		}
	})
}

// TestLatencyOfADroppedConnection has the caller wait for nothing.
func TestLatencyOfADroppedConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		account := inBubble(t, nil, after(twiliofake.Fault{DropConnection: true}), func(c *twiliofake.Config) {
			c.Faults.Latency = func() time.Duration { return time.Second }
		})
		began := time.Now()
		defer func() {
			err, ok := recover().(error)
			if !ok || !errors.Is(err, http.ErrAbortHandler) || time.Since(began) != time.Second {
				t.Errorf("%v after %s", err, time.Since(began))
			}
		}()
		account.create(t, params())
	})
}

// TestFaultOnceTaken strikes what Twilio accepted, and leaves its refusals alone.
func TestFaultOnceTaken(t *testing.T) {
	account := start(t, before(twiliofake.Fault{Status: http.StatusServiceUnavailable, OnceTaken: true}))
	if got := account.create(t, params("To", "+15005550001")); got.body["code"] != 21211.0 {
		t.Errorf("refused message: %v", got.body)
	}
	if got := account.create(t, params()); got.status != http.StatusServiceUnavailable || len(account.Messages()) != 1 {
		t.Errorf("status %d, %d messages", got.status, len(account.Messages()))
	}
}

// posts records which status was posted when.
type posts struct {
	mu  sync.Mutex
	got []string
}

func (p *posts) record(r *http.Request) (*http.Response, error) {
	if err := r.ParseForm(); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got = append(p.got, fmt.Sprintf("%s %s", r.Form.Get("MessageStatus"), time.Since(bubbleBegins)))
	return answering(http.StatusOK)(r)
}

func (p *posts) all() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.got
}

// bubbleBegins is when a bubble's time begins.
var bubbleBegins = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// TestCallbackFaults has a Messaging Service's message, which has three callbacks, a second apart.
func TestCallbackFaults(t *testing.T) {
	type faults = map[sms.Status]twiliofake.CallbackFault
	reorder, drop := twiliofake.CallbackFault{AfterNext: true}, twiliofake.CallbackFault{Drop: true}
	tests := []struct {
		name   string
		faults faults
		want   []string
	}{
		{"none", nil, []string{"queued 1s", "sent 2s", "delivered 3s"}},
		{"dropped", faults{"sent": drop}, []string{"queued 1s", "delivered 3s"}},
		{"all dropped", faults{"queued": drop, "sent": drop, "delivered": drop}, nil},
		{"twice", faults{"sent": {Duplicate: true}}, []string{"queued 1s", "sent 2s", "sent 2s", "delivered 3s"}},
		{"after the next", faults{"sent": reorder}, []string{"queued 1s", "delivered 3s", "sent 3s"}},
		{
			"each after the next",
			faults{"queued": reorder, "sent": reorder, "delivered": reorder},
			[]string{"delivered 3s", "sent 3s", "queued 3s"},
		},
		{"after the next, which is dropped", faults{"queued": reorder, "sent": drop}, []string{"queued 2s", "delivered 3s"}},
		{
			"after the next, which is dropped out of its turn",
			faults{"queued": reorder, "sent": {Drop: true, AfterNext: true}},
			[]string{"queued 2s", "delivered 3s"},
		},
		{
			"dropped rather than anything else",
			faults{"sent": {Drop: true, AfterNext: true, Duplicate: true}},
			[]string{"queued 1s", "delivered 3s"},
		},
		{
			"twice and after the next",
			faults{"sent": {AfterNext: true, Duplicate: true}},
			[]string{"queued 1s", "delivered 3s", "sent 3s", "sent 3s"},
		},
		{"late", faults{"sent": {Delay: time.Hour}}, []string{"queued 1s", "delivered 3s", "sent 1h0m2s"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var posted posts
				account := inBubble(t, posted.record, func(c *twiliofake.Config) {
					c.StepDelay = time.Second
					c.Faults.BeforeCallback = func(m twiliofake.Message) twiliofake.CallbackFault { return test.faults[m.Status] }
				})
				account.create(t, params("From", "", "MessagingServiceSid", serviceSid, "StatusCallback", "http://app.example.com/"))
				if err := account.Wait(t.Context()); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(test.want, posted.all()); diff != "" {
					t.Errorf("posted (-want +got):\n%s", diff)
				}
				if got := len(account.Callbacks()); got != len(test.want) {
					t.Errorf("%d callbacks observed", got)
				}
			})
		})
	}
}

// TestCloseForgetsLateCallbacks closes before a late one is due.
func TestCloseForgetsLateCallbacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var posted posts
		account := inBubble(t, posted.record, func(c *twiliofake.Config) {
			c.Faults.BeforeCallback = func(twiliofake.Message) twiliofake.CallbackFault {
				return twiliofake.CallbackFault{Delay: time.Hour}
			}
		})
		account.create(t, params("StatusCallback", "http://app.example.com/"))
		synctest.Wait()
		account.Close()
		time.Sleep(2 * time.Hour)
		if got := posted.all(); len(got) != 0 {
			t.Errorf("posted %v", got)
		}
	})
}
