package twilio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/sms"
)

const (
	testMessage = "MM0123456789abcdef0123456789abcdef"
	testMedia   = "ME0123456789abcdef0123456789abcdef"
	mediaOf     = "/2010-04-01/Accounts/" + testAccount + "/Messages/" + testMessage + "/Media/"
	webhookURL  = "https://api.twilio.com" + mediaOf + testMedia
	picture     = "\xff\xd8 a picture"
)

// sends is an answer with a picture.
func sends(w http.ResponseWriter, contentType, content string) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	_, _ = io.WriteString(w, content)
}

func (s *server) fetch(t *testing.T, mediaURL string, limit int64) (media.Content, string, error) {
	t.Helper()
	content, err := newClient(t, s.URL).FetchMedia(t.Context(), mediaURL, limit)
	if err != nil {
		return content, "", err
	}
	read, err := io.ReadAll(content)
	return content, string(read), errors.Join(err, content.Close())
}

// TestFetchMedia: the API gets the credentials, the CDN does not, and only its picture comes back.
func TestFetchMedia(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/2010-04-01/") {
			http.Redirect(w, r, "/cdn/picture?Signature=x", http.StatusTemporaryRedirect)
			return
		}
		sends(w, "image/jpeg", picture)
	})
	content, read, err := s.fetch(t, webhookURL, 100)
	if err != nil || read != picture || content.ContentType != "image/jpeg" || content.Size != int64(len(picture)) {
		t.Fatalf("got %q, %+v, error %v", read, content, err)
	}
	asked := s.seen()
	if len(asked) != 2 || asked[0].path != mediaOf+testMedia || asked[1].path != "/cdn/picture" {
		t.Fatalf("asked for %+v", asked)
	}
	if asked[0].header.Get("Authorization") == "" || asked[1].header.Get("Authorization") != "" {
		t.Errorf("credentials went to the API: %q, to the CDN: %q", asked[0].header.Get("Authorization"), asked[1].header.Get("Authorization"))
	}
}

// TestFetchMediaThatIsAnswered: the fake, and old accounts, may answer without a redirect.
func TestFetchMediaThatIsAnswered(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { sends(w, "image/png", picture) })
	if content, read, err := s.fetch(t, webhookURL, int64(len(picture))); err != nil || read != picture || content.ContentType != "image/png" {
		t.Errorf("got %q, error %v", read, err)
	}
}

// TestWhereCredentialsGo: a webhook, or whoever made one up, chooses neither the host that gets the credentials nor another resource.
func TestWhereCredentialsGo(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { sends(w, "image/png", picture) })
	for _, other := range []string{"https://evil.example.com", "http://api.twilio.com", "https://user:pass@api.ie1.twilio.com:444"} {
		if _, _, err := s.fetch(t, other+mediaOf+testMedia, 100); err != nil {
			t.Errorf("%s: the attachment was not asked for under the base URL: %v", other, err)
		}
	}
	asked := len(s.seen())
	for _, wrong := range []string{
		"", ":", "https://api.twilio.com" + mediaOf, "https://api.twilio.com" + mediaOf + testMedia + ".json",
		"https://api.twilio.com/2010-04-01/Accounts/" + testAccount + "/Messages.json", webhookURL + "/../../x",
		strings.Replace(webhookURL, testAccount, "AC00000000000000000000000000000009", 1), "https://example.com/picture.jpg",
	} {
		if _, _, err := s.fetch(t, wrong, 100); fault.Of(err).Kind != fault.Permanent {
			t.Errorf("%s: error %v, want a permanent one", wrong, err)
		}
	}
	if now := len(s.seen()); now != asked {
		t.Errorf("%d requests were made for addresses that are not an attachment's", now-asked)
	}
}

// TestRedirects that are followed, and those that are not: they never reach a host that is not Twilio's.
func TestRedirects(t *testing.T) {
	t.Parallel()
	client := newClient(t, "https://api.twilio.com")
	for address, want := range map[string]bool{
		"https://mms.twiliocdn.com/AC/x?Signature=y":                       true,
		"https://media.twiliocdn.com/AC/x":                                 true,
		"https://api.ie1.twilio.com/x":                                     true,
		"https://s3-external-1.amazonaws.com/media.twiliocdn.com/AC/x":     true,
		"https://api.twilio.com/x":                                         true,
		"http://mms.twiliocdn.com/x":                                       false,
		"https://mms.twiliocdn.com:8443/x":                                 false,
		"https://twiliocdn.com.example.com/x":                              false,
		"https://eviltwiliocdn.com/x":                                      false,
		"https://s3-external-1.amazonaws.com/other/media.twiliocdn.com/x":  false,
		"https://s3-external-1.amazonaws.com/media.twiliocdn.com.other/AC": false,
		"http://169.254.169.254/latest/meta-data":                          false,
		"http://127.0.0.1:8080/x":                                          false,
		"file:///etc/passwd":                                               false,
		"https://[::1]/x":                                                  false,
	} {
		parsed, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := client.isTwilios(parsed); got != want {
			t.Errorf("%s: Twilio's %v, want %v", address, got, want)
		}
	}
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("another host was asked") }))
	t.Cleanup(other.Close)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+"/secret", http.StatusFound)
	})
	if _, _, err := s.fetch(t, webhookURL, 100); fault.Of(err).Kind != fault.Permanent || strings.Contains(err.Error(), "secret") {
		t.Errorf("a redirect to another host: error %v, want a permanent one without the address", err)
	}
}

