package webhook_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// checkPlain holds an answer that says no more than its status against what it may be.
func checkPlain(t *testing.T, response events.APIGatewayV2HTTPResponse, status int) {
	t.Helper()
	headers := map[string]string{"content-type": "text/plain; charset=utf-8"}
	if allow, ok := response.Headers["allow"]; ok && status == http.StatusMethodNotAllowed {
		headers["allow"] = allow
	}
	want := events.APIGatewayV2HTTPResponse{StatusCode: status, Headers: headers, Body: http.StatusText(status) + "\n"}
	if diff := cmp.Diff(want, response); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

// refused sends a request that must not get through.
func refused(t *testing.T, r events.APIGatewayV2HTTPRequest, status int, reason string) events.APIGatewayV2HTTPResponse {
	t.Helper()
	f := newFront(t)
	response, line := f.handle(r)
	checkPlain(t, response, status)
	if line["level"] != "WARN" || line["msg"] != "webhook refused" || line["reason"] != reason || line["source_ip"] != sourceIP ||
		line["status"] != float64(status) {
		t.Errorf("log line %v, want reason %q", line, reason)
	}
	if got := f.measurement(); got != "Rejected Reason="+reason {
		t.Errorf("measurement %q, want reason %q", got, reason)
	}
	if n := len(f.queue.Messages()); n != 0 {
		t.Errorf("queue holds %d messages of a refused request", n)
	}
	return response
}

// with returns a signed text that edit has spoilt afterwards.
func with(edit func(r *events.APIGatewayV2HTTPRequest)) events.APIGatewayV2HTTPRequest {
	r := sign(post(webhook.PathInbound, "", text(nil).Encode()), base, token)
	edit(&r)
	return r
}

func TestSignatureIsWrong(t *testing.T) {
	for name, r := range map[string]events.APIGatewayV2HTTPRequest{
		"missing": with(func(r *events.APIGatewayV2HTTPRequest) { delete(r.Headers, "x-twilio-signature") }),
		"empty":   with(func(r *events.APIGatewayV2HTTPRequest) { r.Headers["x-twilio-signature"] = "" }),
		"garbage": with(func(r *events.APIGatewayV2HTTPRequest) {
			r.Headers["x-twilio-signature"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAA="
		}),
		"twice": with(func(r *events.APIGatewayV2HTTPRequest) {
			r.Headers["x-twilio-signature"] += "," + r.Headers["x-twilio-signature"]
		}),
		"blank behind":      with(func(r *events.APIGatewayV2HTTPRequest) { r.Headers["x-twilio-signature"] += " " }),
		"stranger's token":  sign(post(webhook.PathInbound, "", text(nil).Encode()), base, "fake-token-of-a-stranger"),
		"empty token":       sign(post(webhook.PathInbound, "", text(nil).Encode()), base, ""),
		"the Host header's": sign(post(webhook.PathInbound, "", text(nil).Encode()), "https://stranger.example.net", token),
		"plain http":        sign(post(webhook.PathInbound, "", text(nil).Encode()), "http://relay.example.com", token),
		"other host case":   sign(post(webhook.PathInbound, "", text(nil).Encode()), "https://RELAY.example.com", token),
		"body changed":      with(func(r *events.APIGatewayV2HTTPRequest) { r.Body = strings.Replace(r.Body, "4711", "0815", 1) }),
		"parameter added":   with(func(r *events.APIGatewayV2HTTPRequest) { r.Body += "&To=%2B18585550199" }),
		"parameter removed": with(func(r *events.APIGatewayV2HTTPRequest) { r.Body = strings.Replace(r.Body, "NumMedia=0&", "", 1) }),
		"value trimmed":     with(func(r *events.APIGatewayV2HTTPRequest) { r.Body = strings.Replace(r.Body, "please", "please+", 1) }),
		"query added":       with(func(r *events.APIGatewayV2HTTPRequest) { r.RawQueryString = "a=1" }),
		"query rewritten": func() events.APIGatewayV2HTTPRequest {
			r := sign(post(webhook.PathInbound, "a=%7e", text(nil).Encode()), base, token)
			r.RawQueryString = "a=~"
			return r
		}(),
		"other route's": with(func(r *events.APIGatewayV2HTTPRequest) { r.RawPath = sms.CallbackPath }),
		"body marked base64": with(func(r *events.APIGatewayV2HTTPRequest) {
			r.Body, r.IsBase64Encoded = base64.StdEncoding.EncodeToString([]byte("MessageSid=SM1")), true
		}),
		"signed as a GET": with(func(r *events.APIGatewayV2HTTPRequest) {
			r.Headers["x-twilio-signature"] = sign(post(webhook.PathInbound, "", ""), base, token).Headers["x-twilio-signature"]
		}),
		"of an empty body": with(func(r *events.APIGatewayV2HTTPRequest) { r.Body = "" }),
		"header in upper case": with(func(r *events.APIGatewayV2HTTPRequest) {
			r.Headers = map[string]string{"content-type": formType, "X-Twilio-Signature-Key-Sid": "x"}
		}),
	} {
		t.Run(name, func(t *testing.T) { refused(t, r, http.StatusForbidden, "signature") })
	}
}

// The operator is told why, in words that Twilio's own request does not choose.
func TestSignatureIsExplainedToTheOperator(t *testing.T) {
	for want, r := range map[string]events.APIGatewayV2HTTPRequest{
		"no X-Twilio-Signature":    post(webhook.PathInbound, "", text(nil).Encode()),
		"signature does not match": sign(post(webhook.PathInbound, "", text(nil).Encode()), base, "fake-token-of-a-stranger"),
	} {
		f := newFront(t)
		if _, line := f.handle(r); line["error"] != want {
			t.Errorf("log line says %v, want %q", line["error"], want)
		}
	}
}

func TestContentTypeIsWrong(t *testing.T) {
	for _, contentType := range []string{
		"", "text/plain", "application/json", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded-not", "application/*",
		"application/json; " + formType, "/", "*/*",
	} {
		t.Run(contentType, func(t *testing.T) {
			refused(t, with(func(r *events.APIGatewayV2HTTPRequest) { r.Headers["content-type"] = contentType }),
				http.StatusUnsupportedMediaType, "content_type")
		})
	}
	t.Run("missing", func(t *testing.T) {
		refused(t, with(func(r *events.APIGatewayV2HTTPRequest) { delete(r.Headers, "content-type") }),
			http.StatusUnsupportedMediaType, "content_type")
	})
}

// ofSize returns a signed text whose body has exactly n bytes.
func ofSize(n int) events.APIGatewayV2HTTPRequest {
	body := text(nil).Encode() + "&Padding="
	return sign(post(webhook.PathInbound, "", body+strings.Repeat("x", n-len(body))), base, token)
}

func TestSizeOfBody(t *testing.T) {
	const most = 64 * 1024
	for n := most - 3; n <= most; n++ {
		for name, r := range map[string]events.APIGatewayV2HTTPRequest{"plain": ofSize(n), "base64": gateway(ofSize(n))} {
			f := newFront(t)
			response, _ := f.handle(r)
			checkAccepted(t, response)
			if t.Failed() {
				t.Fatalf("%s of %d bytes", name, n)
			}
		}
	}
	for n := most + 1; n <= most+5; n++ {
		refused(t, ofSize(n), http.StatusRequestEntityTooLarge, "too_large")
		refused(t, gateway(ofSize(n)), http.StatusRequestEntityTooLarge, "too_large")
	}
}

// The bound comes before everything that costs: such a body is neither decoded nor hashed, no matter who sent it.
func TestSizeComesFirst(t *testing.T) {
	huge := strings.Repeat("%", 6<<20)
	for name, r := range map[string]events.APIGatewayV2HTTPRequest{
		"no form at all":     post(webhook.PathInbound, "", huge),
		"no base64 at all":   {RawPath: webhook.PathInbound, Body: huge, IsBase64Encoded: true},
		"all padding":        {RawPath: webhook.PathInbound, Body: "AAAA" + strings.Repeat("A", 1<<20) + "==", IsBase64Encoded: true},
		"on the other route": post(sms.CallbackPath, "", huge),
	} {
		t.Run(name, func(t *testing.T) {
			r.RequestContext.HTTP.Method, r.RequestContext.HTTP.SourceIP = "POST", sourceIP
			refused(t, r, http.StatusRequestEntityTooLarge, "too_large")
		})
	}
}

// signedForm signs a form from which edit removed something.
func signedForm(edit func(form url.Values)) events.APIGatewayV2HTTPRequest {
	return sign(post(webhook.PathInbound, "", text(edit).Encode()), base, token)
}

func TestUnparsable(t *testing.T) {
	form := text(nil).Encode()
	base64With := func(body string) events.APIGatewayV2HTTPRequest {
		return with(func(r *events.APIGatewayV2HTTPRequest) { r.Body, r.IsBase64Encoded = body, true })
	}
	without := func(name string) events.APIGatewayV2HTTPRequest {
		return signedForm(func(form url.Values) { form.Del(name) })
	}
	empty := func(name string) events.APIGatewayV2HTTPRequest {
		return signedForm(func(form url.Values) { form.Set(name, "") })
	}
	sid := func(sid string) events.APIGatewayV2HTTPRequest {
		return signedForm(func(form url.Values) { form.Set("MessageSid", sid) })
	}
	for name, r := range map[string]events.APIGatewayV2HTTPRequest{
		"escape cut off":           sign(post(webhook.PathInbound, "", form+"&Tag=%4"), base, token),
		"escape of no digits":      sign(post(webhook.PathInbound, "", form+"&Tag=%zz"), base, token),
		"escape in a name":         sign(post(webhook.PathInbound, "", form+"&%=1"), base, token),
		"too many parameters":      sign(post(webhook.PathInbound, "", form+strings.Repeat("&a=1", 1000)), base, token),
		"base64 with a stranger":   base64With("TWVzc2FnZVNpZD1TTTE*"),
		"base64 cut off":           base64With("TWVzc2FnZVNpZD1TTT"),
		"base64 of URLs":           base64With("_-__"),
		"no MessageSid":            without("MessageSid"),
		"MessageSid empty":         empty("MessageSid"),
		"MessageSid with blanks":   sid(" " + relaytest.MessageSid(1)),
		"MessageSid of a path":     sid("../" + relaytest.MessageSid(1)),
		"MessageSid without end":   sid("SM" + strings.Repeat("0", 200)),
		"MessageSid with a NUL":    sid(relaytest.MessageSid(1) + "\x00"),
		"MessageSid in lower case": sid("sm" + relaytest.MessageSid(1)[2:]),
		"MessageSid of digits":     sid("12" + relaytest.MessageSid(1)[2:]),
		"MessageSid of no script":  sid("SM०००"),
		"nothing at all":           sign(post(webhook.PathInbound, "", ""), base, token),
		"callback without Sid":     sign(post(sms.CallbackPath, callbackQuery, "MessageStatus=sent"), base, token),
	} {
		t.Run(name, func(t *testing.T) { refused(t, r, http.StatusBadRequest, "malformed") })
	}
}

func TestMethodIsWrong(t *testing.T) {
	for path, allowed := range map[string]string{
		webhook.PathInbound: "GET, POST", webhook.PathStatusCallback: "POST",
		webhook.PathHealth: "GET",
	} {
		for _, method := range []string{"GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "post", ""} {
			if strings.Contains(", "+allowed+",", ", "+method+",") && method != "" {
				continue
			}
			t.Run(method+" "+path, func(t *testing.T) {
				r := sign(post(path, "", text(nil).Encode()), base, token)
				r.RequestContext.HTTP.Method = method
				response := refused(t, r, http.StatusMethodNotAllowed, "method")
				if response.Headers["allow"] != allowed {
					t.Errorf("allow %q, want %q", response.Headers["allow"], allowed)
				}
			})
		}
	}
}

func TestPathIsUnknown(t *testing.T) {
	for _, path := range []string{
		"", "/", "/sms", "/sms/inbound/", "//sms/inbound", "/SMS/inbound", "/sms/inbound%2F", "/sms/%69nbound", "/sms/relay", "/sms/status",
		"/sms/inbound/..", "/stage/sms/inbound", "/sms/inbound?a", "/sms/health/x",
	} {
		for _, method := range []string{"GET", "POST", "OPTIONS"} {
			t.Run(method+" "+path, func(t *testing.T) {
				r := sign(post(path, "", text(nil).Encode()), base, token)
				r.RequestContext.HTTP.Method = method
				response := refused(t, r, http.StatusNotFound, "path")
				if _, ok := response.Headers["allow"]; ok {
					t.Error("an unknown path names methods")
				}
			})
		}
	}
}

// A request with several faults is refused for the one that costs least to find.
func TestCheapChecksComeFirst(t *testing.T) {
	bad := post(webhook.PathInbound, "", strings.Repeat("%", webhook.MaxBody+1))
	bad.Headers["content-type"] = "application/json"
	refused(t, bad, http.StatusRequestEntityTooLarge, "too_large")
	bad.Body = "%"
	refused(t, bad, http.StatusUnsupportedMediaType, "content_type")
	bad.Headers["content-type"] = formType
	refused(t, bad, http.StatusForbidden, "signature")
}

// Twilio signs names and values with nothing in between, so that one signature fits many forms. An attacker who got hold of a
// signed request may cut it up differently, and must not make a text of another identity of it: it would be sent again.
func TestSignedFormCutUpDifferently(t *testing.T) {
	form := text(nil)
	original := sign(post(webhook.PathInbound, "", form.Encode()), base, token)
	recut := text(func(form url.Values) {
		// "MessageSid" "SM…" "NumMedia" "0" is signed like "MessageSid" "SM…NumMedia0".
		form.Set("MessageSid", form.Get("MessageSid")+"NumMedia"+form.Get("NumMedia"))
		form.Del("NumMedia")
	})
	again := post(webhook.PathInbound, "", recut.Encode())
	again.Headers["x-twilio-signature"] = original.Headers["x-twilio-signature"]
	f := newFront(t)
	response, _ := f.handle(original)
	checkAccepted(t, response)
	response, _ = f.handle(again)
	checkPlain(t, response, http.StatusBadRequest)
	f.queued()
}
