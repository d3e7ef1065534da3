package webhook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

func checkAccepted(t *testing.T, response events.APIGatewayV2HTTPResponse) {
	t.Helper()
	want := events.APIGatewayV2HTTPResponse{
		StatusCode: http.StatusOK, Headers: map[string]string{"content-type": "text/xml"}, Body: emptyTwiML,
	}
	if diff := cmp.Diff(want, response); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

func TestSignedTextIsQueued(t *testing.T) {
	plain := text(nil).Encode()
	for name, r := range map[string]events.APIGatewayV2HTTPRequest{
		"as the gateway hands it over":    gateway(sign(post(webhook.PathInbound, "", plain), base, token)),
		"body not in base64":              sign(post(webhook.PathInbound, "", plain), base, token),
		"older token":                     sign(post(webhook.PathInbound, "", plain), base, oldToken),
		"other base URL":                  sign(post(webhook.PathInbound, "", plain), oldBase, token),
		"other base URL, older token":     sign(post(webhook.PathInbound, "", plain), oldBase, oldToken),
		"port 443 signed":                 sign(post(webhook.PathInbound, "", plain), base+":443", token),
		"port of the other base unsigned": sign(post(webhook.PathInbound, "", plain), "https://old.example.com/stage", token),
		"raw query":                       sign(post(webhook.PathInbound, "b=%7e&a=1+2&a=1%202&empty=&=&%zz", plain), base, token),
		"parameter twice, alike":          sign(post(webhook.PathInbound, "", plain+"&FromZip=1&FromZip=1"), base, token),
		"parameter twice, unlike":         sign(post(webhook.PathInbound, "", "Tag=b&Tag=a&"+plain+"&Tag=b&Tag="), base, token),
		"empty pairs and a nameless one":  sign(post(webhook.PathInbound, "", "&&=&"+plain+"&"), base, token),
		"lower-case escapes":              sign(post(webhook.PathInbound, "", strings.ReplaceAll(plain, "%2B", "%2b")), base, token),
		"raw semicolon in a value":        sign(post(webhook.PathInbound, "", plain+"&FromCity=a;b"), base, token),
	} {
		t.Run(name, func(t *testing.T) {
			f := newFront(t)
			response, _ := f.handle(r)
			checkAccepted(t, response)
			envelope, _ := f.queued()
			if envelope.RelayID != relaytest.MessageSid(1) || envelope.Message.Body != text(nil).Get("Body") {
				t.Errorf("queued %+v", envelope)
			}
		})
	}
}

func TestContentTypeOfAForm(t *testing.T) {
	for _, contentType := range []string{
		formType, formType + "; charset=UTF-8", formType + ";charset=\"utf-8\"", strings.ToUpper(formType), "  " + formType + " ", formType + ";",
		formType + "; charset",
	} {
		t.Run(contentType, func(t *testing.T) {
			f := newFront(t)
			r := signedText(text(nil))
			r.Headers["content-type"] = contentType
			response, _ := f.handle(r)
			checkAccepted(t, response)
		})
	}
}

// Values are kept to the last blank, and in the text's own characters.
func TestTextIsKeptAsItIs(t *testing.T) {
	for name, body := range map[string]string{
		"blanks around":        "  \t " + secretText + " \r\n ",
		"only blanks":          "   ",
		"empty":                "",
		"plus, amp, percent":   "1+1=2 & 100% of %41",
		"emoji and accents":    "Schlüssel 🗝️ für das Tor, naïve café",
		"noncharacters":        "\uFFFE \uFFFF \uFFFD",
		"control characters":   "a\x00b\x01c\x1bd\x7f",
		"XML and JSON":         `<Message>"}],{\u0041</Message>`,
		"Unicode's separators": "a\u2028b\u2029c",
		"1600 of four bytes":   strings.Repeat("🙂", 800),
		"longer than Twilio's": strings.Repeat("x", 5000),
	} {
		t.Run(name, func(t *testing.T) {
			f := newFront(t)
			response, _ := f.handle(signedText(text(func(form url.Values) { form.Set("Body", body) })))
			checkAccepted(t, response)
			if envelope, _ := f.queued(); envelope.Message.Body != body {
				t.Errorf("queued body %q, want %q", envelope.Message.Body, body)
			}
		})
	}
}

// What is no UTF-8 still gets through: SQS would refuse it for ever.
func TestTextThatIsNoUTF8(t *testing.T) {
	f := newFront(t)
	response, _ := f.handle(signedText(text(func(form url.Values) { form.Set("Body", "caf\xe9 \xff\xfe") })))
	checkAccepted(t, response)
	if envelope, _ := f.queued(); envelope.Message.Body != "caf\uFFFD \uFFFD\uFFFD" {
		t.Errorf("queued body %q", envelope.Message.Body)
	}
}

func TestAddressesAreKept(t *testing.T) {
	for name, from := range map[string]string{
		"E.164": "+18585550111", "short code": "24365", "alphanumeric": "QuickDump", "alphanumeric with blank": "Quick Dump",
		"WhatsApp": "whatsapp:+18585550111", "RCS": "rcs:quickdump_agent", "Messenger": "messenger:105018",
		"blanks around": " +18585550111 ", "punctuation": "+1 (858) 555-0111",
	} {
		t.Run(name, func(t *testing.T) {
			f := newFront(t)
			to := "whatsapp:+18585550100"
			response, _ := f.handle(signedText(text(func(form url.Values) {
				form.Set("From", from)
				form.Set("To", to)
			})))
			checkAccepted(t, response)
			envelope, delivery := f.queued()
			if string(envelope.Message.From) != from || string(envelope.Message.To) != to {
				t.Errorf("queued from %q to %q, want %q and %q", envelope.Message.From, envelope.Message.To, from, to)
			}
			if delivery.Group != envelope.Group() {
				t.Errorf("group %q, want that of the addresses, %q", delivery.Group, envelope.Group())
			}
		})
	}
}

func TestMediaAndCounts(t *testing.T) {
	link := func(i int) string { return fmt.Sprintf("https://api.twilio.com/media/%d", i) }
	pictures := func(n int) []sms.Media {
		list := make([]sms.Media, n)
		for i := range list {
			list[i] = sms.Media{URL: link(i), ContentType: "image/jpeg"}
		}
		return list
	}
	attach := func(form url.Values, n int) {
		for i := range n {
			form.Set(fmt.Sprintf("MediaUrl%d", i), link(i))
			form.Set(fmt.Sprintf("MediaContentType%d", i), "image/jpeg")
		}
	}
	for name, tt := range map[string]struct {
		numMedia string
		attached int
		want     []sms.Media
	}{
		"none":                              {"0", 0, nil},
		"one":                               {"1", 1, pictures(1)},
		"ten":                               {"10", 10, pictures(10)},
		"count too high":                    {"7", 2, pictures(2)},
		"count far too high":                {"2000000000", 2, pictures(2)},
		"count beyond all numbers":          {"99999999999999999999999", 0, nil},
		"count negative":                    {"-1", 0, nil},
		"count no number":                   {"many", 0, nil},
		"count empty":                       {"", 0, nil},
		"count without any":                 {"3", 0, nil},
		"more than Twilio's most":           {"11", 11, pictures(10)},
		"count in hexadecimal is no number": {"0x2", 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFront(t)
			response, _ := f.handle(signedText(text(func(form url.Values) {
				form.Set("NumMedia", tt.numMedia)
				form.Set("NumSegments", tt.numMedia)
				form.Set("Body", "")
				attach(form, tt.attached)
			})))
			checkAccepted(t, response)
			envelope, _ := f.queued()
			if diff := cmp.Diff(tt.want, envelope.Message.Media); diff != "" {
				t.Errorf("media (-want +got):\n%s", diff)
			}
			if envelope.Message.NumSegments < 0 {
				t.Errorf("NumSegments %d", envelope.Message.NumSegments)
			}
		})
	}
}

