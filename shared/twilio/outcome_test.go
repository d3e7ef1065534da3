package twilio

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
)

// createFails sends outbound and returns how that failed, having checked what is true of every failure.
func createFails(ctx context.Context, t *testing.T, c *Client) *fault.Error {
	t.Helper()
	created, err := c.Create(ctx, outbound)
	if err == nil {
		t.Fatalf("Create() = %+v, want an error", created)
	}
	checkNothingLeaks(t, err)
	classified, ok := errors.AsType[*fault.Error](err)
	if !ok {
		t.Fatalf("Create(): %v (%T) has no *fault.Error in its chain", err, err)
	}
	return classified
}

// drop ends a connection without an answer.
func drop(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// Whatever the server answers, it is asked once: a POST is never repeated and a redirect never followed.
func TestCreateOutcomes(t *testing.T) {
	const html = "<html>Sorry, +18585550199: try again</html>"
	const date = "Date: Wed, 21 Oct 2026 07:28:00 GMT"
	whole := message(t, nil)
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   fault.Error
	}{
		{"connection dropped after the request was read", drop, fault.Error{Kind: fault.Unknown}},
		{"201 cut in the middle of its JSON", answer(201, whole[:len(whole)/2]), fault.Error{Kind: fault.Unknown, HTTPStatus: 201}},
		{"201 shorter than it says", answer(201, whole, "Content-Length: 5000"), fault.Error{Kind: fault.Unknown, HTTPStatus: 201}},
		{"201 with an empty object", answer(201, "{}"), fault.Error{Kind: fault.Unknown, HTTPStatus: 201}},
		{"201 with what is no Sid", answer(201, `{"sid":"<script>"}`), fault.Error{Kind: fault.Unknown, HTTPStatus: 201}},
		{"201 with another thing's Sid", answer(201, `{"sid":"`+testAccount+`"}`), fault.Error{Kind: fault.Unknown, HTTPStatus: 201}},
		{"201 with a Sid and more", answer(201, `{"sid":"`+testSid+`0"}`), fault.Error{Kind: fault.Unknown, HTTPStatus: 201}},
		{"201 with an empty Sid", answer(201, `{"sid":""}`), fault.Error{Kind: fault.Unknown, HTTPStatus: 201}},
		{"201 with null", answer(201, "null"), fault.Error{Kind: fault.Unknown, HTTPStatus: 201}},
		{"201 with an array", answer(201, "["+whole+"]"), fault.Error{Kind: fault.Unknown, HTTPStatus: 201}},
		{"201 with an error in it", answer(201, refusal(t, 21211, 400)), fault.Error{Kind: fault.Unknown, HTTPStatus: 201}},
		{"201 without a body", answer(201, ""), fault.Error{Kind: fault.Unknown, HTTPStatus: 201}},
		{"200 with HTML", answer(200, html), fault.Error{Kind: fault.Unknown, HTTPStatus: 200}},
		{
			"200 that is too long", answer(200, `{"sid":"`+testSid+`","body":"`+strings.Repeat("x", maxAnswer)+`"}`),
			fault.Error{Kind: fault.Unknown, HTTPStatus: 200},
		},
		{"204", answer(204, ""), fault.Error{Kind: fault.Unknown, HTTPStatus: 204}},
		{"302 to itself", answer(302, "", "Location: "+messagesPath), fault.Error{Kind: fault.Unknown, HTTPStatus: 302}},
		{"307 to itself", answer(307, whole, "Location: "+messagesPath), fault.Error{Kind: fault.Unknown, HTTPStatus: 307}},
		{
			"400 with a permanent code", answer(400, refusal(t, 21212, 400)),
			fault.Error{Kind: fault.Permanent, HTTPStatus: 400, Code: 21212},
		},
		{
			"400 with a recipient's code", answer(400, refusal(t, 21211, 400)),
			fault.Error{Kind: fault.Unreachable, HTTPStatus: 400, Code: 21211},
		},
		{
			"400, the recipient has opted out", answer(400, refusal(t, 21610, 400)),
			fault.Error{Kind: fault.OptedOut, HTTPStatus: 400, Code: 21610},
		},
		{
			"400 with a code that nobody knows", answer(400, refusal(t, 99999, 400)),
			fault.Error{Kind: fault.Permanent, HTTPStatus: 400, Code: 99999},
		},
		{"400 with HTML", answer(400, html), fault.Error{Kind: fault.NotSent, HTTPStatus: 400}},
		{"400 with a code that is no number", answer(400, `{"code":"21211"}`), fault.Error{Kind: fault.NotSent, HTTPStatus: 400}},
		{"400 with a code that is not Twilio's", answer(400, `{"code":400}`), fault.Error{Kind: fault.NotSent, HTTPStatus: 400}},
		{"405 with HTML", answer(405, html), fault.Error{Kind: fault.Fatal, HTTPStatus: 405}},
		{"407 with HTML", answer(407, html), fault.Error{Kind: fault.Fatal, HTTPStatus: 407}},
		{"413 with HTML", answer(413, html), fault.Error{Kind: fault.NotSent, HTTPStatus: 413}},
		{"418 with HTML", answer(418, html), fault.Error{Kind: fault.NotSent, HTTPStatus: 418}},
		{"413 of Twilio's", answer(413, refusal(t, 20413, 413)), fault.Error{Kind: fault.Permanent, HTTPStatus: 413, Code: 20413}},
		{
			"400 shorter than it says", answer(400, refusal(t, 21211, 400), "Content-Length: 5000"),
			fault.Error{Kind: fault.Transient, HTTPStatus: 400},
		},
		{"400 that is too long", answer(400, strings.Repeat(" ", maxAnswer+1)), fault.Error{Kind: fault.NotSent, HTTPStatus: 400}},
		{"401", answer(401, refusal(t, 20003, 401)), fault.Error{Kind: fault.Fatal, HTTPStatus: 401, Code: 20003}},
		{"401 with HTML", answer(401, html), fault.Error{Kind: fault.Fatal, HTTPStatus: 401}},
		{"403 of a key that may not", answer(403, refusal(t, 70051, 403)), fault.Error{Kind: fault.Fatal, HTTPStatus: 403, Code: 70051}},
		{"403 with HTML", answer(403, html), fault.Error{Kind: fault.Fatal, HTTPStatus: 403}},
		{"404 with HTML", answer(404, html), fault.Error{Kind: fault.Fatal, HTTPStatus: 404}},
		{"408", answer(408, html), fault.Error{Kind: fault.Unknown, HTTPStatus: 408}},
		{
			"429 with a wait", answer(429, refusal(t, 20429, 429), "Retry-After: 7"),
			fault.Error{Kind: fault.Throttled, HTTPStatus: 429, Code: 20429, RetryAfter: 7 * time.Second},
		},
		{
			"429 with HTML and a date", answer(429, html, date, "Retry-After: Wed, 21 Oct 2026 07:29:30 GMT"),
			fault.Error{Kind: fault.Throttled, HTTPStatus: 429, RetryAfter: 90 * time.Second},
		},
		{
			"429 without a wait", answer(429, refusal(t, 20429, 429)),
			fault.Error{Kind: fault.Throttled, HTTPStatus: 429, Code: 20429},
		},
		{
			"429 of a quota", answer(429, refusal(t, 63038, 429)),
			fault.Error{Kind: fault.Quota, HTTPStatus: 429, Code: 63038, RetryAfter: quotaWait},
		},
		{
			"400, the sender's queue is full", answer(400, refusal(t, 21611, 400)),
			fault.Error{Kind: fault.Throttled, HTTPStatus: 400, Code: 21611, RetryAfter: fullQueueWait},
		},
		{"500 with JSON", answer(500, refusal(t, 20500, 500)), fault.Error{Kind: fault.Unknown, HTTPStatus: 500, Code: 20500}},
		{
			"503 with HTML", answer(503, html, "Retry-After: 1"),
			fault.Error{Kind: fault.Unknown, HTTPStatus: 503, RetryAfter: time.Second},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, test.answer)
			got := createFails(t.Context(), t, newClient(t, s.URL))
			if got.Kind != test.want.Kind || got.Code != test.want.Code || got.HTTPStatus != test.want.HTTPStatus ||
				got.RetryAfter != test.want.RetryAfter {
				t.Errorf("Create() is %s (wait %s), want %s (wait %s)", got, got.RetryAfter, &test.want, test.want.RetryAfter)
			}
			if requests := s.seen(); len(requests) != 1 {
				t.Errorf("%d requests reached the server, want 1: %v", len(requests), requests)
			}
		})
	}
}

