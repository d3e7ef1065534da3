package offering_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/functions/media/offering"
	"quickdumpnow.com/smsrelay/shared/aws/mediabucket"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// stage is a handler with its store and its log.
type stage struct {
	*testing.T

	clock   *relaytest.Clock
	store   *relaytest.MemoryMedia
	log     bytes.Buffer
	handler *offering.Handler
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{T: t, clock: relaytest.NewClock(time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC))}
	s.store = &relaytest.MemoryMedia{Now: s.clock.Now}
	s.handler = offering.New(offering.Config{Store: s.store, Now: s.clock.Now, Logger: slog.New(slog.NewJSONHandler(&s.log, nil))})
	return s
}

func (s *stage) put(contentType string, content []byte) media.Token {
	s.Helper()
	item := media.Item{
		Token: media.NewToken(), ContentType: contentType, Size: int64(len(content)), Name: media.FileName(contentType, 2),
		ExpiresAt: s.clock.Now().Add(time.Hour),
	}
	if err := s.store.Put(s.Context(), item, bytes.NewReader(content)); err != nil {
		s.Fatal(err)
	}
	return item.Token
}

func (s *stage) ask(method, path string) events.APIGatewayV2HTTPResponse {
	s.Helper()
	request := events.APIGatewayV2HTTPRequest{RawPath: path}
	request.RequestContext.HTTP.Method = method
	response, err := s.handler.Handle(s.Context(), request)
	if err != nil {
		s.Fatal(err)
	}
	return response
}

// TestHeadAndGet: Twilio asks both, and refuses another type the second time.
func TestHeadAndGet(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for contentType, disposition := range map[string]string{
		"image/jpeg": `inline; filename="picture-2.jpg"`, "video/mp4": `inline; filename="video-2.mp4"`,
		"text/x-vcard": `attachment; filename="contact-2.vcf"`, "application/pdf": `attachment; filename="document-2.pdf"`,
		// No store should have one; if one has, a browser must not show it.
		"text/html": `attachment; filename="file-2.bin"`, "image/svg+xml": `attachment; filename="picture-2.bin"`,
	} {
		content := []byte("\xff\xd8 <script>\x00\n")
		token := s.put(contentType, content)
		head, get := s.ask(http.MethodHead, "/m/"+string(token)), s.ask(http.MethodGet, "/m/"+string(token))
		if diff := cmp.Diff(head.Headers, get.Headers); diff != "" || head.StatusCode != 200 || get.StatusCode != 200 || head.Body != "" {
			t.Errorf("%s: HEAD %d, GET %d, headers (-head +get):\n%s", contentType, head.StatusCode, get.StatusCode, diff)
		}
		for name, want := range map[string]string{
			"Content-Type": contentType, "Content-Length": "13", "Content-Disposition": disposition, "X-Content-Type-Options": "nosniff",
		} {
			if got := get.Headers[name]; got != want {
				t.Errorf("%s: %s is %q, want %q", contentType, name, got, want)
			}
		}
		for _, name := range []string{"Cache-Control", "Content-Security-Policy"} {
			if get.Headers[name] == "" {
				t.Errorf("%s: no %s among %q", contentType, name, slices.Sorted(maps.Keys(get.Headers)))
			}
		}
		if got, err := base64.StdEncoding.DecodeString(get.Body); err != nil || !get.IsBase64Encoded || !bytes.Equal(got, content) {
			t.Errorf("%s: body %q, error %v", contentType, got, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	token := string(s.put("image/jpeg", []byte("x")))
	s.clock.Advance(time.Hour)
	for _, method := range []string{http.MethodHead, http.MethodGet} {
		for _, path := range []string{
			"/m/" + token, "/m/" + string(media.NewToken()), "/m/", "/m", "/", "/m/x", "/m/../relay.db", "/m/%2e%2e",
			"/m/" + token + "/", "/M/" + token,
		} {
			if got := s.ask(method, path); got.StatusCode != http.StatusNotFound || got.Body != "" {
				t.Errorf("%s %s: %+v, want 404 without a body", method, path, got)
			}
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch} {
		if got := s.ask(method, "/m/"+token); got.StatusCode != http.StatusMethodNotAllowed || got.Headers["Allow"] != "GET, HEAD" {
			t.Errorf("%s: %+v, want 405", method, got)
		}
	}
}

// TestAStoreThatDoesNotAnswer is not one without the attachment: Twilio, or whoever looks for the cause, is told.
func TestAStoreThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	token := s.put("image/jpeg", []byte("x"))
	s.store.Fault = func(string) error { return &fault.Error{Kind: fault.Transient, Err: errors.New("no answer")} }
	for _, method := range []string{http.MethodHead, http.MethodGet} {
		if got := s.ask(method, "/m/"+string(token)); got.StatusCode != http.StatusServiceUnavailable || got.Body != "" {
			t.Errorf("%s: %+v, want 503", method, got)
		}
	}
	if !strings.Contains(s.log.String(), "no answer") || !strings.Contains(s.log.String(), `"level":"ERROR"`) {
		t.Errorf("log: %s", s.log.String())
	}
}

// TestLogHoldsNoToken: who reads the log cannot open what customers sent.
func TestLogHoldsNoToken(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	token := string(s.put("image/jpeg", []byte("x")))
	s.ask(http.MethodGet, "/m/"+token)
	if log := s.log.String(); strings.Contains(log, token) || !strings.Contains(log, token[:6]) || !strings.Contains(log, `"status":200`) {
		t.Errorf("log: %s", log)
	}
}

// TestTheLargestItemFitsIntoAnAnswer: Lambda takes 6 MB, with the JSON around the item.
func TestTheLargestItemFitsIntoAnAnswer(t *testing.T) {
	t.Parallel()
	const lambdaLimit = 6 * 1024 * 1024
	s := newStage(t)
	token := s.put("application/vnd.openxmlformats-officedocument", make([]byte, mediabucket.MaxItem))
	answer, err := json.Marshal(s.ask(http.MethodGet, "/m/"+string(token)))
	if err != nil || len(answer) > lambdaLimit {
		t.Errorf("an answer of %d bytes, error %v; Lambda takes %d", len(answer), err, lambdaLimit)
	}
}