// A lying count costs attachments at most, never the text.
func TestMediaUnderstated(t *testing.T) {
	for _, numMedia := range []string{"0", "", "none"} {
		f := newFront(t)
		response, _ := f.handle(signedText(text(func(form url.Values) {
			form.Set("NumMedia", numMedia)
			form.Set("MediaUrl0", "https://api.twilio.com/media/0")
		})))
		checkAccepted(t, response)
		f.queued()
	}
}

func TestParametersRead(t *testing.T) {
	f := newFront(t)
	f.clock.Advance(1500*time.Millisecond + time.Nanosecond)
	form := text(func(form url.Values) {
		form.Set("MessagingServiceSid", "MG00000000000000000000000000000001")
		form.Set("OptOutType", "STOP")
		form.Set("NumSegments", "3")
		form.Set("AddOns", `{"status":"successful"}`)
		form.Set("Unheard-Of[]", "x")
	})
	response, line := f.handle(signedText(form))
	checkAccepted(t, response)
	envelope, _ := f.queued()
	want := queue.Envelope{
		Version: queue.Version, Kind: queue.KindInbound, RelayID: relaytest.MessageSid(1), ReceivedAt: f.clock.Now(),
		Message: &sms.Message{
			Sid: relaytest.MessageSid(1), AccountSid: "AC00000000000000000000000000000001",
			MessagingServiceSid: "MG00000000000000000000000000000001", From: relaytest.Customer, To: relaytest.TwilioNumber,
			Body: form.Get("Body"), NumSegments: 3, OptOutType: "STOP",
		},
	}
	if diff := cmp.Diff(want, envelope); diff != "" {
		t.Errorf("envelope (-want +got):\n%s", diff)
	}
	delete(line, "time")
	wantLine := map[string]any{
		"level": "INFO", "msg": "webhook accepted", "method": "POST", "path": "/sms/inbound", "status": 200.0, "took_ms": 0.0,
		"message_sid": relaytest.MessageSid(1), "twilio_number": "***0100", "customer": "***0111",
	}
	if diff := cmp.Diff(wantLine, line); diff != "" {
		t.Errorf("log line (-want +got):\n%s", diff)
	}
	if got := f.measurement(); got != "Accepted Kind=inbound" {
		t.Errorf("measurement %q", got)
	}
}

