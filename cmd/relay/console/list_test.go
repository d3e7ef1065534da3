package console

import (
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/functions/operator/conversations"
	"quickdumpnow.com/smsrelay/shared/sms"
)

func waitsSince(n int, at time.Time) conversations.Shown {
	c := conversations.Shown{TwilioNumber: "+18585550100", Customer: sms.PhoneNumber(fmt.Sprintf("+131255501%02d", n%100))}
	if n%2 == 1 {
		c.TwilioNumber = "+18585550101"
	}
	c.Waiting = &conversations.Waiting{Since: at.Add(time.Duration(n/3) * time.Second), Texts: 1, Unanswered: n%7 == 0}
	if n%5 == 0 {
		c.Claimer = &conversations.Claimer{Phone: "+16195550123"}
	}
	return c
}

// TestPages: whoever goes from page to page sees each who waits once, also if others come meanwhile.
func TestPages(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	var all []conversations.Shown
	for n := range 3*pageSize + 7 {
		all = append(all, waitsSince(n, now))
	}
	slices.SortFunc(all, conversations.Urgency)
	seen, pages, path := []conversations.Shown{}, 0, Path
	for path != "" {
		parsed, err := url.Parse(path)
		if err != nil {
			t.Fatal(err)
		}
		l := listOf(all, nil, questionOf(parsed.Query()), now)
		seen = append(seen, l.People...)
		path = l.Next
		if pages++; pages > 10 {
			t.Fatal("the pages never end")
		}
		// Somebody comes, and is the last of all.
		all = append(all, conversations.Shown{TwilioNumber: "+18585550100", Customer: sms.PhoneNumber(fmt.Sprintf("+121355501%02d", pages))})
		all[len(all)-1].Waiting = &conversations.Waiting{Since: now.Add(time.Duration(pages) * time.Hour), Texts: 1}
	}
	for i, c := range seen {
		if c.Customer != all[i].Customer || c.TwilioNumber != all[i].TwilioNumber {
			t.Fatalf("place %d has %s at %s, want %s at %s", i, string(c.Customer), string(c.TwilioNumber), string(all[i].Customer),
				string(all[i].TwilioNumber))
		}
	}
	if pages != 4 || len(seen) < 3*pageSize+7 {
		t.Errorf("%d pages had %d people", pages, len(seen))
	}
}

// TestFilters: the count of each link is how many are behind it.
func TestFilters(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	var all []conversations.Shown
	for n := range pageSize - 5 {
		all = append(all, waitsSince(n, now))
	}
	slices.SortFunc(all, conversations.Urgency)
	numbers := []sms.PhoneNumber{"+18585550100", "+18585550101"}
	checked := 0
	for _, number := range append(numbers, "") {
		for _, o := range conversations.Onlys() {
			l := listOf(all, numbers, question{Number: number, Only: o}, now)
			for _, link := range append(l.Numbers, l.Onlys...) {
				parsed, err := url.Parse(link.Path)
				if err != nil {
					t.Fatal(err)
				}
				behind := listOf(all, numbers, questionOf(parsed.Query()), now)
				if len(behind.People) != link.Count || (link.Path == l.Path) != link.Chosen {
					t.Errorf("from %s: %v has %d behind it", l.Path, link, len(behind.People))
				}
				checked++
			}
		}
	}
	if checked != 3*4*7 {
		t.Errorf("%d links were looked at", checked)
	}
	for _, wrong := range []string{"x", "true_1_2", "maybe_1_a_b", "true_x_a_b", ""} {
		if l := listOf(all, numbers, question{After: wrong}, now); l.IsLater || len(l.People) != len(all) {
			t.Errorf("after %q come %d", wrong, len(l.People))
		}
	}
	if got := questionOf(url.Values{"only": {"whatever"}}); got.Only != "" {
		t.Errorf("the question is %v", got)
	}
}

func TestWhen(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	for d, want := range map[time.Duration]string{
		0: "0 s ago", -59 * time.Second: "59 s ago", -time.Minute: "1 min ago", -time.Hour: "1 h ago", time.Minute: "in 1 min",
		23 * time.Hour: "in 23 h", -24 * time.Hour: "2026-11-29 12:00 UTC", 24 * time.Hour: "2026-12-01 12:00 UTC",
	} {
		if got := when(t.Context(), now.Add(d), now); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

// TestTheGeneratorIsPinned: the generated files are of the version of templ that is linked.
func TestTheGeneratorIsPinned(t *testing.T) {
	t.Parallel()
	module, err := os.ReadFile("../../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`github\.com/a-h/templ (v\S+)`).FindStringSubmatch(string(module))
	if version == nil {
		t.Fatal("go.mod has no templ")
	}
	for _, name := range []string{"pages_templ.go", "waiting_templ.go", "customer_templ.go"} {
		text, err := os.ReadFile(name)
		if err != nil || !strings.Contains(string(text), "// templ: version: "+version[1]+"\n") {
			t.Errorf("%s is not of %s, %v", name, version[1], err)
		}
	}
}
