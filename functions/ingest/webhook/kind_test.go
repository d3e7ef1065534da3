package webhook_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/twilio/signature"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// signedGet is a webhook of a number that is set to GET: all of it is in the query, and Twilio signs the URL.
func signedGet(path string, form url.Values) events.APIGatewayV2HTTPRequest {
	r := request("GET", path, form.Encode())
	r.Headers["x-twilio-signature"] = signature.SignURL(token, base+path+"?"+r.RawQueryString)
	return r
}

// checkWarned holds the line of a text that was taken although something is wrong about the request.
func checkWarned(t *testing.T, line map[string]any, about string) {
	t.Helper()
	problem, _ := line["error"].(string)
	if line["level"] != "WARN" || line["msg"] != "webhook accepted" || !strings.Contains(problem, about) {
		t.Errorf("log line %v, want a warning about %q", line, about)
	}
}

// What a signed request is, its parameters say: a text is kept wherever it comes, in whichever way.
func TestTextIsTakenWhereverItComes(t *testing.T) {
	bare := func(form url.Values) { form.Del("SmsStatus"); form.Set("Body", "") }
	for name, tt := range map[string]struct {
		request events.APIGatewayV2HTTPRequest
		warning string
	}{
		"GET":                                {signedGet(webhook.PathInbound, text(nil)), ""},
		"GET without a body":                 {signedGet(webhook.PathInbound, text(func(form url.Values) { form.Del("Body") })), ""},
		"GET at the health's path":           {signedGet(webhook.PathHealth, text(nil)), "another address"},
		"at the receipts' path":              {signedCallback("", text(nil)), "another address"},
		"at the receipts' path, with a ref":  {signedCallback(callbackQuery, text(nil)), "another address"},
		"at the receipts' path, blank":       {signedCallback("", text(bare)), "another address"},
		"at the receipts' path, no body":     {signedCallback("", text(func(form url.Values) { form.Del("Body") })), "another address"},
		"with a status of incoming messages": {signedText(text(func(form url.Values) { form.Set("MessageStatus", "received") })), ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFront(t)
			response, line := f.handle(tt.request)
			checkAccepted(t, response)
			envelope, _ := f.queued()
			if envelope.Kind != queue.KindInbound || envelope.RelayID != relaytest.MessageSid(1) || envelope.Message.From != relaytest.Customer {
				t.Errorf("queued %+v", envelope)
			}
			if got := f.measurement(); got != "Accepted Kind=inbound" {
				t.Errorf("measurement %q", got)
			}
			if tt.warning != "" {
				checkWarned(t, line, tt.warning)
			} else if line["level"] != "INFO" {
				t.Errorf("log line %v", line)
			}
		})
	}
}

// A GET with Twilio's parameters is a webhook, and needs its signature like any other.
func TestTextByGetIsForged(t *testing.T) {
	for name, edit := range map[string]func(r *events.APIGatewayV2HTTPRequest){
		"no signature":    func(r *events.APIGatewayV2HTTPRequest) { delete(r.Headers, "x-twilio-signature") },
		"wrong signature": func(r *events.APIGatewayV2HTTPRequest) { r.Headers["x-twilio-signature"] = "x" },
		"changed":         func(r *events.APIGatewayV2HTTPRequest) { r.RawQueryString += "&Body=more" },
		"with a body":     func(r *events.APIGatewayV2HTTPRequest) { r.Body = "Body=more" },
	} {
		t.Run(name, func(t *testing.T) {
			r := signedGet(webhook.PathInbound, text(nil))
			edit(&r)
			refused(t, r, http.StatusForbidden, "signature")
		})
	}
	t.Run("without MessageSid", func(t *testing.T) {
		refused(t, signedGet(webhook.PathInbound, url.Values{"Body": {"hi"}}), http.StatusBadRequest, "malformed")
	})
	t.Run("at the receipts' path", func(t *testing.T) {
		// No route leads there on AWS. Twilio asks the fallback URL after such an answer.
		refused(t, signedGet(webhook.PathStatusCallback, text(nil)), http.StatusMethodNotAllowed, "method")
	})
}

// A receipt is never relayed as a blank text.
func TestReceiptAtTheTextsPath(t *testing.T) {
	old := callback("delivered")
	old.Del("MessageStatus")
	for name, r := range map[string]events.APIGatewayV2HTTPRequest{
		"as Twilio sends it":  gateway(sign(post(webhook.PathInbound, callbackQuery, callback("delivered").Encode()), base, token)),
		"with SmsStatus only": gateway(sign(post(webhook.PathInbound, callbackQuery, old.Encode()), base, token)),
	} {
		t.Run(name, func(t *testing.T) {
			f := newFront(t)
			response, line := f.handle(r)
			if response.StatusCode != http.StatusNoContent {
				t.Errorf("status %d", response.StatusCode)
			}
			envelope, _ := f.queued()
			if envelope.Kind != queue.KindReceipt || envelope.Receipt.Status != sms.StatusDelivered || line["level"] != "INFO" {
				t.Errorf("queued %+v, log line %v", envelope, line)
			}
		})
	}
	t.Run("of another system", func(t *testing.T) {
		f := newFront(t)
		response, _ := f.handle(gateway(sign(post(webhook.PathInbound, "", callback("sent").Encode()), base, token)))
		checkNoContent(t, response)
		if n := len(f.queue.Messages()); n != 0 {
			t.Errorf("queue holds %d messages", n)
		}
	})
}

// A text without its addresses is kept: Twilio does not send it again after a 400.
func TestTextWithoutAddressesIsKept(t *testing.T) {
	for name, edit := range map[string]func(form url.Values){
		"no From":          func(form url.Values) { form.Del("From") },
		"From empty":       func(form url.Values) { form.Set("From", "") },
		"From blank":       func(form url.Values) { form.Set("From", " \t") },
		"From without end": func(form url.Values) { form.Set("From", "+1"+strings.Repeat("5", 3000)) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFront(t)
			response, line := f.handle(signedText(text(edit)))
			checkAccepted(t, response)
			envelope, _ := f.queued()
			if envelope.Message.From != "" || envelope.Message.To != relaytest.TwilioNumber || envelope.Message.Body != text(nil).Get("Body") {
				t.Errorf("queued %+v", envelope.Message)
			}
			checkWarned(t, line, "no From or no To")
		})
	}
	for name, edit := range map[string]func(form url.Values){
		"no To":    func(form url.Values) { form.Del("To") },
		"To empty": func(form url.Values) { form.Set("To", "") },
		"neither":  func(form url.Values) { form.Del("To"); form.Del("From") },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFront(t)
			response, line := f.handle(signedText(text(edit)))
			checkAccepted(t, response)
			if envelope, _ := f.queued(); envelope.Message.To != "" {
				t.Errorf("queued %+v", envelope.Message)
			}
			checkWarned(t, line, "no From or no To")
		})
	}
}
