package httpapi_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/onehost/httpapi"
)

func TestUnknownPaths(t *testing.T) {
	for _, path := range []string{
		"/", "/sms", "/sms/", "/sms/inbound/", "/sms/Inbound", "/sms/inbound/x", "/sms//inbound", "/sms/%69nbound",
		"/x/../sms/inbound",
	} {
		t.Run(path, func(t *testing.T) {
			s := newStage()
			wantMessage(t, s.ask(http.MethodGet, path, "", "Authorization", "Bearer "+token), http.StatusNotFound)
			if s.ran() > 0 {
				t.Error("the function ran")
			}
		})
	}
}

// TestMethodsAreTheFunctionsOwn: all but OPTIONS reach it.
func TestMethodsAreTheFunctionsOwn(t *testing.T) {
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "BREW"} {
		t.Run(method, func(t *testing.T) {
			s := newStage()
			s.ask(method, openPath, "")
			got := s.got(t)
			if got.RequestContext.HTTP.Method != method || got.RouteKey != method+" "+openPath {
				t.Errorf("method %q, route key %q", got.RequestContext.HTTP.Method, got.RouteKey)
			}
		})
	}
}

// TestFunctionsSayNothingOfCORS: who may read an answer is the gateway's to say.
func TestFunctionsSayNothingOfCORS(t *testing.T) {
	t.Parallel()
	const page = "https://quickdumpnow.com"
	s := newStage(func(c *httpapi.Config) { c.AllowedOrigins = []string{page} })
	s.answers(events.APIGatewayV2HTTPResponse{
		StatusCode: http.StatusOK,
		Headers:    map[string]string{"Access-Control-Allow-Origin": "*", "ACCESS-CONTROL-MAX-AGE": "1", "X-Kept": "one"},
		MultiValueHeaders: map[string][]string{
			"access-control-allow-credentials": {"true"}, "Access-Control-Allow-Methods": {"DELETE"}, "X-Kept-Too": {"two"},
		},
	})
	for origin, allowed := range map[string]string{page: page, "https://elsewhere.example": "", "": ""} {
		got := s.ask(http.MethodGet, openPath, "", "Origin", origin).Header()
		for name, want := range map[string]string{
			"Access-Control-Allow-Origin": allowed, "Access-Control-Max-Age": "", "Access-Control-Allow-Credentials": "",
			"Access-Control-Allow-Methods": "", "X-Kept": "one", "X-Kept-Too": "two",
		} {
			if got.Get(name) != want {
				t.Errorf("from %q: %s is %q, want %q", origin, name, got.Get(name), want)
			}
		}
	}
}

func TestPreflight(t *testing.T) {
	const page, other = "https://quickdumpnow.com", "https://elsewhere.example"
	permission := map[string]string{
		"Access-Control-Allow-Origin": page, "Access-Control-Allow-Methods": "GET,POST,OPTIONS",
		"Access-Control-Allow-Headers": "authorization,content-type", "Access-Control-Max-Age": "300", "Vary": "Origin",
	}
	everyone := map[string]string{
		"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "GET,POST,OPTIONS",
		"Access-Control-Allow-Headers": "authorization,content-type", "Access-Control-Max-Age": "300", "Vary": "",
	}
	none := map[string]string{
		"Access-Control-Allow-Origin": "", "Access-Control-Allow-Methods": "", "Access-Control-Allow-Headers": "", "Access-Control-Max-Age": "",
	}
	for _, tt := range []struct {
		name, path, origin string
		allowed            []string
		want               map[string]string
	}{
		{"an allowed page", operatorPath, page, []string{other, page}, permission},
		{"any page", operatorPath, page, []string{"*"}, everyone},
		{"a page not allowed", operatorPath, other, []string{page}, none},
		{"a page whose name only begins like it", operatorPath, page + ".example", []string{page}, none},
		{"a page over http", operatorPath, "http://quickdumpnow.com", []string{page}, none},
		{"nobody is allowed", operatorPath, page, nil, none},
		{"no page", operatorPath, "", []string{page}, none},
		{"an open route", openPath, page, []string{page}, permission},
		{"no route", "/sms/nothing", page, []string{page}, permission},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage(func(c *httpapi.Config) { c.AllowedOrigins = tt.allowed })
			var headers []string
			if tt.origin != "" {
				headers = []string{"Origin", tt.origin, "Access-Control-Request-Method", "POST"}
			}
			w := s.ask(http.MethodOptions, tt.path, "", headers...)
			if w.Code != http.StatusNoContent || w.Body.Len() > 0 {
				t.Errorf("status %d, body %q; want 204 and none", w.Code, w.Body)
			}
			for name, want := range tt.want {
				compare(t, name, want, w.Header().Get(name))
			}
			if s.ran() > 0 {
				t.Error("the function ran")
			}
		})
	}
}

