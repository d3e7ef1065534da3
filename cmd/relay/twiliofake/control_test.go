package twiliofake_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
)

func TestControlInbound(t *testing.T) {
	app := receive(t, nil)
	account := start(t, func(c *twiliofake.Config) { c.Webhook.URL = app.url })
	got := account.do(t, http.MethodPost, account.url+"/fake/inbound", url.Values{
		"From": {string(customer)}, "To": {string(ours)}, "Body": {"Sofa"}, "MediaUrl": {"https://example.com/a", "https://example.com/b"},
	})
	sid := "MM00000000000000000000000000000001"
	want := map[string]any{
		"message_sid": sid, "taken": true, "url": app.url, "status_code": 200.0, "content_type": "text/xml",
		"body": "<Response/>", "attempts": 1.0, "replies": []any{}, "errors": []any{},
	}
	if diff := cmp.Diff(want, got.body); diff != "" || got.status != http.StatusOK {
		t.Errorf("status %d (-want +got):\n%s", got.status, diff)
	}
	if posted := app.webhooks()[0].params; posted.Get("Body") != "Sofa" || posted.Get("NumMedia") != "2" {
		t.Errorf("webhook %v", posted)
	}
}

func TestControlInboundTellsOfFailures(t *testing.T) {
	app := receive(t, func(_ int, w http.ResponseWriter) { w.WriteHeader(http.StatusForbidden) })
	account := start(t, func(c *twiliofake.Config) { c.Webhook.URL = app.url })
	got := account.do(t, http.MethodPost, account.url+"/fake/inbound", url.Values{"From": {string(customer)}, "To": {string(ours)}})
	want := []any{map[string]any{"code": 11200.0, "url": app.url, "status_code": 403.0, "reason": "HTTP status 403"}}
	if diff := cmp.Diff(want, got.body["errors"]); diff != "" || got.body["taken"] != false {
		t.Errorf("accepted %v, errors (-want +got):\n%s", got.body["taken"], diff)
	}
	for name, params := range map[string]url.Values{
		"no From": {"To": {string(ours)}},
		"no To":   {"From": {string(customer)}},
	} {
		if got := account.do(t, http.MethodPost, account.url+"/fake/inbound", params); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d %v", name, got.status, got.body)
		}
	}
}

func TestControlMessages(t *testing.T) {
	account, app := start(t), receive(t, nil)
	sid := account.mustCreate(t, params("StatusCallback", app.url))
	account.settle(t)
	got := account.do(t, http.MethodGet, account.url+"/fake/messages", nil)
	if diff := cmp.Diff([]any{account.fetch(t, sid)}, got.body["messages"]); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	callback := func(status string) map[string]any {
		return map[string]any{
			"message_sid": sid, "message_status": status, "url": app.url, "attempts": 1.0, "status_code": 200.0, "webhook_error_code": 0.0,
		}
	}
	if diff := cmp.Diff([]any{callback("sent"), callback("delivered")}, got.body["callbacks"]); diff != "" {
		t.Errorf("callbacks (-want +got):\n%s", diff)
	}
}
