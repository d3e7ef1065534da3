package twiliofake_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// delivery is one row: what the webhook does in turn, and what comes of it.
type delivery struct {
	name     string
	fragment string
	turns    []roundTrip
	attempts int
	code     int // 0: accepted
	took     time.Duration
}

// TestRetriesAndTimeouts posts an inbound webhook on synctest's clock: how often, for how long, and what Twilio's
// debugger would then say.
func TestRetriesAndTimeouts(t *testing.T) {
	const never = time.Hour
	ok, e503, e404 := answering(200), answering(503), answering(404)
	slow, unconnected := answeringAfter(0, never), answeringAfter(never, 0)
	for _, test := range []delivery{
		{"success at once", "", []roundTrip{ok}, 1, 0, 0},
		{"refused connection is retried once", "", []roundTrip{refusing}, 2, 11205, 0},
		{"refused once", "", []roundTrip{refusing, ok}, 2, 0, 0},
		{"failed TLS counts as no connection", "", []roundTrip{failingTLS, ok}, 2, 0, 0},
		{"5xx is not retried", "", []roundTrip{e503, ok}, 1, 11200, 0},
		{"4xx is not retried", "", []roundTrip{e404, ok}, 1, 11200, 0},
		{"silence is not retried", "", []roundTrip{slow, ok}, 1, 11205, 15 * time.Second},
		{"a reset is not retried", "", []roundTrip{resetting, ok}, 1, 11200, 0},
		{"no connection for 5 s, twice", "", []roundTrip{unconnected}, 2, 11205, 10 * time.Second},
		{"rc and rp", "#rc=5&rp=5xx,ct,rt", []roundTrip{e503, refusing, e503, ok}, 4, 0, 0},
		{"rc at its end", "#rc=5&rp=5xx", []roundTrip{e503}, 6, 11200, 0},
		{"rc of none", "#rc=0", []roundTrip{refusing, ok}, 1, 11205, 0},
		{"rp without ct", "#rp=5xx", []roundTrip{refusing, ok}, 1, 11205, 0},
		{"rp of 4xx", "#rp=4xx", []roundTrip{e404, ok}, 2, 0, 0},
		{"rp of all", "#rc=3&rp=all", []roundTrip{resetting, e404, refusing, ok}, 4, 0, 0},
		{"rt", "#rt=4000&rp=rt", []roundTrip{slow, ok}, 2, 0, 4 * time.Second},
		{
			"rt counts from the connection", "#rt=1000",
			[]roundTrip{answeringAfter(4*time.Second, 900*time.Millisecond)},
			1, 0,
			4900 * time.Millisecond,
		},
		{"ct", "#ct=100", []roundTrip{unconnected, ok}, 2, 0, 100 * time.Millisecond},
		{"tt ends the retries", "#rt=4000&tt=10000&rc=5&rp=rt", []roundTrip{slow}, 3, 11205, 10 * time.Second},
		{"edges are of no matter", "#e=ashburn,dublin&sni=y", []roundTrip{ok}, 1, 0, 0},
		{"unknown rp", "#rp=6xx", []roundTrip{ok}, 0, 11243, 0},
		{"rc out of range", "#rc=6", []roundTrip{ok}, 0, 11100, 0},
		{"rt out of range", "#rt=15001", []roundTrip{ok}, 0, 11100, 0},
		{"ct that is no number", "#ct=soon", []roundTrip{ok}, 0, 11100, 0},
		{"an invalid fragment", "#rc=%zz", []roundTrip{ok}, 0, 11100, 0},
	} {
		t.Run(test.name, func(t *testing.T) { synctest.Test(t, test.run) })
	}
}

func (d delivery) run(t *testing.T) {
	requests, began := 0, time.Now()
	account := inBubble(t, inTurn(&requests, d.turns...))
	response, err := account.SendInbound(t.Context(), sofa(), "http://app.example.com/sms"+d.fragment)
	if err != nil {
		t.Fatal(err)
	}
	if response.Attempts != d.attempts || requests != d.attempts {
		t.Errorf("%d attempts, %d requests, want %d", response.Attempts, requests, d.attempts)
	}
	if took := time.Since(began); took != d.took {
		t.Errorf("took %s, want %s", took, d.took)
	}
	code := 0
	if len(response.Errors) > 0 {
		code = response.Errors[0].Code
	}
	if code != d.code || response.Taken != (d.code == 0) {
		t.Errorf("code %d, accepted %v, want code %d", code, response.Taken, d.code)
	}
}

// TestCallbackRetries shows that callbacks go by the same rules, and that a later one waits for the retries.
func TestCallbackRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order []string
		refused := false
		account := inBubble(t, func(r *http.Request) (*http.Response, error) {
			if err := r.ParseForm(); err != nil {
				return nil, err
			}
			order = append(order, r.PostForm.Get("MessageStatus"))
			if !refused {
				refused = true
				return refusing(r)
			}
			return answering(http.StatusOK)(r)
		})
		account.create(t, params("StatusCallback", "http://app.example.com/cb"))
		if err := account.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(order) != 3 || order[0] != "sent" || order[1] != "sent" || order[2] != "delivered" {
			t.Errorf("posted %v", order)
		}
		callbacks := account.Callbacks()
		if len(callbacks) != 2 || callbacks[0].Attempts != 2 || callbacks[1].Attempts != 1 || callbacks[0].WebhookErrorCode != 0 {
			t.Errorf("callbacks %+v", callbacks)
		}
	})
}