// TestAnswersArePermitted: the page has to be let read what it gets, refusals too.
func TestAnswersArePermitted(t *testing.T) {
	const page = "https://quickdumpnow.com"
	allow := func(c *httpapi.Config) { c.AllowedOrigins = []string{page} }
	for name, path := range map[string]string{"an answer": openPath, "a refusal": operatorPath, "no route": "/sms/nothing"} {
		t.Run(name, func(t *testing.T) {
			compare(t, "permission", page, newStage(allow).ask(http.MethodGet, path, "", "Origin", page).Header().Get("Access-Control-Allow-Origin"))
			compare(t, "permission of another", "",
				newStage(allow).ask(http.MethodGet, path, "", "Origin", "https://elsewhere.example").Header().Get("Access-Control-Allow-Origin"))
			compare(t, "permission of none", "", newStage(allow).ask(http.MethodGet, path, "").Header().Get("Access-Control-Allow-Origin"))
		})
	}
}

func TestBearerToken(t *testing.T) {
	for _, tt := range []struct {
		name, configured, header string
		open                     bool
	}{
		{"the token", token, "Bearer " + token, true},
		{"the scheme in lower case", token, "bearer " + token, true},
		{"the scheme in capitals", token, "BEARER " + token, true},
		{"no header", token, "", false},
		{"another token", token, "Bearer wrong", false},
		{"the token's start", token, "Bearer " + token[:len(token)-1], false},
		{"the token and more", token, "Bearer " + token + "x", false},
		{"the token in capitals", token, "Bearer " + strings.ToUpper(token), false},
		{"no scheme", token, token, false},
		{"no token", token, "Bearer", false},
		{"an empty token", token, "Bearer ", false},
		{"another scheme", token, "Basic " + token, false},
		{"user and password", token, "Basic " + base64.StdEncoding.EncodeToString([]byte("x:"+token)), false},
		{"none is configured, none is sent", "", "", false},
		{"none is configured, an empty one is sent", "", "Bearer ", false},
		{"none is configured, the scheme alone is sent", "", "Bearer", false},
		{"none is configured, one is sent", "", "Bearer " + token, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage(func(c *httpapi.Config) { c.OperatorToken = tt.configured })
			var headers []string
			if tt.header != "" {
				headers = []string{"Authorization", tt.header}
			}
			w := s.ask(http.MethodPost, operatorPath, "{}", headers...)
			if tt.open {
				compare(t, "status", http.StatusOK, w.Code)
				compare(t, "runs", 1, s.ran())
				return
			}
			s.wantClosed(t, w)
		})
	}
}

// wantClosed fails unless the answer is a refusal that gives nothing away.
func (s stage) wantClosed(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	compare(t, "status", http.StatusUnauthorized, w.Code)
	compare(t, "content type", "application/problem+json", w.Header().Get("Content-Type"))
	compare(t, "challenge", `Bearer realm="relay"`, w.Header().Get("WWW-Authenticate"))
	compare(t, "runs", 0, s.ran())
	var problem struct {
		Type, Title, Detail string
		Status              int
	}
	if err := json.Unmarshal(w.Body.Bytes(), &problem); err != nil || problem.Status != w.Code || problem.Title != "Unauthorized" ||
		problem.Type != "about:blank" {
		t.Errorf("problem document %s: %v", w.Body, err)
	}
	if strings.Contains(w.Body.String(), token) || strings.Contains(s.logged.String(), token) {
		t.Error("the token shows")
	}
}

// TestTokenIsForOperatorRoutesOnly: the open ones are open with a wrong one, too, and two headers are not two chances.
func TestTokenIsForOperatorRoutesOnly(t *testing.T) {
	s := newStage()
	if w := s.ask(http.MethodPost, openPath, "", "Authorization", "Bearer wrong"); w.Code != http.StatusOK {
		t.Errorf("status of an open route is %d", w.Code)
	}
	s = newStage()
	s.wantClosed(t, s.ask(http.MethodPost, operatorPath, "", "Authorization", "Bearer wrong", "Authorization", "Bearer "+token))
}