// TestGolden pins what goes on the queue: group, deduplication id and body.
func TestGolden(t *testing.T) {
	for name, r := range map[string]events.APIGatewayV2HTTPRequest{
		"inbound.json": signedText(text(func(form url.Values) {
			form.Set("NumMedia", "1")
			form.Set("MediaUrl0", "https://api.twilio.com/media/0")
			form.Set("MediaContentType0", "image/png")
			form.Set("OptOutType", "HELP")
			form.Set("Body", "Tor offen? <3 & \uFFFE\x00🙂 ")
		})),
		"receipt.json": signedCallback(callbackQuery, func() url.Values {
			form := callback("undelivered")
			form.Set("ErrorCode", "30003")
			return form
		}()),
	} {
		t.Run(name, func(t *testing.T) {
			f := newFront(t)
			f.handle(r)
			_, delivery := f.queued()
			got, err := json.MarshalIndent(map[string]any{
				"Group": delivery.Group, "DeduplicationID": delivery.DeduplicationID, "Body": delivery.Body, "Attributes": delivery.Attributes,
			}, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(golden(t, name, string(got)+"\n"), string(got)+"\n"); diff != "" {
				t.Errorf("queue's message (-want +got):\n%s", diff)
			}
		})
	}
}

// Twilio comes again, or to the fallback URL, or both at once: one text.
func TestRepeatsAreQueuedOnce(t *testing.T) {
	f := newFront(t)
	var all sync.WaitGroup
	statuses := make([]int, 8)
	f.Emit = telemetry.Discard
	f.Logger = slog.New(slog.DiscardHandler)
	for i := range statuses {
		all.Go(func() {
			response, err := f.Handle(t.Context(), signedText(text(nil)))
			if err == nil {
				statuses[i] = response.StatusCode
			}
		})
	}
	all.Wait()
	for i, status := range statuses {
		if status != http.StatusOK {
			t.Errorf("request %d: status %d", i, status)
		}
	}
	f.queued()
}

// 200 is a promise: whatever the queue says but yes is a 503.
func TestQueueRefuses(t *testing.T) {
	for _, kind := range []fault.Kind{fault.Unknown, fault.Transient, fault.Throttled, fault.Permanent, fault.Fatal} {
		for _, when := range []string{"before Send", "after Send"} {
			for name, r := range map[string]events.APIGatewayV2HTTPRequest{
				"text": signedText(text(nil)), "callback": signedCallback(callbackQuery, callback("delivered")),
			} {
				t.Run(kind.String()+" "+when+" "+name, func(t *testing.T) {
					f := newFront(t)
					broken := true
					f.queue.Fault = func(op string) error {
						if broken && op == when {
							return &fault.Error{Kind: kind, Err: context.DeadlineExceeded}
						}
						return nil
					}
					response, line := f.handle(r)
					checkPlain(t, response, http.StatusServiceUnavailable)
					if line["level"] != "ERROR" || line["msg"] != "webhook not queued" || line["error"] == nil {
						t.Errorf("log line %v", line)
					}
					if got := f.measurement(); got != "Unavailable" {
						t.Errorf("measurement %q", got)
					}
					broken = false
					response, _ = f.handle(r)
					if response.StatusCode >= 300 {
						t.Errorf("second time: status %d", response.StatusCode)
					}
					f.queued()
				})
			}
		}
	}
}

func TestRequestThatWasGivenUp(t *testing.T) {
	f := newFront(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	response, err := f.Handle(ctx, signedText(text(nil)))
	if err != nil || response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("status %d, error %v; want 503: the queue does not hold it", response.StatusCode, err)
	}
}
