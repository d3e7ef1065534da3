package twiliofake_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/sms"
)

func TestCallbacksSayWhatTwilioSays(t *testing.T) {
	account, app := start(t), receive(t, nil)
	sid := account.mustCreate(t, params("StatusCallback", app.url+"/status-callback?relay=a%2Fb&n=1#rc=2&rp=5xx"))
	account.settle(t)

	got := app.webhooks()
	if len(got) != 2 {
		t.Fatalf("%d callbacks, want 2", len(got))
	}
	common := url.Values{
		"MessageSid": {sid}, "SmsSid": {sid}, "AccountSid": {accountSid}, "ApiVersion": {"2010-04-01"},
		"From": {string(ours)}, "To": {string(carrier)}, "MessageStatus": {"sent"}, "SmsStatus": {"sent"},
	}
	if diff := cmp.Diff(common, got[0].params); diff != "" {
		t.Errorf("first callback (-want +got):\n%s", diff)
	}
	common.Set("MessageStatus", "delivered")
	common.Set("SmsStatus", "delivered")
	common.Set("RawDlrDoneDate", "2611241200")
	if diff := cmp.Diff(common, got[1].params); diff != "" {
		t.Errorf("second callback (-want +got):\n%s", diff)
	}
	for _, callback := range got {
		if callback.target != "/hook/status-callback?relay=a%2Fb&n=1" {
			t.Errorf("posted to %s", callback.target)
		}
		if callback.header.Get("I-Twilio-Idempotency-Token") == "" {
			t.Error("no idempotency token")
		}
	}
	if got[0].header.Get("I-Twilio-Idempotency-Token") == got[1].header.Get("I-Twilio-Idempotency-Token") {
		t.Error("two callbacks share an idempotency token")
	}
}

func TestOutcomes(t *testing.T) {
	tests := []struct {
		to       string
		statuses []string
		code     any
	}{
		{string(carrier), []string{"sent", "delivered"}, nil},
		{"+15005550101", []string{"sent", "undelivered"}, 30003.0},
		{"+15005550102", []string{"sent", "undelivered"}, 30005.0},
		{"+15005550103", []string{"sent", "undelivered"}, 30006.0},
		{"+15005550104", []string{"sent", "undelivered"}, 30004.0},
		{"+15005550105", []string{"failed"}, 30007.0},
		{"+15005550106", []string{"sent", "undelivered"}, 30008.0},
		{"+15005550107", []string{"failed"}, 30001.0},
		{"+15005550110", []string{"sent"}, nil},
		{"+15005550111", nil, nil},
	}
	for _, test := range tests {
		t.Run(test.to, func(t *testing.T) {
			account, app := start(t), receive(t, nil)
			sid := account.mustCreate(t, params("To", test.to, "StatusCallback", app.url))
			account.settle(t)
			var statuses []string
			for _, callback := range app.webhooks() {
				statuses = append(statuses, callback.params.Get("MessageStatus"))
				wantCode := ""
				if test.code != nil && len(statuses) == len(test.statuses) {
					wantCode = fmt.Sprint(test.code)
				}
				if got := callback.params.Get("ErrorCode"); got != wantCode {
					t.Errorf("%s: ErrorCode %q, want %q", statuses[len(statuses)-1], got, wantCode)
				}
			}
			if diff := cmp.Diff(test.statuses, statuses); diff != "" {
				t.Errorf("callbacks (-want +got):\n%s", diff)
			}
			resource := account.fetch(t, sid)
			if resource["error_code"] != test.code || (resource["error_message"] == nil) != (test.code == nil) {
				t.Errorf("error_code %v, error_message %v, want code %v", resource["error_code"], resource["error_message"], test.code)
			}
		})
	}
}

func TestDateSentIsWhenTheMessageLeavesTheQueue(t *testing.T) {
	account := start(t)
	for to, want := range map[string]any{
		"+15005550111": nil, // stays queued
		"+15005550105": nil, // failed before it left
		"+15005550110": "Tue, 24 Nov 2026 12:00:00 +0000",
	} {
		sid := account.mustCreate(t, params("To", to))
		account.settle(t)
		if got := account.fetch(t, sid)["date_sent"]; got != want {
			t.Errorf("%s: date_sent %v, want %v", to, got, want)
		}
	}
}