func TestFunctionThatFails(t *testing.T) {
	for name, function := range map[string]httpapi.Function{
		"an error": func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
			return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusOK, Body: "internal-4711"}, errors.New("internal-4711")
		},
		"a panic": func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
			panic("internal-4711")
		},
		"a runtime error": func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
			panic(errors.New("internal-4711"))
		},
		"an aborted reply": func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
			panic(http.ErrAbortHandler)
		},
		"no base64": func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
			return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusOK, Body: "{internal-4711}", IsBase64Encoded: true}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage()
			*s.answer = function
			wantMessage(t, s.ask(http.MethodPost, openPath, ""), http.StatusInternalServerError)
			s.answers(events.APIGatewayV2HTTPResponse{StatusCode: http.StatusOK})
			if w := s.ask(http.MethodPost, openPath, ""); w.Code != http.StatusOK {
				t.Errorf("status of the next request is %d", w.Code)
			}
			if name != "no base64" && !strings.Contains(s.logged.String(), `"level":"ERROR"`) {
				t.Errorf("logged: %s", s.logged)
			}
		})
	}
}

// TestOperatorsGetProblemDocuments also for what no function answers.
func TestOperatorsGetProblemDocuments(t *testing.T) {
	s := newStage(func(c *httpapi.Config) { c.MaxBody = 10 })
	*s.answer = func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		panic("internal-4711")
	}
	for body, status := range map[string]int{"{}": http.StatusInternalServerError, strings.Repeat("x", 11): http.StatusRequestEntityTooLarge} {
		w := s.ask(http.MethodPost, operatorPath, body, "Authorization", "Bearer "+token)
		var problem struct {
			Type, Title string
			Status      int
		}
		err := json.Unmarshal(w.Body.Bytes(), &problem)
		if err != nil || w.Code != status || problem.Status != status || problem.Title != http.StatusText(status) ||
			problem.Type != "about:blank" {
			t.Errorf("answered %d %s, %v; want a problem document of %d", w.Code, w.Body, err, status)
		}
		compare(t, "content type", "application/problem+json", w.Header().Get("Content-Type"))
	}
}

// TestStatusThatIsNone: net/http would panic over it, behind the gateway's own guard.
func TestStatusThatIsNone(t *testing.T) {
	for _, status := range []int{-1, 7, 99, 1000} {
		s := newStage()
		s.answers(events.APIGatewayV2HTTPResponse{StatusCode: status})
		func() {
			defer func() {
				if cause := recover(); cause != nil {
					t.Errorf("status %d of a function panics: %v", status, cause)
				}
			}()
			wantMessage(t, s.ask(http.MethodGet, openPath, ""), http.StatusInternalServerError)
		}()
	}
}

// TestTimeout: a function has 30 seconds, as behind the gateway.
func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		*s.answer = func(ctx context.Context, _ events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
			<-ctx.Done()
			return events.APIGatewayV2HTTPResponse{}, ctx.Err()
		}
		start := time.Now()
		wantMessage(t, s.ask(http.MethodGet, openPath, ""), http.StatusInternalServerError)
		compare(t, "time that the function had", 30*time.Second, time.Since(start))
	})
}

func TestResponse(t *testing.T) {
	s := newStage()
	s.answers(events.APIGatewayV2HTTPResponse{
		StatusCode: http.StatusTeapot,
		Headers:    map[string]string{"content-type": "text/xml", "x-one": "1"},
		MultiValueHeaders: map[string][]string{
			"x-many": {"a", "b"},
		},
		Body: base64.StdEncoding.EncodeToString([]byte("\x00\xff")), IsBase64Encoded: true,
	})
	w := s.ask(http.MethodGet, openPath, "")
	compare(t, "status", http.StatusTeapot, w.Code)
	compare(t, "body", "\x00\xff", w.Body.String())
	compare(t, "headers", http.Header{"Content-Type": {"text/xml"}, "X-One": {"1"}, "X-Many": {"a", "b"}}, w.Header())
}

// TestResponseWithoutAStatus is a 200, as at the gateway.
func TestResponseWithoutAStatus(t *testing.T) {
	s := newStage()
	s.answers(events.APIGatewayV2HTTPResponse{Body: "done"})
	w := s.ask(http.MethodGet, openPath, "")
	compare(t, "status", http.StatusOK, w.Code)
	compare(t, "body", "done", w.Body.String())
}

