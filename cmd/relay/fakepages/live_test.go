package fakepages_test

import (
	"bufio"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// listen opens the connection that a page has, after the last id if there is one.
func (s *stage) listen(t *testing.T, page, lastID string) *bufio.Scanner {
	t.Helper()
	path := regexp.MustCompile(`hx-sse:connect="([^"]+)"`).FindStringSubmatch(page)[1]
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Last-Event-ID", lastID)
	response, err := http.DefaultClient.Do(request)
	if err != nil || response.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatal(response, err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return bufio.NewScanner(response.Body)
}

// news waits for the next news, and returns their id. It is empty if the connection is over.
func news(lines *bufio.Scanner) (id string) {
	for lines.Scan() {
		if after, found := strings.CutPrefix(lines.Text(), "id: "); found {
			id = after
		}
		if lines.Text() == "event: news" {
			return id
		}
	}
	return ""
}

// TestLive: a page hears what happened since it was made, and what happens later; one whose connection was cut, what it missed.
func TestLive(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	page := s.get(t, "/", http.StatusOK)
	s.text(t, customer, "Hello", "")
	s.settle(t)
	lines := s.listen(t, page, "")
	first := news(lines)
	if first == "" {
		t.Fatal("nobody tells the page what came since it was made")
	}
	s.OptOut(number, customer)
	last := news(lines)
	if last == first || last == "" {
		t.Fatalf("the page is told of %q after %q", last, first)
	}
	if got := news(s.listen(t, page, first)); got != last {
		t.Errorf("a page that knows all up to %s is told of %q, want %s", first, got, last)
	}
	still := s.listen(t, page, last)
	s.pages.Close()
	if id := news(lines) + news(still); id != "" {
		t.Errorf("pages that know all are told of %s", id)
	}
	s.get(t, "/live?after=x", http.StatusBadRequest)
}