func TestOutcomesCanBeReplaced(t *testing.T) {
	account := start(t, func(c *twiliofake.Config) {
		c.Outcomes = map[sms.PhoneNumber]twiliofake.Outcome{carrier: {Status: sms.StatusFailed, ErrorCode: 30034}}
	})
	failing := account.mustCreate(t, params())
	passing := account.mustCreate(t, params("To", "+15005550101"))
	account.settle(t)
	if got := account.fetch(t, failing); got["status"] != "failed" || got["error_code"] != 30034.0 {
		t.Errorf("named number: %v %v", got["status"], got["error_code"])
	}
	if got := account.fetch(t, passing); got["status"] != "delivered" {
		t.Errorf("number no longer named: %v", got["status"])
	}
}

func TestMessagingServiceMessagesAreQueuedFirst(t *testing.T) {
	account, app := start(t), receive(t, nil)
	sid := account.mustCreate(t, params("From", "", "MessagingServiceSid", serviceSid, "StatusCallback", app.url))
	account.settle(t)
	var statuses []string
	for _, callback := range app.webhooks() {
		statuses = append(statuses, callback.params.Get("MessageStatus"))
		if callback.params.Get("MessagingServiceSid") != serviceSid || callback.params.Get("From") != string(ours) {
			t.Errorf("callback %v", callback.params)
		}
	}
	if diff := cmp.Diff([]string{"queued", "sent", "delivered"}, statuses); diff != "" {
		t.Errorf("callbacks (-want +got):\n%s", diff)
	}
	if got := account.fetch(t, sid); got["from"] != string(ours) || got["num_segments"] != "1" {
		t.Errorf("from %v, num_segments %v", got["from"], got["num_segments"])
	}
}

func TestReceiptsToIsForMessagesWithoutCallback(t *testing.T) {
	standard, own := receive(t, nil), receive(t, nil)
	account := start(t, func(c *twiliofake.Config) { c.ReceiptsTo = standard.url })
	account.mustCreate(t, params())
	account.mustCreate(t, params("StatusCallback", own.url))
	account.settle(t)
	if a, b := len(standard.webhooks()), len(own.webhooks()); a != 2 || b != 2 {
		t.Errorf("%d and %d callbacks, want 2 and 2", a, b)
	}
}

func TestWithoutCallbackTheStatusMovesOn(t *testing.T) {
	account := start(t)
	sid := account.mustCreate(t, params())
	account.clock.Advance(time.Minute)
	account.settle(t)
	got := account.fetch(t, sid)
	if got["status"] != "delivered" || got["date_sent"] == nil {
		t.Errorf("status %v, date_sent %v", got["status"], got["date_sent"])
	}
	if callbacks := account.Callbacks(); len(callbacks) != 0 {
		t.Errorf("callbacks %+v", callbacks)
	}
}

