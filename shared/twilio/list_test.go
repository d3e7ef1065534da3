package twilio

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/fault"
)

// pages serves a list of total messages, in pages of the size that is asked for. Sids count up in their last digits.
func pages(t *testing.T, total int) http.HandlerFunc {
	t.Helper()
	return func(w http.ResponseWriter, r *http.Request) {
		size, err := strconv.Atoi(r.URL.Query().Get("PageSize"))
		if err != nil {
			t.Errorf("PageSize: %v", err)
			size = 1
		}
		number, _ := strconv.Atoi(r.URL.Query().Get("Page"))
		first := min(number*size, total)
		last := min(first+size, total)
		messages := make([]any, 0, size)
		for i := first; i < last; i++ {
			messages = append(messages, map[string]any{"sid": sidOf(i), "status": "sent"})
		}
		var next any
		if last < total {
			next = fmt.Sprintf("%s?PageSize=%d&Page=%d&PageToken=PA%s", messagesPath, size, number+1, sidOf(last-1))
		}
		answer(200, listPage(t, messages, next))(w, r)
	}
}

func sidOf(i int) string { return fmt.Sprintf("SM%032d", i) }

func listPage(t *testing.T, messages []any, next any) string {
	t.Helper()
	return toJSON(t, map[string]any{
		"messages": messages, "next_page_uri": next, "previous_page_uri": nil, "first_page_uri": messagesPath,
		"uri": messagesPath, "page": 0, "page_size": len(messages), "start": 0, "end": 0,
	})
}

func TestListFollowsPages(t *testing.T) {
	tests := []struct {
		name                     string
		total, limit             int
		wantFound, wantRequests  int
		wantSizeOfTheFirstOfThem string
	}{
		{"nothing there", 0, 10, 0, 1, "10"},
		{"fewer than the limit", 3, 10, 3, 1, "10"},
		{"as many as the limit", 10, 10, 10, 1, "10"},
		{"more than the limit", 30, 10, 10, 1, "10"},
		{"one", 30, 1, 1, 1, "1"},
		{"a limit of several pages", 900, 600, 600, 3, "250"},
		{"several pages to the end", 600, 900, 600, 3, "250"},
		{"no limit means a thousand", 1200, 0, 1000, 4, "250"},
		{"nor does a negative one", 2, -1, 2, 1, "250"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, pages(t, test.total))
			found, err := newClient(t, s.URL).List(t.Context(), ListFilter{Limit: test.limit})
			if err != nil {
				t.Fatalf("List(): %v", err)
			}
			if len(found) != test.wantFound {
				t.Errorf("List() found %d, want %d", len(found), test.wantFound)
			}
			for i, one := range found {
				if one.Sid != sidOf(i) {
					t.Fatalf("message %d is %s, want %s", i, one.Sid, sidOf(i))
				}
			}
			requests := s.seen()
			if len(requests) != test.wantRequests {
				t.Errorf("%d pages were asked for, want %d", len(requests), test.wantRequests)
			}
			query, err := url.ParseQuery(requests[0].rawQuery)
			if got := query.Get("PageSize"); got != test.wantSizeOfTheFirstOfThem || err != nil {
				t.Errorf("PageSize is %q (%v), want %s", got, err, test.wantSizeOfTheFirstOfThem)
			}
		})
	}
}

