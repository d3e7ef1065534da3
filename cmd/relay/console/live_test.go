package console_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/console"
	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// watching is a page that is open in a browser.
type watching struct {
	*browser

	lines  *bufio.Scanner
	cancel context.CancelFunc
}

var listensTo = regexp.MustCompile(`hx-sse:connect="([^"]+)"`)

// open loads a page, and listens to what it listens to, after the last id if there is one.
func (b *browser) open(path, lastID string) *watching {
	b.Helper()
	found := listensTo.FindStringSubmatch(b.do(http.MethodGet, path, nil).Body.String())
	if found == nil {
		b.Fatalf("%s listens to nothing", path)
	}
	return b.listen(strings.ReplaceAll(found[1], "&amp;", "&"), lastID)
}

func (b *browser) listen(path, lastID string) *watching {
	b.Helper()
	server := httptest.NewServer(b.pages)
	jar, err := cookiejar.New(nil)
	base, parseErr := url.Parse(server.URL)
	if err != nil || parseErr != nil {
		b.Fatal(err, parseErr)
	}
	var cookies []*http.Cookie
	for _, cookie := range b.cookies {
		cookies = append(cookies, &http.Cookie{Name: cookie.Name, Value: cookie.Value})
	}
	jar.SetCookies(base, cookies)
	ctx, cancel := context.WithTimeout(b.Context(), 20*time.Second)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+path, nil)
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("HX-Request", "true")
	if lastID != "" {
		request.Header.Set("Last-Event-ID", lastID)
	}
	client := http.Client{Jar: jar, Transport: &http.Transport{}}
	response, err := client.Do(request)
	if err != nil || response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/event-stream" {
		b.Fatalf("%s: %v, %v", path, response, err)
	}
	b.Cleanup(func() {
		cancel()
		_ = response.Body.Close() // it is over.
		client.CloseIdleConnections()
		server.Close()
	})
	return &watching{browser: b, lines: bufio.NewScanner(response.Body), cancel: cancel}
}

// news returns what the page is told next: the words that are read aloud, and the id; isOver says that the connection ended.
func (w *watching) news() (words, id string, isOver bool) {
	w.Helper()
	for w.lines.Scan() {
		switch name, value, _ := strings.Cut(w.lines.Text(), ": "); {
		case name == "data" && strings.HasPrefix(value, "<p"):
			words = regexp.MustCompile(`<[^>]*>`).ReplaceAllString(value, "")
		case name == "id":
			id = value
		case name == "data":
			return words, id, false
		}
	}
	return words, id, true
}

func (w *watching) want(words, id string) {
	w.Helper()
	if gotWords, gotID, isOver := w.news(); gotWords != words || gotID != id || isOver {
		w.Errorf("the page is told %q, %s, over %t; want %q, %s", gotWords, gotID, isOver, words, id)
	}
}

func isText(id int64, customer sms.PhoneNumber) console.Event {
	return console.Event{ID: id, TwilioNumber: business, Customer: customer, IsText: true}
}

// TestNews: a page is told of what comes after it was loaded, also what came before it listened, and after a cut connection what it missed.
func TestNews(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.waits(ann, sid(1), time.Minute, func(c *conversation.Conversation) { c.Name = "Ann <Miller>" })
	b := s.as(signin.Viewer)
	s.live.Tell([]console.Event{isText(6, ann)})
	page := listensTo.FindStringSubmatch(b.do(http.MethodGet, "/console", nil).Body.String())
	if page == nil {
		t.Fatal("the page listens to nothing")
	}
	s.live.Tell([]console.Event{isText(7, ann), isText(7, ann)})
	w := b.listen(strings.ReplaceAll(page[1], "&amp;", "&"), "")
	w.want("New text from Ann &lt;Miller&gt;.", "7")
	s.live.Tell([]console.Event{{ID: 8, TwilioNumber: business, Customer: ann}})
	w.want("", "8")
	w.cancel()
	s.live.Tell([]console.Event{isText(9, "+13125550148"), isText(10, phone), isText(11, ann), isText(12, ann)})
	b.open("/console", "8").want("3 new texts, from +13125550148, Ann &lt;Miller&gt;.", "12")
	about := b.open("/console/customer?number=%2B18585550100&customer=%2B13125550147", "11")
	about.want("New text from Ann &lt;Miller&gt;.", "12")
	s.live.Tell([]console.Event{isText(13, "+13125550148"), {ID: 14}})
	about.want("", "14")
}

