package twiliofake_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
)

func (a *account) list(t *testing.T, uri string) map[string]any {
	t.Helper()
	got := a.do(t, http.MethodGet, a.url+uri, nil)
	if got.status != http.StatusOK {
		t.Fatalf("list %s: %d %v", uri, got.status, got.body)
	}
	return got.body
}

const messagesPath = "/2010-04-01/Accounts/" + accountSid + "/Messages.json"

// bodiesOf returns the bodies of a page's messages, in their order.
func bodiesOf(t *testing.T, page map[string]any) []string {
	t.Helper()
	messages, ok := page["messages"].([]any)
	if !ok {
		t.Fatalf("messages is %v", page["messages"])
	}
	bodies := []string{}
	for _, message := range messages {
		fields, ok := message.(map[string]any)
		if !ok {
			t.Fatalf("message is %v", message)
		}
		bodies = append(bodies, text(t, fields, "body"))
	}
	return bodies
}

// week is an account with a message a day, each sent at noon, the last of them still queued.
func week(t *testing.T) *account {
	t.Helper()
	account := start(t)
	for day := 1; day <= 3; day++ {
		account.mustCreate(t, params("Body", fmt.Sprintf("day %d", day)))
		account.settle(t)
		account.clock.Advance(24 * time.Hour)
	}
	account.mustCreate(t, params("From", "24365", "Body", "from the short code"))
	account.settle(t)
	account.clock.Advance(24 * time.Hour)
	account.mustCreate(t, params("To", "+15005550111", "Body", "queued"))
	return account
}