// A list of 1,000 messages, one created each minute, in pages of 250.
func TestListEndsAtAPageOfOlderMessages(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	ago := func(minutes int) time.Time { return noon.Add(-time.Duration(minutes) * time.Minute) }
	tests := []struct {
		name         string
		since        time.Time
		undated      int // every message from this one on has no date
		limit        int
		wantRequests int
		wantFound    int
	}{
		{"no bound", time.Time{}, 1000, 1000, 4, 1000},
		{"a bound in the future", noon.Add(time.Hour), 1000, 1000, 1, 250},
		{"the newest message", noon, 1000, 1000, 2, 500},
		{"the last of the first page", ago(249), 1000, 1000, 2, 500},
		{"just after the last of the first page", ago(249).Add(time.Second), 1000, 1000, 2, 500},
		{"the first of the second page", ago(250), 1000, 1000, 3, 750},
		{"a fraction of a second after it", ago(250).Add(time.Second - 1), 1000, 1000, 3, 750},
		{"a second after it", ago(250).Add(time.Second), 1000, 1000, 2, 500},
		{"in another zone", ago(250).In(time.FixedZone("", 3600)), 1000, 1000, 3, 750},
		{"older than all", ago(5000), 1000, 1000, 4, 1000},
		{"a message without a date may be newer", noon, 999, 1000, 2, 500},
		{"pages without dates", noon, 250, 1000, 4, 1000},
		{"the limit still counts", ago(600), 1000, 300, 2, 300},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, dated(pages(t, 1000), func(i int) (time.Time, bool) { return ago(i), i < test.undated }))
			found, err := newClient(t, s.URL).List(t.Context(), ListFilter{CreatedAfter: test.since, Limit: test.limit})
			if err != nil {
				t.Fatalf("List(): %v", err)
			}
			if len(found) != test.wantFound || len(s.seen()) != test.wantRequests {
				t.Errorf("%d messages of %d pages, want %d of %d", len(found), len(s.seen()), test.wantFound, test.wantRequests)
			}
			if query := s.seen()[0].rawQuery; strings.Contains(query, "Date") {
				t.Errorf("query is %s: Twilio has no such filter", query)
			}
		})
	}
}

// dated gives the messages of pages the dates of at, by their number in the list.
func dated(pages http.HandlerFunc, at func(i int) (created time.Time, dated bool)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		recorder := httptest.NewRecorder()
		pages(recorder, r)
		body := undatedMessage.ReplaceAllStringFunc(recorder.Body.String(), func(sid string) string {
			i, _ := strconv.Atoi(undatedMessage.FindStringSubmatch(sid)[1])
			if created, isDated := at(i); isDated {
				return fmt.Sprintf(`"date_created":%q,%s`, created.Format(time.RFC1123Z), sid)
			}
			return sid
		})
		answer(recorder.Code, body)(w, r)
	}
}

var undatedMessage = regexp.MustCompile(`"sid":"SM(\d{32})"`)

func TestListFilter(t *testing.T) {
	after := time.Date(2026, 11, 23, 1, 2, 3, 4, time.FixedZone("", 3600))
	tests := []struct {
		name   string
		filter ListFilter
		want   url.Values
	}{
		{"nothing", ListFilter{}, url.Values{"PageSize": {"250"}}},
		{"everything", ListFilter{
			To: "+18585550199", From: "whatsapp:+18585550142", SentAfter: after, SentBefore: after.Add(time.Hour), Limit: 5,
		}, url.Values{
			"To": {"+18585550199"}, "From": {"whatsapp:+18585550142"}, "PageSize": {"5"},
			"DateSent>": {"2026-11-23T00:02:03Z"}, "DateSent<": {"2026-11-23T01:02:04Z"},
		}},
		{"a whole second stays", ListFilter{SentBefore: after.Truncate(time.Second)}, url.Values{
			"PageSize": {"250"}, "DateSent<": {"2026-11-23T00:02:03Z"},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, pages(t, 0))
			if _, err := newClient(t, s.URL).List(t.Context(), test.filter); err != nil {
				t.Fatalf("List(): %v", err)
			}
			request := s.seen()[0]
			query, err := url.ParseQuery(request.rawQuery)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, query); diff != "" {
				t.Errorf("query (-want +got):\n%s", diff)
			}
			if request.method != "GET" || request.path != messagesPath || len(request.form) != 0 {
				t.Errorf("request was %s %s with form %v", request.method, request.path, request.form)
			}
		})
	}
}