// The operator reads in the record why an outcome is unknown.
func TestCreateSaysWhatIsWrongWithTheAnswer(t *testing.T) {
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"dropped", drop, "create message: unknown: request was sent, no answer: EOF"},
		{
			"cut short", answer(201, message(t, nil), "Content-Length: 5000"),
			"create message: unknown, status 201: answer was cut short: unexpected EOF",
		},
		{
			"too long", answer(201, strings.Repeat(" ", maxAnswer)+message(t, nil)),
			"create message: unknown, status 201: answer is longer than 4194304 bytes",
		},
		{"no JSON", answer(201, "<html>"), "create message: unknown, status 201: answer is not the JSON that was expected"},
		{"no Sid", answer(201, "{}"), "create message: unknown, status 201: answer names no message"},
		{"refused", answer(400, refusal(t, 21610, 400)), "create message: opted_out, code 21610, status 400: recipient has opted out"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := newClient(t, serve(t, test.answer).URL).Create(t.Context(), outbound)
			if err == nil || err.Error() != test.want {
				t.Errorf("Create(): %v, want %s", err, test.want)
			}
		})
	}
}

func TestCreateAtARedirectToAnotherHost(t *testing.T) {
	other := serve(t, answer(201, message(t, nil)))
	s := serve(t, answer(307, "", "Location: "+other.URL+messagesPath))
	if got := createFails(t.Context(), t, newClient(t, s.URL)); got.Kind != fault.Unknown {
		t.Errorf("Create() is %s, want unknown", got)
	}
	if len(other.seen()) != 0 {
		t.Error("the redirect was followed, credentials and all")
	}
}