func TestListFilters(t *testing.T) {
	account := week(t)
	tests := []struct {
		name, query string
		want        []string
	}{
		{"everything, newest first", "", []string{"queued", "from the short code", "day 3", "day 2", "day 1"}},
		{"From", "From=24365", []string{"from the short code"}},
		{"To finds the queued one", "To=%2B15005550111", []string{"queued"}},
		{"To and a date miss the queued one", "To=%2B15005550111&DateSent%3E=2026-11-01", []string{}},
		{"another To", "To=%2B18585550199", []string{}},
		{"on a day", "DateSent=2026-11-25", []string{"day 2"}},
		{"on and after a day", "DateSent%3E=2026-11-25", []string{"from the short code", "day 3", "day 2"}},
		{"on and before a day", "DateSent%3C=2026-11-25", []string{"day 2", "day 1"}},
		{"at and after a second", "DateSent%3E=2026-11-25T12:00:00Z", []string{"from the short code", "day 3", "day 2"}},
		{"after a second", "DateSent%3E=2026-11-25T12:00:01Z", []string{"from the short code", "day 3"}},
		{"at and before a second", "DateSent%3C=2026-11-25T12:00:00Z", []string{"day 2", "day 1"}},
		{"before a second", "DateSent%3C=2026-11-25T11:59:59Z", []string{"day 1"}},
		{"at a second", "DateSent=2026-11-25T12:00:00Z", []string{"day 2"}},
		{"in another zone", "DateSent=2026-11-25T04:00:00-08:00", []string{"day 2"}},
		{"with a fraction", "DateSent=2026-11-25+12:00:00.000", []string{"day 2"}},
		{"as RFC 2822", "DateSent=Wed%2C+25+Nov+2026+12%3A00%3A00+-0000", []string{"day 2"}},
		{"between", "DateSent%3E=2026-11-25&DateSent%3C=2026-11-26", []string{"day 3", "day 2"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, bodiesOf(t, account.list(t, messagesPath+"?"+test.query))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestListRefuses(t *testing.T) {
	account := start(t)
	for query, code := range map[string]float64{
		"PageSize=0":       20001,
		"PageSize=many":    20001,
		"PageSize=1001":    20007,
		"Page=-1":          20001,
		"Page=1&PageToken": 0, // an empty token is ignored
		"PageToken=PASM1":  21481,
		"PageToken=x":      21481,
		"DateSent=today":   20001,
		"DateSent%3E=x":    20001,
	} {
		got := account.do(t, http.MethodGet, account.messagesURL()+"?"+query, nil)
		if code == 0 {
			if got.status != http.StatusOK {
				t.Errorf("%s: %d %v", query, got.status, got.body)
			}
			continue
		}
		if got.status != http.StatusBadRequest || got.body["code"] != code {
			t.Errorf("%s: %d %v, want %v", query, got.status, got.body, code)
		}
	}
}

func numbered(t *testing.T, account *account, from, to int) {
	t.Helper()
	for i := from; i <= to; i++ {
		account.mustCreate(t, params("Body", fmt.Sprint(i)))
	}
}

// TestPaging reads all pages while messages go on arriving: nothing is read twice, and nothing that was there at the
// beginning is missed.
func TestPaging(t *testing.T) {
	account := start(t)
	numbered(t, account, 1, 5)
	var read []string
	page := account.list(t, messagesPath+"?PageSize=2&To=%2B18585550111")
	for number := 0; ; number++ {
		read = append(read, bodiesOf(t, page)...)
		if page["page"] != float64(number) || page["page_size"] != 2.0 || page["start"] != float64(2*number) {
			t.Errorf("page %v, page_size %v, start %v", page["page"], page["page_size"], page["start"])
		}
		if page["next_page_uri"] == nil {
			break
		}
		numbered(t, account, 100+number, 100+number)
		page = account.list(t, text(t, page, "next_page_uri"))
	}
	if diff := cmp.Diff([]string{"5", "4", "3", "2", "1"}, read); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
	back := account.list(t, text(t, page, "previous_page_uri"))
	if diff := cmp.Diff([]string{"3", "2"}, bodiesOf(t, back)); diff != "" {
		t.Errorf("previous page (-want +got):\n%s", diff)
	}
}

func TestPageAddresses(t *testing.T) {
	account := start(t)
	numbered(t, account, 1, 3)
	sid := account.Messages()[1].Sid
	query := "To=%2B18585550111&From=%2B18585550100"
	page := account.list(t, messagesPath+"?PageSize=2&"+query)
	delete(page, "messages")
	want := map[string]any{
		"uri":               messagesPath + "?" + query + "&PageSize=2&Page=0",
		"first_page_uri":    messagesPath + "?" + query + "&PageSize=2&Page=0",
		"next_page_uri":     messagesPath + "?" + query + "&PageSize=2&Page=1&PageToken=PA" + sid,
		"previous_page_uri": nil, "page": 0.0, "page_size": 2.0, "start": 0.0, "end": 1.0,
	}
	if diff := cmp.Diff(want, page); diff != "" {
		t.Errorf("first page (-want +got):\n%s", diff)
	}
}

func TestEmptyPageAndDefaultSize(t *testing.T) {
	account := start(t)
	page := account.list(t, messagesPath)
	if page["page_size"] != 50.0 || page["end"] != 0.0 || len(bodiesOf(t, page)) != 0 || page["next_page_uri"] != nil {
		t.Errorf("empty page %v", page)
	}
	numbered(t, account, 1, 51)
	page = account.list(t, messagesPath)
	if got := len(bodiesOf(t, page)); got != 50 || page["next_page_uri"] == nil {
		t.Errorf("%d messages on the page, next %v", got, page["next_page_uri"])
	}
}

// BenchmarkList reads the newest page of ten thousand messages.
func BenchmarkList(b *testing.B) {
	cfg := validConfig()
	cfg.Outcomes = map[smsNumber]twiliofake.Outcome{carrier: {Status: "queued"}}
	server, err := twiliofake.New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(server.Close)
	for range 10_000 {
		if got := serve(b, server, http.MethodPost, params()); got != http.StatusCreated {
			b.Fatal(got)
		}
	}
	for b.Loop() {
		if got := serve(b, server, http.MethodGet, url.Values{}); got != http.StatusOK {
			b.Fatal(got)
		}
	}
}