// Where a list goes on is the answer's word; where we send our credentials is not.
func TestListStaysAtItsBaseURL(t *testing.T) {
	elsewhere := serve(t, pages(t, 100))
	one := []any{map[string]any{"sid": testSid}}
	for _, next := range []string{
		elsewhere.URL + messagesPath + "?Page=1&PageToken=x",
		"//" + elsewhere.Listener.Addr().String() + "/?Page=1&PageToken=x",
		"/@" + elsewhere.Listener.Addr().String() + "/?Page=1&PageToken=x",
		"/2010-04-01/Accounts/" + testAccount + "/Calls.json?Page=1&PageToken=x&To=%2B18585550100",
	} {
		s := serve(t, answer(200, listPage(t, one, next)))
		found, err := newClient(t, s.URL).List(t.Context(), ListFilter{From: outbound.From, Limit: 2})
		if err != nil || len(found) != 2 {
			t.Errorf("next page %s: found %d, %v", next, len(found), err)
			continue
		}
		want := url.Values{"From": {string(outbound.From)}, "PageSize": {"2"}, "Page": {"1"}, "PageToken": {"x"}}
		request := s.seen()[1]
		query, err := url.ParseQuery(request.rawQuery)
		if diff := cmp.Diff(want, query); diff != "" || err != nil || request.path != messagesPath {
			t.Errorf("next page %s: asked for %s (%v), query (-want +got):\n%s", next, request.path, err, diff)
		}
	}
	if len(elsewhere.seen()) != 0 {
		t.Error("another server was asked")
	}
}

func TestListEndsAtAnEmptyPage(t *testing.T) {
	s := serve(t, answer(200, listPage(t, nil, messagesPath+"?Page=1&PageToken=x")))
	found, err := newClient(t, s.URL).List(t.Context(), ListFilter{})
	if err != nil || len(found) != 0 || len(s.seen()) != 1 {
		t.Errorf("List() = %v, %v after %d pages, want none after 1", found, err, len(s.seen()))
	}
}

func TestReadsThatFail(t *testing.T) {
	one := []any{map[string]any{"sid": testSid}}
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   fault.Kind
	}{
		{"dropped", drop, fault.Transient},
		{"cut short", answer(200, `{"messages":[`), fault.Transient},
		{"HTML", answer(200, "<html>"), fault.Transient},
		{"503", answer(503, "<html>"), fault.Transient},
		{"302", answer(302, "", "Location: /"), fault.Transient},
		{"429", answer(429, refusal(t, 20429, 429)), fault.Throttled},
		{"401", answer(401, refusal(t, 20003, 401)), fault.Fatal},
		{"404", answer(404, refusal(t, 20404, 404)), fault.Permanent},
		{"a next page without a token", answer(200, listPage(t, one, messagesPath)), fault.Transient},
		{"a next page that is no URL", answer(200, listPage(t, one, "%zz")), fault.Transient},
		{"an object without a Sid", answer(200, "{}"), fault.Transient},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			client := newClient(t, serve(t, test.answer).URL)
			_, listErr := client.List(t.Context(), ListFilter{To: outbound.To, From: outbound.From})
			_, fetchErr := client.Fetch(t.Context(), testSid)
			if test.name == "an object without a Sid" {
				listErr = fetchErr // As a list it is an empty one.
			}
			for _, err := range []error{listErr, fetchErr} {
				checkReadFault(t, err, test.want)
			}
		})
	}
}

func checkReadFault(t *testing.T, err error, want fault.Kind) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	checkNothingLeaks(t, err)
	classified, ok := errors.AsType[*fault.Error](err)
	if !ok || classified.Kind != want {
		t.Errorf("error %v, want one that is %s", err, want)
	}
}

func TestListWhenTheContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	page := pages(t, 1000)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("Page") == "1" {
			cancel()
			<-r.Context().Done()
			return
		}
		page(w, r)
	})
	found, err := newClient(t, s.URL).List(ctx, ListFilter{To: outbound.To})
	if found != nil {
		t.Errorf("List() = %d messages, want no part of a list", len(found))
	}
	checkReadFault(t, err, fault.Transient)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("List(): %v, want context.Canceled", err)
	}
}
