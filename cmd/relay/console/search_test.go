package console_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// wrote has a customer write, an hour apart, the last one now, by the numbers of the texts, and puts the words into the index.
func (s *stage) wrote(first int, customer sms.PhoneNumber, bodies ...string) {
	s.Helper()
	for i, body := range bodies {
		r := relaytest.Record(first+i, s.clock().Add(-time.Duration(len(bodies)-1-i)*time.Hour))
		r.Customer, r.Body, r.State = customer, body, ledger.Delivered
		if _, err := auditlog.Put(s.Context(), s.relay.Ledger, ledger.Record{}, r); err != nil {
			s.Fatal(err)
		}
	}
	for isMore := true; isMore; {
		var err error
		if isMore, err = s.db.IndexWords(s.Context()); err != nil {
			s.Fatal(err)
		}
	}
}

func searchPath(values url.Values) string { return "/console/search?" + values.Encode() }

// readings counts how often texts were read.
func (s *stage) readings(by string) (n int) {
	s.Helper()
	page, err := s.relay.Ledger.List(s.Context(), ledger.Query{Limit: ledger.MaxLimit})
	if err != nil {
		s.Fatal(err)
	}
	for _, r := range page.Records {
		if r.Reading.By == by {
			n += r.Reading.Number
		}
	}
	return n
}

// TestSearchPage: words show what the texts say, once it is on record; the filters apply together and stand in the page's URL.
func TestSearchPage(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.wrote(1, ann, words, "Zoë has the <i>key</i> to the gate", "Which gate?")
	s.wrote(11, "+13125550148", "The gate is open")
	if _, err := auditlog.PutConversation(t.Context(), s.relay.Conversations, conversation.Conversation{TwilioNumber: business, Customer: ann},
		conversation.Conversation{TwilioNumber: business, Customer: ann, Name: "Ann Miller"}, s.now); err != nil {
		t.Fatal(err)
	}
	b := s.as(signin.Viewer)
	get := func(values url.Values) string {
		t.Helper()
		page := b.do(http.MethodGet, searchPath(values), nil)
		b.want(page, http.StatusOK, "Who wrote what?")
		return page.Body.String()
	}
	if page := get(nil); strings.Contains(page, "<h2>") {
		t.Errorf("something is found before anybody asks:\n%s", page)
	}
	for _, tt := range []struct {
		asked       url.Values
		count       string
		has, hasNot []string
	}{
		{url.Values{"words": {"GATE zoe"}}, "1 text<", []string{"Zoë has the &lt;i&gt;key&lt;/i&gt; to the gate", "It is on record"}, nil},
		{url.Values{"words": {"gate"}}, "3 texts<", []string{"The gate is open"}, nil},
		{url.Values{"words": {"gate"}, "name": {"ann"}}, "2 texts<", []string{"Ann Miller"}, []string{"The gate is open"}},
		{url.Values{"words": {"gate"}, "number": {"+13125550148"}}, "1 text<", []string{"The gate is open"}, nil},
		{url.Values{"words": {"xyz"}}, "0 texts<", nil, []string{"It is on record"}},
		{url.Values{"number": {string(ann)}}, "3 texts<", []string{string(ann)}, []string{"frozen", "It is on record"}},
		{url.Values{"name": {"miller"}}, "3 texts<", nil, []string{"frozen"}},
		{url.Values{"words": {"gate"}, "to": {"2020-01-01"}}, "0 texts<", nil, nil},
		{url.Values{"words": {"gate"}, "from": {s.now.UTC().Add(-48 * time.Hour).Format(time.DateOnly)}}, "3 texts<", nil, nil},
	} {
		page := get(tt.asked)
		for _, one := range append(tt.has, tt.count) {
			if !strings.Contains(page, one) {
				t.Errorf("%v: the page is without %q:\n%s", tt.asked, one, page)
			}
		}
		for _, one := range tt.hasNot {
			if strings.Contains(page, one) {
				t.Errorf("%v: the page has %q", tt.asked, one)
			}
		}
		for name, values := range tt.asked {
			if !regexp.MustCompile(`name="` + name + `"[^>]*value="` + regexp.QuoteMeta(values[0]) + `"`).MatchString(page) {
				t.Errorf("%v: the form has lost %s", tt.asked, name)
			}
		}
	}
	if got := s.readings("the-viewer"); got != 1+3+2+1+3 {
		t.Errorf("it is on record that %d texts were read, want 10", got)
	}
	b.want(b.do(http.MethodGet, searchPath(url.Values{"words": {`"*`}}), nil), http.StatusUnprocessableEntity, "Words: there is no word in it")
	b.want(b.do(http.MethodGet, searchPath(url.Values{"from": {"yesterday"}}), nil), http.StatusUnprocessableEntity, "such as 2026-11-24")
}

// TestPagesOfFoundTexts: each page has other texts, also if some come meanwhile.
func TestPagesOfFoundTexts(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	bodies := make([]string, 45)
	for i := range bodies {
		bodies[i] = "gate number " + string(rune('a'+i/26)) + string(rune('a'+i%26))
	}
	s.wrote(1, ann, bodies...)
	b := s.as(signin.Viewer)
	seen := map[string]bool{}
	path := searchPath(url.Values{"words": {"gate"}, "number": {string(ann)}})
	for pages := 0; path != ""; pages++ {
		page := b.do(http.MethodGet, path, nil)
		b.want(page, http.StatusOK)
		for _, found := range regexp.MustCompile(`gate number ..`).FindAllString(page.Body.String(), -1) {
			if seen[found] {
				t.Errorf("page %d has %q again", pages, found)
			}
			seen[found] = true
		}
		path = ""
		if next := regexp.MustCompile(`href="([^"]*)" rel="next"`).FindStringSubmatch(page.Body.String()); next != nil {
			path = strings.ReplaceAll(next[1], "&amp;", "&")
		}
		s.pass(time.Minute)
		s.wrote(101+pages, "+13125550148", "another gate")
	}
	if len(seen) != len(bodies) {
		t.Errorf("%d texts were seen, want %d", len(seen), len(bodies))
	}
}

// onAWS is a ledger without an index of words.
type onAWS struct {
	ledger.Store
	ledger.Lister
}

// TestSearchOnAWS: words cannot be searched there, and the page says so.
func TestSearchOnAWS(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.wrote(1, ann, words)
	s.relay.Ledger = onAWS{s.db.Ledger(), s.db.Ledger()}
	s.open()
	b := s.as(signin.Viewer)
	b.want(b.do(http.MethodGet, searchPath(url.Values{"words": {"frozen"}}), nil), http.StatusUnprocessableEntity, "cannot be searched on AWS")
	b.want(b.do(http.MethodGet, searchPath(url.Values{"number": {string(ann)}}), nil), http.StatusOK, "1 text<")
}
