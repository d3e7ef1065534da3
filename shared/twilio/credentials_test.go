package twilio

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// source has credentials. The first are in use, and the next ones if Twilio refuses those.
type source struct {
	mu      sync.Mutex
	next    []Credentials
	refused []Credentials
}

func (s *source) Credentials() Credentials {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.next[0]
}

func (s *source) Instead(_ context.Context, refused Credentials) (Credentials, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = append(s.refused, refused)
	if len(s.next) == 1 {
		return Credentials{}, false
	}
	s.next = s.next[1:]
	return s.next[0], true
}

var (
	oldKey = Credentials{APIKeySid: "SK00000000000000000000000000000001", APIKeySecret: testSecret}
	newKey = Credentials{APIKeySid: testKey, APIKeySecret: testSecret}
)

// users returns who asked for what, in turn.
func (s *server) users(t *testing.T) []string {
	t.Helper()
	var users []string
	for _, one := range s.seen() {
		r := http.Request{Header: one.header}
		user, _, ok := r.BasicAuth()
		if !ok {
			t.Error("a request without credentials")
		}
		users = append(users, one.method+" "+user)
	}
	return users
}

// TestRefusedCredentials: what was refused for its credentials is made once more with others, and nothing else is.
func TestRefusedCredentials(t *testing.T) {
	oldPost, newPost := "POST "+oldKey.APIKeySid, "POST "+newKey.APIKeySid
	refused := refusal(t, 20003, 401)
	const sent fault.Kind = -1 // no fault
	cutOff := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(refused)+10))
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(refused))
	}
	tests := []struct {
		name    string
		first   http.HandlerFunc
		sources []Credentials
		want    []string
		kind    fault.Kind
	}{
		{"others are there", answer(401, refused), []Credentials{oldKey, newKey}, []string{oldPost, newPost}, sent},
		{
			"a token instead of the key", answer(401, refused),
			[]Credentials{oldKey, {AuthToken: testToken}},
			[]string{oldPost, "POST " + testAccount},
			sent,
		},
		{"no others", answer(401, refused), []Credentials{oldKey}, []string{oldPost}, fault.Fatal},
		{"the refusal was cut short", cutOff, []Credentials{oldKey, newKey}, []string{oldPost}, fault.Fatal},
		{"a 401 of somebody else", answer(401, "<html>"), []Credentials{oldKey, newKey}, []string{oldPost}, fault.Fatal},
		{"a 401 for another reason", answer(401, refusal(t, 20403, 401)), []Credentials{oldKey, newKey}, []string{oldPost}, fault.Fatal},
		{"the code with another status", answer(500, refused), []Credentials{oldKey, newKey}, []string{oldPost}, fault.Unknown},
		{"forbidden", answer(403, refused), []Credentials{oldKey, newKey}, []string{oldPost}, fault.Fatal},
		{
			"no answer", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			[]Credentials{oldKey, newKey},
			[]string{oldPost},
			fault.Unknown,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var first sync.Once
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				handler := answer(201, message(t, nil))
				first.Do(func() { handler = tt.first })
				handler(w, r)
			})
			c := newClient(t, s.URL, func(c *Config) { c.AuthToken, c.Source = "", &source{next: tt.sources} })
			created, err := c.Create(t.Context(), outbound)
			if diff := cmp.Diff(tt.want, s.users(t)); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			switch {
			case tt.kind == sent && (err != nil || created.Sid != testSid):
				t.Errorf("created %v, error %v; want the message", created, err)
			case tt.kind != sent && fault.Of(err).Kind != tt.kind:
				t.Errorf("error %v, want %v", err, tt.kind)
			case tt.kind != sent:
				checkNothingLeaks(t, err)
			}
		})
	}
}

// Twilio refuses the others, too: they were the last try. A look-up is made once more as a POST is.
func TestRefusedTwice(t *testing.T) {
	s := serve(t, answer(401, refusal(t, 20003, 401)))
	from := &source{next: []Credentials{oldKey, newKey, {AuthToken: testToken}}}
	c := newClient(t, s.URL, func(c *Config) { c.AuthToken, c.Source = "", from })
	_, created := c.Create(t.Context(), outbound)
	_, listed := c.List(t.Context(), sms.ListFilter{To: outbound.To})
	for _, err := range []error{created, listed} {
		if fault.Of(err).Kind != fault.Fatal {
			t.Errorf("error %v, want a fatal one", err)
		}
		checkNothingLeaks(t, err)
	}
	want := []string{"POST " + oldKey.APIKeySid, "POST " + testKey, "GET " + testKey, "GET " + testAccount}
	if diff := cmp.Diff(want, s.users(t)); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Credentials{oldKey, newKey}, from.refused, cmp.Comparer(func(a, b Credentials) bool { return a == b })); diff != "" {
		t.Errorf("told to be refused (-want +got):\n%s", diff)
	}
}

// The deadline is one for both exchanges.
func TestRefusedTooLate(t *testing.T) {
	s := serve(t, answer(401, refusal(t, 20003, 401)))
	ctx, cancel := context.WithCancel(t.Context())
	c := newClient(t, s.URL, func(c *Config) { c.AuthToken, c.Source = "", late{cancel} })
	if _, err := c.Create(ctx, outbound); fault.Of(err).Kind != fault.Fatal || fault.Of(err).HTTPStatus != 401 {
		t.Errorf("error %v, want the refusal", err)
	}
	if n := len(s.seen()); n != 1 {
		t.Errorf("%d requests, want one", n)
	}
}

// late has others, but only once the call is over.
type late struct{ end context.CancelFunc }

func (late) Credentials() Credentials { return oldKey }

func (l late) Instead(context.Context, Credentials) (Credentials, bool) {
	l.end()
	return newKey, true
}

func TestSourceAndFixedCredentials(t *testing.T) {
	_, err := New(Config{AccountSid: testAccount, AuthToken: testToken, Source: &source{}})
	if err == nil || !strings.Contains(err.Error(), "Source") {
		t.Errorf("error %v, want one about the source", err)
	}
}

func TestCredentialsShowNoSecret(t *testing.T) {
	for _, one := range []Credentials{newKey, {AuthToken: testSecret}} {
		var logs bytes.Buffer
		slog.New(slog.NewJSONHandler(&logs, nil)).Info("x", slog.Any("credentials", one))
		shown := fmt.Sprintf("%v %+v %#v %s", one, one, one, &logs)
		if strings.Contains(shown, testSecret) {
			t.Error(shown)
		}
	}
}
