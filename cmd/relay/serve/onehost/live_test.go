package onehost

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
	"time"
)

// nextNews listens as a page does, after the last id that it knows, and returns what it is told first.
func (d *dispatcher) nextNews(path, lastID string) (words, id string) {
	d.Helper()
	request, err := http.NewRequestWithContext(d.Context(), http.MethodGet, d.base+path, nil)
	if err != nil {
		d.Fatal(err)
	}
	request.Header.Set("Last-Event-ID", lastID)
	response, err := d.Do(request)
	if err != nil {
		d.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // it is only read.
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		switch name, value, _ := strings.Cut(lines.Text(), ": "); {
		case name == "data" && strings.HasPrefix(value, "<p"):
			words = value
		case name == "id":
			id = value
		case name == "data":
			return words, id
		}
	}
	d.Fatal("the connection ended without news")
	return "", ""
}

// TestNewsOfTexts: a page that is open is told of a text that a customer writes, and of what was written while the relay was not there.
func TestNewsOfTexts(t *testing.T) {
	t.Parallel()
	r, stop := startedWith(t, quietConfig(t.TempDir()), nil)
	d, page := dispatching(t, r)
	path := strings.ReplaceAll(listensTo.FindStringSubmatch(page)[1], "&amp;", "&")
	if err := postText(t.Context(), http.DefaultClient, r.URL(), 47, 1); err != nil {
		t.Fatal(err)
	}
	for words, id := "", ""; !strings.Contains(words, "New text from +13125550147."); { // The conversations of before may be news, too.
		words, id = d.nextNews(path, id)
	}
	// A stop waits for nobody who listens, and the next start goes on with the same numbers.
	listens, err := d.Get(r.URL() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer listens.Body.Close() //nolint:errcheck // it is only read.
	newest, began := r.live.Newest(), time.Now()
	if err := stop(); err != nil || time.Since(began) > drainTime/2 {
		t.Errorf("it stops in %v: %v", time.Since(began), err)
	}
	if err := r.openLive(t.Context()); err != nil || newest == 0 || r.live.Newest() < newest {
		t.Errorf("the last change was %d, and after a restart %d, %v", newest, r.live.Newest(), err)
	}
}