func TestFetchMediaFaults(t *testing.T) {
	t.Parallel()
	toCDN := func(then http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/2010-04-01/") {
				http.Redirect(w, r, "/cdn", http.StatusTemporaryRedirect)
				return
			}
			then(w, r)
		}
	}
	tests := []struct {
		name   string
		serve  http.HandlerFunc
		kind   fault.Kind
		status int
	}{
		{"not there yet", answer(404, `{"code":20404}`), fault.Transient, 404},
		{"refused credentials", answer(401, `{"code":20003}`), fault.Fatal, 401},
		{"too many requests", answer(429, `{"code":20429}`, "Retry-After: 3"), fault.Throttled, 429},
		{"trouble at Twilio", answer(503, `{"code":20503}`), fault.Transient, 503},
		{"no answer", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, fault.Transient, 0},
		{"a redirect to nowhere", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(302) }, fault.Transient, 302},
		{"redirects without an end", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/again", http.StatusFound)
		}, fault.Transient, 302},
		{"an old URL of the CDN", toCDN(answer(403, "<Error/>")), fault.Transient, 403},
		{"the CDN is down", toCDN(answer(500, "")), fault.Transient, 500},
		{"cut short", toCDN(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9")
			_, _ = io.WriteString(w, "abc")
		}), fault.Transient, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := serve(t, tt.serve).fetch(t, webhookURL, 100)
			if f := fault.Of(err); err == nil || f.Kind != tt.kind || f.HTTPStatus != tt.status {
				t.Errorf("error %v, want kind %v, status %d", err, tt.kind, tt.status)
			}
		})
	}
}

func TestFetchMediaLimit(t *testing.T) {
	t.Parallel()
	announced := serve(t, func(w http.ResponseWriter, _ *http.Request) { sends(w, "video/mp4", strings.Repeat("x", 101)) })
	_, _, err := announced.fetch(t, webhookURL, 100)
	want := media.TooLargeError{ContentType: "video/mp4", Size: 101}
	if tooLarge, ok := errors.AsType[*media.TooLargeError](err); !ok || *tooLarge != want {
		t.Errorf("announced: error %v", err)
	}
	unannounced := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		for range 101 {
			_, _ = io.WriteString(w, "x")
			_ = http.NewResponseController(w).Flush()
		}
	})
	content, read, err := unannounced.fetch(t, webhookURL, 100)
	if !errors.Is(err, media.ErrTooLarge) || content.Size != -1 || len(read) > 100 {
		t.Errorf("unannounced: %d bytes of %d, error %v; want ErrTooLarge", len(read), content.Size, err)
	}
}

// TestFetchMediaWithOtherCredentials: as for every call, what is refused is asked again with newer credentials.
func TestFetchMediaWithOtherCredentials(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != "new" {
			answer(401, `{"code":20003}`)(w, r)
			return
		}
		sends(w, "image/png", picture)
	})
	client := newClient(t, s.URL, func(c *Config) { c.AuthToken, c.Source = "", renewed{} })
	content, err := client.FetchMedia(t.Context(), webhookURL, 100)
	if err != nil {
		t.Fatal(err)
	}
	if err := content.Close(); err != nil {
		t.Error(err)
	}
}

// renewed has newer credentials than those that are refused.
type renewed struct{}

func (renewed) Credentials() Credentials { return Credentials{AuthToken: "old"} }
func (renewed) Instead(context.Context, Credentials) (Credentials, bool) {
	return Credentials{AuthToken: "new"}, true
}

// slowPicture is a transport whose answer never ends.
type slowPicture struct{}

func (slowPicture) RoundTrip(r *http.Request) (*http.Response, error) {
	body := io.NopCloser(readerFunc(func([]byte) (int, error) {
		<-r.Context().Done()
		return 0, r.Context().Err()
	}))
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, ContentLength: 9, Body: body, Request: r}, nil
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestFetchMediaIsBoundedInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		client := newClient(t, "", func(c *Config) { c.Transport = slowPicture{} })
		content, err := client.FetchMedia(t.Context(), webhookURL, 100)
		if err != nil {
			t.Fatal(err)
		}
		defer content.Close() //nolint:errcheck // it was only read.
		if _, err := io.ReadAll(content); fault.Of(err).Kind != fault.Transient || time.Since(begun) != mediaTimeout {
			t.Errorf("after %v: error %v", time.Since(begun), err)
		}
	})
}

func TestListMedia(t *testing.T) {
	t.Parallel()
	list := fmt.Sprintf(`{"media_list":[{"sid":%q,"content_type":"image/jpeg"},{"sid":%q,"content_type":"video/mp4"}]}`,
		testMedia, strings.Replace(testMedia, "ME0", "ME1", 1))
	s := serve(t, answer(http.StatusOK, list))
	got, err := newClient(t, s.URL).ListMedia(t.Context(), testMessage)
	want := []sms.Media{
		{URL: s.URL + mediaOf + testMedia, ContentType: "image/jpeg"},
		{URL: s.URL + mediaOf + strings.Replace(testMedia, "ME0", "ME1", 1), ContentType: "video/mp4"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v, media (-want +got):\n%s", err, diff)
	}
	if asked := s.seen(); len(asked) != 1 || asked[0].path != strings.TrimSuffix(mediaOf, "/")+".json" {
		t.Errorf("asked for %+v", asked)
	}
	if _, err := newClient(t, s.URL).ListMedia(t.Context(), "x"); fault.Of(err).Kind != fault.Permanent {
		t.Errorf("no message: error %v", err)
	}
	if _, err := newClient(t, serve(t, answer(200, `{"media_list":[{"sid":"../x"}]}`)).URL).ListMedia(t.Context(), testMessage); err == nil {
		t.Error("a list that is not Twilio's is believed")
	}
	missing := serve(t, answer(404, `{"code":20404}`))
	if _, err := newClient(t, missing.URL).ListMedia(t.Context(), testMessage); fault.Of(err).HTTPStatus != 404 {
		t.Errorf("no such message: error %v", err)
	}
}