// TestNewsThatAreNotKept: a page that was away for too long, or knows of what never was, is told so.
func TestNewsThatAreNotKept(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.as(signin.Viewer)
	for id := range int64(5000) {
		s.live.Tell([]console.Event{isText(id+10, ann)})
	}
	const gone = "The connection was away for a while. The page shows how things are now."
	for _, last := range []string{"9", "100", "5010", "1"} {
		b.open("/console", last).want(gone, "5009")
	}
	b.open("/console", "5007").want("2 new texts, from +13125550147.", "5009")
	b.want(b.do(http.MethodGet, "/console/live?after=x", nil), http.StatusNotFound)
}

// TestWatchingEnds with the session: the page is told to look for itself, and is led to the sign-in.
func TestWatchingEnds(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(s *stage, b *browser){
		"signed out": func(_ *stage, b *browser) {
			b.want(b.do(http.MethodPost, "/console/sign-out", url.Values{"form": {b.form()}}), http.StatusSeeOther)
		},
		"signed out everywhere": func(s *stage, b *browser) {
			other := s.as(signin.Viewer)
			b.want(other.do(http.MethodPost, "/console/sign-out-everywhere", url.Values{"form": {other.form()}}), http.StatusSeeOther)
		},
		"removed": func(s *stage, b *browser) {
			if err := s.users().Remove("the-viewer"); err != nil {
				b.Error(err)
			}
			s.live.Tell([]console.Event{isText(20, ann)})
		},
		"paused": func(_ *stage, b *browser) {
			b.want(b.do(http.MethodPost, "/console/live/pause", url.Values{"form": {b.form()}, "live": {"paused"}}), http.StatusSeeOther)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			b := s.as(signin.Viewer)
			w := b.open("/console", "")
			end(s, b)
			if words, id, isOver := w.news(); words != "" || id != "" || isOver {
				t.Errorf("the page is told %q, %s, %t", words, id, isOver)
			}
			if _, _, isOver := w.news(); !isOver {
				t.Error("the connection goes on")
			}
		})
	}
	t.Run("the relay stops", func(t *testing.T) {
		t.Parallel()
		s := newStage(t)
		w := s.as(signin.Viewer).open("/console", "")
		s.live.Close()
		if _, _, isOver := w.news(); !isOver {
			t.Error("the connection goes on")
		}
	})
}

// TestPause: one button stops all that changes by itself, and it stays so.
func TestPause(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.waits(ann, sid(1), time.Minute, nil)
	b := s.as(signin.Viewer)
	press := func(live, back, want string) {
		t.Helper()
		answer := b.do(http.MethodPost, "/console/live/pause", url.Values{"form": {b.form()}, "live": {live}, "back": {back}})
		if b.want(answer, http.StatusSeeOther); answer.Header().Get("Location") != want {
			t.Errorf("%s leads to %s, want %s", back, answer.Header().Get("Location"), want)
		}
	}
	for _, path := range []string{"/console", annsPage()} {
		page := b.do(http.MethodGet, path, nil)
		b.want(page, http.StatusOK, `aria-live="polite"`, `hx-trigger="news from:#live, every 60s"`, "Pause what changes by itself")
	}
	press("paused", annsPage(), annsPage())
	for _, path := range []string{"/console", annsPage()} {
		page := b.do(http.MethodGet, path, nil)
		if b.want(page, http.StatusOK, "Keep pages up to date"); strings.Contains(page.Body.String(), "hx-get") {
			t.Errorf("%s changes by itself", path)
		}
	}
	b.header.Set("HX-Request", "true")
	renewed := b.do(http.MethodGet, "/console", nil)
	if b.want(renewed, http.StatusNoContent); renewed.Header().Get("HX-Refresh") != "true" {
		t.Error("another page of the browser goes on")
	}
	b.header.Del("HX-Request")
	press("", "https://elsewhere.example/console", "/console")
	b.want(b.do(http.MethodGet, "/console", nil), http.StatusOK, "Pause what changes by itself")
}

// TestManyPages: so many are told of changes, and the others say so.
func TestManyPages(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.as(signin.Viewer)
	ctx, cancel := context.WithCancel(t.Context())
	answered := make(chan int, 201)
	for range 201 {
		go func() {
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/console/live?after=0", nil)
			r.Host, r.RemoteAddr = b.host, b.source
			for _, cookie := range b.cookies {
				r.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
			}
			answer := httptest.NewRecorder()
			s.pages.ServeHTTP(answer, r)
			answered <- answer.Code
		}()
	}
	if got := <-answered; got != http.StatusServiceUnavailable {
		t.Errorf("one too many is answered %d", got)
	}
	cancel()
	for range 200 {
		if got := <-answered; got != http.StatusOK {
			t.Errorf("a page is answered %d", got)
		}
	}
}