func TestCallbacksAndEventsAreObserved(t *testing.T) {
	var seen events
	account := start(t, func(c *twiliofake.Config) { c.OnEvent = seen.observe })
	app := receive(t, func(n int, w http.ResponseWriter) { w.WriteHeader(http.StatusNoContent + 300*(n-1)) })
	sid := account.mustCreate(t, params("StatusCallback", app.url+"/cb?x=1#rc=0"))
	account.settle(t)

	got := account.Callbacks()
	for i := range got {
		got[i].Params = nil
	}
	want := []twiliofake.Callback{
		{MessageSid: sid, Status: sms.StatusSent, URL: app.url + "/cb?x=1", Attempts: 1, StatusCode: 204, At: noon},
		{MessageSid: sid, Status: sms.StatusDelivered, URL: app.url + "/cb?x=1", Attempts: 1, StatusCode: 504, WebhookErrorCode: 11200, At: noon},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("callbacks (-want +got):\n%s", diff)
	}
	kinds := []twiliofake.EventKind{
		twiliofake.EventMessageCreated,
		twiliofake.EventStatusChanged, twiliofake.EventCallback,
		twiliofake.EventStatusChanged, twiliofake.EventCallback,
	}
	if diff := cmp.Diff(kinds, seen.kinds()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	last := seen.all()[4]
	if last.StatusCode != 504 || last.ErrorCode != 11200 || last.Attempts != 1 || last.Message.Status != sms.StatusDelivered {
		t.Errorf("last event %+v", last)
	}
}

// TestManyMessagesAtOnce has several callers create messages side by side: each message's callbacks come once and in
// order.
func TestManyMessagesAtOnce(t *testing.T) {
	const callers, each = 8, 25
	account, app := start(t), receive(t, nil)
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			for range each {
				if got := account.create(t, params("StatusCallback", app.url)); got.status != http.StatusCreated {
					t.Errorf("create: %v", got.body)
				}
			}
		})
	}
	group.Wait()
	account.settle(t)

	statuses := map[string][]string{}
	for _, callback := range app.webhooks() {
		sid := callback.params.Get("MessageSid")
		statuses[sid] = append(statuses[sid], callback.params.Get("MessageStatus"))
	}
	if len(statuses) != callers*each {
		t.Errorf("callbacks of %d messages, want %d", len(statuses), callers*each)
	}
	for sid, got := range statuses {
		if diff := cmp.Diff([]string{"sent", "delivered"}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", sid, diff)
		}
	}
}

func TestCallbacksAtOnceAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		under, most := 0, 0
		change := func(by int) {
			mu.Lock()
			defer mu.Unlock()
			under += by
			most = max(most, under)
		}
		account := inBubble(t, func(r *http.Request) (*http.Response, error) {
			change(1)
			defer change(-1)
			return answeringAfter(0, time.Second)(r)
		}, func(c *twiliofake.Config) { c.Posts = 3 })
		for range 10 {
			account.create(t, params("StatusCallback", "http://app.example.com/"))
		}
		if err := account.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if most != 3 || len(account.Callbacks()) != 20 {
			t.Errorf("%d at once and %d in all, want 3 and 20", most, len(account.Callbacks()))
		}
	})
}

func TestStepDelayPassesBeforeEachStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		account, began := inBubble(t, nil, func(c *twiliofake.Config) { c.StepDelay = 10 * time.Second }), time.Now()
		account.create(t, params())
		time.Sleep(10*time.Second - time.Millisecond)
		if got := account.Messages()[0].Status; got != sms.StatusQueued {
			t.Errorf("just before the first step: %s", got)
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if got := account.Messages()[0].Status; got != sms.StatusSent {
			t.Errorf("after the first step: %s", got)
		}
		if err := account.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		if got := time.Since(began); got != 20*time.Second {
			t.Errorf("delivered after %s", got)
		}
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		account := inBubble(t, nil, func(c *twiliofake.Config) { c.StepDelay = time.Hour })
		account.create(t, params())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := account.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func TestCloseEndsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		posts := 0
		account := inBubble(t, func(*http.Request) (*http.Response, error) {
			posts++
			return nil, errors.New("unexpected")
		}, func(c *twiliofake.Config) { c.StepDelay = time.Hour })
		account.create(t, params("StatusCallback", "http://app.example.com/"))
		account.Close()
		account.Close()
		if posts != 0 || time.Since(began) != 0 {
			t.Errorf("%d posts, after %s", posts, time.Since(began))
		}
		if got := account.create(t, params()); got != http.StatusServiceUnavailable {
			t.Errorf("create after Close: %d", got)
		}
		if got := len(account.Messages()); got != 1 {
			t.Errorf("%d messages, want 1", got)
		}
	})
}

// TestCloseDoesNotWaitForEver closes while a webhook hangs that heeds no cancellation.
func TestCloseDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		account := inBubble(t, func(*http.Request) (*http.Response, error) {
			<-release
			return nil, errors.New("released")
		})
		account.create(t, params("StatusCallback", "http://app.example.com/"))
		synctest.Wait()
		began := time.Now()
		account.Close()
		if got := time.Since(began); got != 5*time.Second {
			t.Errorf("closed after %s", got)
		}
		close(release)
	})
}
