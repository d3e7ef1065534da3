package twiliofake_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// TestValidityPeriod has messages queued for too long, and for just not too long.
func TestValidityPeriod(t *testing.T) {
	const stuck = "+15005550111"
	tests := []struct {
		name   string
		delay  time.Duration
		params []string
		want   []string
		code   int
	}{
		{"over before the message leaves", 10 * time.Second, []string{"ValidityPeriod", "9"}, []string{"failed 9s"}, 30036},
		{"over as the message leaves", 10 * time.Second, []string{"ValidityPeriod", "10"}, []string{"sent 10s", "delivered 20s"}, 0},
		{"over once the message has left", 10 * time.Second, []string{"ValidityPeriod", "11"}, []string{"sent 10s", "delivered 20s"}, 0},
		{
			"over before the message fails anyway", 10 * time.Second,
			[]string{"ValidityPeriod", "9", "To", "+15005550105"},
			[]string{"failed 9s"},
			30036,
		},
		{"of a message that never leaves", time.Second, []string{"ValidityPeriod", "60", "To", stuck}, []string{"failed 1m0s"}, 30036},
		{"not given", time.Second, []string{"To", stuck}, []string{"failed 10h0m0s"}, 30001},
		{
			"counted from a service's acceptance", 4 * time.Second,
			[]string{"ValidityPeriod", "7", "From", "", "MessagingServiceSid", serviceSid},
			[]string{"queued 4s", "failed 7s"},
			30036,
		},
		{
			"over before a service queues the message", 4 * time.Second,
			[]string{"ValidityPeriod", "3", "From", "", "MessagingServiceSid", serviceSid},
			[]string{"failed 3s"},
			30036,
		},
		{
			"of a service's message that never leaves", 4 * time.Second,
			[]string{"ValidityPeriod", "7", "From", "", "MessagingServiceSid", serviceSid, "To", stuck},
			[]string{"queued 4s", "failed 7s"},
			30036,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var posted posts
				account := inBubble(t, posted.record, func(c *twiliofake.Config) { c.StepDelay = test.delay })
				account.create(t, params(append(test.params, "StatusCallback", "http://app.example.com/")...))
				time.Sleep(11 * time.Hour)
				if diff := cmp.Diff(test.want, posted.all()); diff != "" {
					t.Errorf("posted (-want +got):\n%s", diff)
				}
				if got := account.Messages()[0]; got.ErrorCode != test.code || got.DateSent.IsZero() != (test.code != 0) {
					t.Errorf("error code %d, sent %s", got.ErrorCode, got.DateSent)
				}
			})
		})
	}
}

// TestWaitLeavesQueuedMessagesAlone waits for what is under way, not for the end of a validity.
func TestWaitLeavesQueuedMessagesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		account := inBubble(t, nil, func(c *twiliofake.Config) { c.StepDelay = time.Second })
		account.create(t, params("To", "+15005550111", "ValidityPeriod", "60"))
		began := time.Now()
		if err := account.Wait(t.Context()); err != nil || time.Since(began) != 0 {
			t.Errorf("waited %s: %v", time.Since(began), err)
		}
		if got := account.Messages()[0].Status; got != sms.StatusQueued {
			t.Errorf("status %s", got)
		}
		time.Sleep(2 * time.Minute)
		account.create(t, params())
		began = time.Now()
		if err := account.Wait(t.Context()); err != nil || time.Since(began) != 2*time.Second {
			t.Errorf("after the end of its validity: waited %s for another message: %v", time.Since(began), err)
		}
	})
}

// TestLoopGuard has one message too many in 30 s, and the first one after them.
func TestLoopGuard(t *testing.T) {
	app := receive(t, nil)
	account := start(t, func(c *twiliofake.Config) { c.Misbehaviour.LoopGuard = 3 })
	text := func(to smsNumber) map[string]any {
		got := account.create(t, params("To", string(to), "StatusCallback", app.url))
		if got.status != http.StatusCreated || got.body["status"] != "queued" || got.body["error_code"] != nil {
			t.Errorf("created %d %v", got.status, got.body)
		}
		account.settle(t)
		sid, ok := got.body["sid"].(string)
		if !ok {
			t.Fatalf("no sid in %v", got.body)
		}
		return account.fetch(t, sid)
	}
	for _, step := range []struct {
		later time.Duration
		to    smsNumber
		want  any
	}{
		{0, carrier, nil},
		{10 * time.Second, carrier, nil},
		{10 * time.Second, carrier, nil},
		{10 * time.Second, carrier, nil},     // the first is 30 s ago
		{9 * time.Second, carrier, 14107.0},  // the fourth within 30 s
		{0, customer, nil},                   // another pair
		{10 * time.Second, carrier, 14107.0}, // the one that failed counts, too
		{30 * time.Second, carrier, nil},
	} {
		account.clock.Advance(step.later)
		if got := text(step.to); got["error_code"] != step.want {
			t.Errorf("%s after noon: %v, want %v", account.clock.Now().Sub(noon), got["error_code"], step.want)
		}
	}
	last := app.webhooks()[8].params // four times sent and delivered, then the first that fails
	if last.Get("MessageStatus") != "failed" || last.Get("ErrorCode") != "14107" {
		t.Errorf("callback %v", last)
	}
}

// TestNoLoopGuard is the way it is unless asked for.
func TestNoLoopGuard(t *testing.T) {
	account := start(t)
	for range 40 {
		account.mustCreate(t, params())
	}
	account.settle(t)
	for _, message := range account.Messages() {
		if message.ErrorCode != 0 {
			t.Errorf("%s: %d", message.Sid, message.ErrorCode)
		}
	}
}
