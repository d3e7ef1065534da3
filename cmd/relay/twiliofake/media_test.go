package twiliofake_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

var picture = twiliofake.File{ContentType: "image/jpeg", Content: []byte("\xff\xd8 a picture")}

// TestInboundFiles: a picture comes as Twilio brings it: its URL is Twilio's, wants credentials, and leads to the CDN, which wants none.
func TestInboundFiles(t *testing.T) {
	account, app := start(t), receive(t, nil)
	card := twiliofake.File{ContentType: "text/vcard", Content: []byte("BEGIN:VCARD")}
	inbound := twiliofake.Inbound{From: customer, To: ours, Files: []twiliofake.File{picture, card}}
	response, err := account.SendInbound(t.Context(), inbound, app.url)
	if err != nil {
		t.Fatal(err)
	}
	inbound.Sid = response.MessageSid
	if _, err := account.SendInbound(t.Context(), inbound, app.url); err != nil {
		t.Fatal(err)
	}
	first, got := app.webhooks()[0].params, app.webhooks()[1].params
	if got.Get("NumMedia") != "2" || got.Get("MediaContentType1") != "text/vcard" || got.Get("MediaUrl0") != first.Get("MediaUrl0") {
		t.Errorf("webhook %v", got)
	}
	client, err := twilio.New(twilio.Config{AccountSid: accountSid, AuthToken: authToken, BaseURL: account.url})
	if err != nil {
		t.Fatal(err)
	}
	listed, err := client.ListMedia(t.Context(), response.MessageSid)
	if err != nil || len(listed) != 2 || listed[0].ContentType != "image/jpeg" {
		t.Fatalf("listed %+v, error %v", listed, err)
	}
	for _, url := range []string{got.Get("MediaUrl0"), listed[0].URL} {
		content, err := client.FetchMedia(t.Context(), url, 100)
		if err != nil {
			t.Fatal(err)
		}
		read, err := io.ReadAll(content)
		if err := errors.Join(err, content.Close()); err != nil || !bytes.Equal(read, picture.Content) || content.ContentType != "image/jpeg" {
			t.Errorf("%s: %q, type %s, error %v", url, read, content.ContentType, err)
		}
	}
	if diff := cmp.Diff(inbound.Files, account.MediaOf(response.MessageSid)); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
}

// TestMediaAsksForCredentials, its CDN refuses them, and a link is not to be guessed.
func TestMediaAsksForCredentials(t *testing.T) {
	account, app := start(t), receive(t, nil)
	response, err := account.SendInbound(t.Context(), twiliofake.Inbound{From: customer, To: ours, Files: []twiliofake.File{picture}}, app.url)
	if err != nil {
		t.Fatal(err)
	}
	_, path, _ := strings.Cut(app.webhooks()[0].params.Get("MediaUrl0"), "api.twilio.com")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	ask := func(path string, credentials bool) *http.Response {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, account.url+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if credentials {
			request.SetBasicAuth(accountSid, authToken)
		}
		answer, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		return answer
	}
	redirect := ask(path, true)
	link := redirect.Header.Get("Location")
	elsewhere := strings.Replace(path, response.MessageSid, "MM00000000000000000000000000000099", 1)
	for what, got := range map[string][2]int{
		"no credentials":               {ask(path, false).StatusCode, 401},
		"the redirect":                 {redirect.StatusCode, 307},
		"credentials at the CDN":       {ask(link, true).StatusCode, 400},
		"the CDN":                      {ask(link, false).StatusCode, 200},
		"a link that was not given":    {ask(link+"0", false).StatusCode, 403},
		"another message's attachment": {ask(elsewhere, true).StatusCode, 404},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: status %d, want %d", what, got[0], got[1])
		}
	}
}

// shop serves attachments, and writes down what was asked for and when.
type shop struct {
	url string

	mu    sync.Mutex
	asked []string
	at    []time.Time
}

func openShop(t *testing.T, serve http.HandlerFunc) *shop {
	t.Helper()
	s := &shop{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked, s.at = append(s.asked, r.Method), append(s.at, time.Now())
		s.mu.Unlock()
		serve(w, r)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func TestOutboundMedia(t *testing.T) {
	jpeg := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/jpeg")
		_, _ = w.Write(picture.Content)
	}
	tests := []struct {
		name  string
		serve http.HandlerFunc
		code  int
		asked string
	}{
		{"a picture", jpeg, 0, "[HEAD GET]"},
		{"not found", http.NotFound, 11200, "[HEAD]"},
		{"gone when it is fetched", func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				http.NotFound(w, r)
				return
			}
			jpeg(w, r)
		}, 11200, "[HEAD GET]"},
		{"another type at the second look", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", map[string]string{"HEAD": "image/jpeg", "GET": "application/octet-stream"}[r.Method])
			_, _ = w.Write(picture.Content)
		}, 12300, "[HEAD GET]"},
		{"too large", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "video/mp4")
			w.Header().Set("Content-Length", fmt.Sprint(6<<20))
		}, 11751, "[HEAD]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			const delay = 10 * time.Millisecond
			account := start(t, func(c *twiliofake.Config) { c.FetchMedia, c.MediaDelay = true, delay })
			shop := openShop(t, tt.serve)
			account.mustCreate(t, params("MediaUrl", shop.url+"/m/1"))
			account.settle(t)
			message := account.Messages()[0]
			want := sms.StatusDelivered
			if tt.code != 0 {
				want = sms.StatusFailed
			}
			if message.Status != want || message.ErrorCode != tt.code || fmt.Sprint(shop.asked) != tt.asked {
				t.Errorf("%s, error %d, asked %v; want %s, %d, %s", message.Status, message.ErrorCode, shop.asked, want, tt.code, tt.asked)
			}
			if len(shop.at) == 2 && shop.at[1].Sub(shop.at[0]) < delay {
				t.Errorf("GET came %v after HEAD, want %v", shop.at[1].Sub(shop.at[0]), delay)
			}
			if tt.code == 0 {
				if diff := cmp.Diff([]twiliofake.File{picture}, account.MediaOf(message.Sid)); diff != "" {
					t.Errorf("what the phone gets (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// TestControlInboundWithFiles: a person texts a picture.
func TestControlInboundWithFiles(t *testing.T) {
	app := receive(t, nil)
	account := start(t, func(c *twiliofake.Config) { c.Webhook.URL = app.url })
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range map[string]string{"From": string(customer), "To": string(ours), "Body": "Look"} {
		if err := form.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	part, err := form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="Media"; filename="a.jpg"`}, "Content-Type": {"image/jpeg"},
	})
	if err == nil {
		_, err = part.Write(picture.Content)
	}
	if err := errors.Join(err, form.Close()); err != nil {
		t.Fatal(err)
	}
	response, err := http.Post(account.url+"/fake/inbound", form.FormDataContentType(), &body)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	got := app.webhooks()[0].params
	for name, want := range map[string]string{"NumMedia": "1", "MediaContentType0": "image/jpeg", "Body": "Look"} {
		if response.StatusCode != http.StatusOK || got.Get(name) != want {
			t.Errorf("status %d, %s %q, want %q", response.StatusCode, name, got.Get(name), want)
		}
	}
}