func TestCreateWithoutAConnection(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	tests := []struct{ name, url string }{
		{"dial refused", closed.URL},
		{"a certificate that nobody vouches for", untrusted.URL},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := createFails(t.Context(), t, newClient(t, test.url)); got.Kind != fault.NotSent {
				t.Errorf("Create() is %s, want not_sent", got)
			}
		})
	}
}

// Faults of our own host come before Twilio has anything, too.
func TestCreateWhereTheHostHasTrouble(t *testing.T) {
	for name, cause := range map[string]error{
		"too many open files": syscall.EMFILE, "no buffer space": syscall.ENOBUFS, "no route": syscall.EHOSTUNREACH, "no memory": syscall.ENOMEM,
		"no such name":     &net.DNSError{Err: "no such host", Name: "api.twilio.com", IsNotFound: true},
		"name server down": &net.DNSError{Err: "i/o timeout", IsTimeout: true},
	} {
		t.Run(name, func(t *testing.T) {
			transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: cause}
			}}
			got := createFails(t.Context(), t, newClient(t, "http://127.0.0.1:9", func(c *Config) { c.Transport = transport }))
			if got.Kind != fault.NotSent || !errors.Is(got, cause) {
				t.Errorf("Create() is %s, want not_sent and %v", got, cause)
			}
		})
	}
}

// What is no HTTP is quoted by net/http in its error, and must not be quoted in ours.
func TestCreateWhereTheAnswerIsNoHTTP(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Errorf("hijack: %v", err)
			return
		}
		_, _ = io.WriteString(conn, "+18585550199-sofa\r\n\r\n")
		_ = conn.Close()
	})
	if got := createFails(t.Context(), t, newClient(t, s.URL)); got.Kind != fault.Unknown || got.HTTPStatus != 0 {
		t.Errorf("Create() is %s, want unknown without a status", got)
	}
	if len(s.seen()) != 1 {
		t.Errorf("%d requests reached the server, want 1", len(s.seen()))
	}
}

func TestCreateWhenTheContextEnds(t *testing.T) {
	t.Run("before the call: not sent", func(t *testing.T) {
		s := serve(t, answer(201, message(t, nil)))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		got := createFails(ctx, t, newClient(t, s.URL))
		if got.Kind != fault.NotSent || !errors.Is(got, context.Canceled) {
			t.Errorf("Create() is %s, want not_sent and context.Canceled", got)
		}
		if len(s.seen()) != 0 {
			t.Error("a request reached the server")
		}
	})
	t.Run("while connecting: not sent", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			cancel()
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		got := createFails(ctx, t, newClient(t, "http://127.0.0.1:9", func(c *Config) { c.Transport = transport }))
		if got.Kind != fault.NotSent || !errors.Is(got, context.Canceled) {
			t.Errorf("Create() is %s, want not_sent and context.Canceled", got)
		}
	})
	t.Run("after the request was read: unknown", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
			cancel()
			<-r.Context().Done()
		})
		got := createFails(ctx, t, newClient(t, s.URL))
		if got.Kind != fault.Unknown || !errors.Is(got, context.Canceled) {
			t.Errorf("Create() is %s, want unknown and context.Canceled", got)
		}
		if len(s.seen()) != 1 {
			t.Errorf("%d requests reached the server, want 1", len(s.seen()))
		}
	})
	t.Run("in the middle of the answer: unknown", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		whole := message(t, nil)
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, whole[:len(whole)/2])
			_ = http.NewResponseController(w).Flush()
			cancel()
			<-r.Context().Done()
		})
		if got := createFails(ctx, t, newClient(t, s.URL)); got.Kind != fault.Unknown {
			t.Errorf("Create() is %s, want unknown", got)
		}
	})
}

// Time stands still in the bubble until everyone waits, so the deadlines are exact.
func TestCreateDeadline(t *testing.T) {
	tests := []struct {
		name          string
		timeout, left time.Duration
		want          time.Duration
	}{
		{"8 s unless configured", 0, time.Minute, 8 * time.Second},
		{"the configured timeout", 3 * time.Second, time.Minute, 3 * time.Second},
		{"the context's if that is earlier", 3 * time.Second, 2 * time.Second, 2 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				silent := roundTrip(func(r *http.Request) (*http.Response, error) {
					if _, err := io.Copy(io.Discard, r.Body); err != nil {
						return nil, err
					}
					<-r.Context().Done()
					return nil, r.Context().Err()
				})
				c := newClient(t, "", func(c *Config) { c.Transport, c.Timeout = silent, test.timeout })
				ctx, cancel := context.WithTimeout(t.Context(), test.left)
				defer cancel()
				start := time.Now()
				got := createFails(ctx, t, c)
				if waited := time.Since(start); waited != test.want {
					t.Errorf("Create() gave up after %s, want %s", waited, test.want)
				}
				if got.Kind != fault.Unknown || !errors.Is(got, context.DeadlineExceeded) {
					t.Errorf("Create() is %s, want unknown and context.DeadlineExceeded", got)
				}
			})
		})
	}
}