// TestResponseCookies: format 2.0 has a field of its own for them, each becomes a Set-Cookie header.
func TestResponseCookies(t *testing.T) {
	s := newStage()
	s.answers(events.APIGatewayV2HTTPResponse{StatusCode: http.StatusOK, Cookies: []string{"a=1; Secure", "b=2"}})
	compare(t, "cookies", []string{"a=1; Secure", "b=2"}, s.ask(http.MethodGet, openPath, "").Header().Values("Set-Cookie"))
}

// TestNoBodyOnTheWire: 204 has none, whatever the function says.
func TestNoBodyOnTheWire(t *testing.T) {
	s := newStage()
	s.answers(events.APIGatewayV2HTTPResponse{StatusCode: http.StatusNoContent, Body: "ignored"})
	answer := s.wire(t, "POST /sms/inbound HTTP/1.1", "Host: relay.example.com", "Connection: close", "Content-Length: 0", "", "")
	if !strings.HasPrefix(answer, "HTTP/1.1 204 No Content\r\n") || strings.Contains(answer, "ignored") {
		t.Errorf("on the wire: %q", answer)
	}
}

// TestManyRequestsAtOnce, which the race detector watches: each gets its own answer.
func TestManyRequestsAtOnce(t *testing.T) {
	s := newStage()
	*s.answer = func(_ context.Context, r events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		if r.Body == "panic" {
			panic(r.Body)
		}
		return events.APIGatewayV2HTTPResponse{Body: r.Body}, nil
	}
	var group sync.WaitGroup
	for n := range 32 {
		group.Go(func() {
			body, want := strings.Repeat("x", n), http.StatusOK
			if n%8 == 0 {
				body, want = "panic", http.StatusInternalServerError
			}
			w := s.ask(http.MethodPost, openPath, body, "Content-Type", "text/plain")
			if w.Code != want || want == http.StatusOK && w.Body.String() != body {
				t.Errorf("status %d, body %q", w.Code, w.Body)
			}
		})
	}
	group.Wait()
}

// TestRefusedOperatorsAreLogged: someone may be guessing the token, and no word of what was guessed is to be logged.
func TestRefusedOperatorsAreLogged(t *testing.T) {
	for name, tt := range map[string]struct{ token, header, reason, detail string }{
		"no token":     {"right", "", "no_token", "send the operator token"},
		"wrong token":  {"right", "Bearer guessed", "wrong_token", "this is not the operator token"},
		"closed":       {"", "Bearer guessed", "closed", "RELAY_OPERATOR_TOKEN is not set"},
		"closed to no": {"", "", "closed", "RELAY_OPERATOR_TOKEN is not set"},
	} {
		t.Run(name, func(t *testing.T) {
			var logged strings.Builder
			g := httpapi.New(httpapi.Config{
				Routes: []httpapi.Route{{Path: "/sms/status", Operator: true}}, OperatorToken: tt.token,
				Now: time.Now, NewID: func() string { return "id" }, Logger: slog.New(slog.NewJSONHandler(&logged, nil)),
			})
			r := httptest.NewRequest(http.MethodGet, "/sms/status", http.NoBody)
			if tt.header != "" {
				r.Header.Set("Authorization", tt.header)
			}
			answer := httptest.NewRecorder()
			g.ServeHTTP(answer, r)
			line := logged.String()
			if answer.Code != http.StatusUnauthorized || strings.Count(line, "\n") != 1 || !strings.Contains(line, `"reason":"`+tt.reason+`"`) ||
				strings.Contains(line, "guessed") {
				t.Errorf("answer %d, log %q", answer.Code, line)
			}
			if body := answer.Body.String(); !strings.Contains(body, tt.detail) {
				t.Errorf("body %q, want %q in it", body, tt.detail)
			}
		})
	}
}

// TestARouteOfItsOwnSize takes more than the others, and no more than that.
func TestARouteOfItsOwnSize(t *testing.T) {
	s := newStage(func(c *httpapi.Config) { c.MaxBody, c.Routes[0].MaxBody = 10, 20 })
	if w := s.ask(http.MethodPost, openPath, strings.Repeat("x", 20)); w.Code != http.StatusOK {
		t.Errorf("what fits is answered %d", w.Code)
	}
	wantMessage(t, s.ask(http.MethodPost, openPath, strings.Repeat("x", 21)), http.StatusRequestEntityTooLarge)
}
