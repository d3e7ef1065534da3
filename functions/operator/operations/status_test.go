package operations_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// relayed is the first text, with two attempts. The second is still open.
func relayed() ledger.Record {
	r := relaytest.Record(1, noon)
	r.State, r.UpdatedAt, r.LeaseUntil, r.ExpiresAt = ledger.Sending, noon.Add(3*time.Second), noon.Add(time.Minute), 1829563200
	r.Media = []sms.Media{{URL: "https://api.twilio.com/secret-media", ContentType: "image/jpeg"}}
	r.Attempts = []ledger.Attempt{
		{
			Number: 1, To: relaytest.Destination, ClaimID: "secret-claim", StartedAt: noon, EndedAt: noon.Add(700 * time.Millisecond),
			Outcome: "transient", ErrorCode: 20503, HTTPStatus: 503, Error: "transient, code 20503, status 503",
		},
		{Number: 2, Hop: 1, To: relaytest.Fallback, ClaimID: "secret-claim", StartedAt: noon.Add(3 * time.Second)},
	}
	return r
}

func TestStatusOfOneText(t *testing.T) {
	manual := ledger.Record{
		MessageSid: newID, State: ledger.Sent, Manual: true, TwilioNumber: relaytest.TwilioNumber, Body: "secret body",
		ReceivedAt: noon, UpdatedAt: noon,
		Attempts: []ledger.Attempt{{
			Number: 1, To: relaytest.Destination, StartedAt: noon, EndedAt: noon, Outcome: "accepted", OutboundSid: relaytest.MessageSid(9),
			Status: sms.StatusSent,
		}},
	}
	dropped := relaytest.Record(2, noon)
	dropped.State, dropped.Reason = ledger.Dropped, ledger.ReasonNoRoute
	s := newStage()
	s.store(t, relayed(), dropped, manual)
	for sid, want := range map[string]string{
		relaytest.MessageSid(1): `{"message_sid":"SM00000000000000000000000000000001","state":"sending","twilio_number":"+18585550100",` +
			`"customer":"+18585550111","received_at":"2026-11-24T12:00:00Z","updated_at":"2026-11-24T12:00:03Z","next_at":"2026-11-24T12:01:00Z",` +
			`"num_media":1,"attempts":[` +
			`{"number":1,"hop":0,"destination":"+18585550122","started_at":"2026-11-24T12:00:00Z","ended_at":"2026-11-24T12:00:00.7Z",` +
			`"outcome":"transient","error_code":20503,"error":"transient, code 20503, status 503"},` +
			`{"number":2,"hop":1,"destination":"+18585550133","started_at":"2026-11-24T12:00:03Z"}]}`,
		relaytest.MessageSid(2): `{"message_sid":"SM00000000000000000000000000000002","state":"dropped","reason":"no_route",` +
			`"twilio_number":"+18585550100","customer":"+18585550111","received_at":"2026-11-24T12:00:00Z","updated_at":"2026-11-24T12:00:00Z",` +
			`"attempts":[]}`,
		newID: `{"message_sid":"` + newID + `","state":"sent","manual":true,"twilio_number":"+18585550100",` +
			`"received_at":"2026-11-24T12:00:00Z","updated_at":"2026-11-24T12:00:00Z","attempts":[` +
			`{"number":1,"hop":0,"destination":"+18585550122","started_at":"2026-11-24T12:00:00Z","ended_at":"2026-11-24T12:00:00Z",` +
			`"outcome":"accepted","outbound_sid":"SM00000000000000000000000000000009","status":"sent"}]}`,
	} {
		t.Run(sid, func(t *testing.T) {
			a := s.ask(t, status("message_sid="+sid))
			if a.status != http.StatusOK {
				t.Errorf("status %d", a.status)
			}
			compare(t, "answer", want, a.body)
		})
	}
}

func TestStatusOfNoText(t *testing.T) {
	s := newStage()
	s.store(t, relayed())
	s.ask(t, status("message_sid="+relaytest.MessageSid(2))).wantProblem(t, http.StatusNotFound, "no such text")
	s.ask(t, status("message_sid=")).wantProblem(t, http.StatusBadRequest, "message_sid is empty")
	s.ask(t, status("message_sid=x&limit=1")).wantProblem(t, http.StatusBadRequest, "message_sid names one text")
}

// TestTextsStayInTheLedger: neither form of the answer shows what was written, where media is, or a claim's mark.
func TestTextsStayInTheLedger(t *testing.T) {
	s := newStage()
	r := relayed()
	r.Body = "secret body"
	s.store(t, r)
	for _, query := range []string{"", "message_sid=" + r.MessageSid} {
		if a := s.ask(t, status(query)); strings.Contains(a.body, "secret") || !strings.Contains(a.body, r.MessageSid) {
			t.Errorf("answer to %q: %s", query, a.body)
		}
	}
}

func TestStoreErrorsStayInside(t *testing.T) {
	for _, query := range []string{"", "message_sid=" + relaytest.MessageSid(1)} {
		t.Run(query, func(t *testing.T) {
			s := newStage()
			s.ledger.Fault = func(string) error { return &fault.Error{Kind: fault.Transient, Err: errors.New("store-internal-4711")} }
			a := s.ask(t, status(query))
			a.wantProblem(t, http.StatusServiceUnavailable)
			if strings.Contains(a.body, "4711") {
				t.Errorf("the answer shows the ledger's error: %s", a.body)
			}
			if !strings.Contains(s.logged.String(), "store-internal-4711") {
				t.Errorf("the log does not show the ledger's error: %s", s.logged)
			}
		})
	}
}

// many are texts of two customers to two numbers, of changing states, a minute apart; the nth is the nth oldest.
func many(count int) []ledger.Record {
	records := make([]ledger.Record, count)
	for i := range records {
		r := relaytest.Record(i, noon.Add(time.Duration(i)*time.Minute))
		r.State = []ledger.State{ledger.Sent, ledger.Delivered, ledger.Failed}[i%3]
		if i%2 == 1 {
			r.Customer = "+18585550155"
		}
		if i%5 == 4 {
			r.TwilioNumber = "+18585550166"
		}
		records[i] = r
	}
	return records
}

// TestNumberThatIsNone: a slip is not taken for a number without texts, and what the ledger knows is found whatever it looks like.
func TestNumberThatIsNone(t *testing.T) {
	s := newStage()
	records := many(3)
	records[0].Customer, records[1].Customer = "QuickDump", "68849"
	s.store(t, records...)
	for query, want := range map[string]int{
		"number=abc": 400, "number=18585550155": 400, "number=8585550155": 400, "number=%2B1858555015": 422, "number=Nobody": 422,
		"number=QuickDump": 200, "number=68849": 200, "number=24365": 200, "number=%2B4407700900123": 200,
		"number=QuickDump&since=2030-01-01T00:00:00Z": 200,
	} {
		if got := s.ask(t, status(query)); got.status != want {
			t.Errorf("%s: status %d, want %d: %s", query, got.status, want, got.body)
		}
	}
	if got := s.ask(t, status("number=8585550155")); !strings.Contains(string(got.body), "+18585550155") {
		t.Errorf("the nearest is not named: %s", got.body)
	}
}

func TestListFilters(t *testing.T) {
	records := many(15)
	s := newStage()
	s.store(t, records...)
	for _, tt := range []struct {
		name, query string
		keep        func(ledger.Record) bool
	}{
		{"everything", "", func(ledger.Record) bool { return true }},
		{"a customer", "number=%2B18585550155", func(r ledger.Record) bool { return r.Customer == "+18585550155" }},
		{"a Twilio number", "number=%2B18585550166", func(r ledger.Record) bool { return r.TwilioNumber == "+18585550166" }},
		{
			"a number whose plus sign arrived as a blank", "number=+18585550155",
			func(r ledger.Record) bool { return r.Customer == "+18585550155" },
		},
		{"nobody's number", "number=%2B18585550177", func(ledger.Record) bool { return false }},
		{"a state", "state=failed", func(r ledger.Record) bool { return r.State == ledger.Failed }},
		{"since", "since=2026-11-24T12:10:00Z", func(r ledger.Record) bool { return !r.ReceivedAt.Before(noon.Add(10 * time.Minute)) }},
		{
			"since, to the millisecond", "since=2026-11-24T12:10:00.001Z",
			func(r ledger.Record) bool { return r.ReceivedAt.After(noon.Add(10 * time.Minute)) },
		},
		{
			"since, in another zone", "since=2026-11-24T13:10:00%2B01:00",
			func(r ledger.Record) bool { return !r.ReceivedAt.Before(noon.Add(10 * time.Minute)) },
		},
		{"until", "until=2026-11-24T12:10:00Z", func(r ledger.Record) bool { return r.ReceivedAt.Before(noon.Add(10 * time.Minute)) }},
		{
			"until, in another zone whose plus sign arrived as a blank", "until=2026-11-24T13:10:00+01:00",
			func(r ledger.Record) bool { return r.ReceivedAt.Before(noon.Add(10 * time.Minute)) },
		},
		{"between", "since=2026-11-24T12:03:00Z&until=2026-11-24T12:05:00Z", func(r ledger.Record) bool {
			return r.ReceivedAt.Equal(noon.Add(3*time.Minute)) || r.ReceivedAt.Equal(noon.Add(4*time.Minute))
		}},
		{"since the beginning of times", "since=0001-01-01T00:00:00Z", func(ledger.Record) bool { return true }},
		{"until after their end", "until=9999-12-31T23:59:59-23:00", func(ledger.Record) bool { return true }},
		{"before there were texts", "since=1990-01-01T00:00:00Z&until=1995-01-01T00:00:00Z", func(ledger.Record) bool { return false }},
		{"all of it", "number=+18585550155&state=delivered&since=2026-11-24T12:05:00Z", func(r ledger.Record) bool {
			return r.Customer == "+18585550155" && r.State == ledger.Delivered && !r.ReceivedAt.Before(noon.Add(5*time.Minute))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			query, err := url.ParseQuery(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(tt.query, "=+") {
				// It is sent as it is: Encode would correct it.
				a := s.ask(t, status(tt.query))
				var list operations.List
				decode(t, a.body, &list)
				compare(t, "texts", newestFirst(records, tt.keep), sids(list))
				return
			}
			compare(t, "texts", newestFirst(records, tt.keep), sids(s.list(t, query)))
		})
	}
}

// newestFirst returns the MessageSids of the records kept; records are oldest first.
func newestFirst(records []ledger.Record, keep func(ledger.Record) bool) []string {
	sids := []string{}
	for _, r := range slices.Backward(records) {
		if keep(r) {
			sids = append(sids, r.MessageSid)
		}
	}
	return sids
}

func TestListLimits(t *testing.T) {
	s := newStage()
	s.store(t, many(120)...)
	for query, want := range map[string]int{"": 20, "limit=1": 1, "limit=20": 20, "limit=100": 100} {
		a := s.ask(t, status(query))
		var list operations.List
		decode(t, a.body, &list)
		if got := len(list.Messages); got != want || list.NextCursor == "" {
			t.Errorf("%q: %d texts, next cursor %q; want %d and a cursor", query, got, list.NextCursor, want)
		}
	}
}

func TestPagingToTheEnd(t *testing.T) {
	records := many(23)
	s := newStage()
	s.store(t, records...)
	for _, limit := range []int{1, 7, 22, 23, 24, 100} {
		t.Run(strconv.Itoa(limit), func(t *testing.T) {
			var got []string
			query := url.Values{"limit": {strconv.Itoa(limit)}}
			for page := 0; ; page++ {
				list := s.list(t, query)
				got = append(got, sids(list)...)
				if list.NextCursor == "" {
					break
				}
				if len(list.Messages) > limit || page > len(records) {
					t.Fatalf("page %d has %d texts", page, len(list.Messages))
				}
				query.Set("cursor", list.NextCursor)
			}
			compare(t, "texts of all pages", newestFirst(records, func(ledger.Record) bool { return true }), got)
		})
	}
}

// pageFunc is a ledger that answers each list with one page.
type pageFunc func(ledger.Query) (ledger.Page, error)

func (pageFunc) Get(context.Context, string) (ledger.Record, error) {
	return ledger.Record{}, ledger.ErrNotFound
}

func (pageFunc) Update(context.Context, ledger.Record) (ledger.Record, error) {
	return ledger.Record{}, ledger.ErrNotFound
}

func (f pageFunc) List(_ context.Context, q ledger.Query) (ledger.Page, error) { return f(q) }

// TestEmptyPageMayGoOn: the store reads a bounded number of items, and may have found none of them yet.
func TestEmptyPageMayGoOn(t *testing.T) {
	next := ledger.CursorAt(relaytest.Record(1, noon))
	s := newStage()
	s.Records = pageFunc(func(ledger.Query) (ledger.Page, error) { return ledger.Page{Next: next}, nil })
	compare(t, "answer", `{"messages":[],"next_cursor":"`+next.String()+`"}`, s.ask(t, status("")).body)
	s.Records = pageFunc(func(ledger.Query) (ledger.Page, error) { return ledger.Page{}, nil })
	compare(t, "answer at the end", `{"messages":[]}`, s.ask(t, status("")).body)
}

// TestForeignCursor: a cursor may be well-formed and still not the ledger's own.
func TestForeignCursor(t *testing.T) {
	s := newStage()
	s.Records = pageFunc(func(ledger.Query) (ledger.Page, error) {
		return ledger.Page{}, fmt.Errorf("list: %w", ledger.ErrCursor)
	})
	cursor := ledger.CursorAt(relaytest.Record(1, noon)).String()
	s.ask(t, status("cursor="+cursor)).wantProblem(t, http.StatusUnprocessableEntity, "cursor:")
	if strings.Contains(s.logged.String(), `"level":"ERROR"`) {
		t.Errorf("the caller's mistake is logged as ours: %s", s.logged)
	}
}

func TestStatusRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, query string
		want        []string
	}{
		{
			"an unknown parameter", "phone=1",
			[]string{`unknown parameter "phone"`, "message_sid, number, state, since, until, limit, cursor, trail"},
		},
		{"a parameter in capitals", "State=sent", []string{`unknown parameter "State"`}},
		{"an unknown parameter next to message_sid", "message_sid=x&body=1", []string{`unknown parameter "body"`}},
		{"a parameter without a name", "=1", []string{`unknown parameter ""`}},
		{"a repeated parameter", "state=sent&state=failed", []string{"state is there twice"}},
		{"a parameter repeated as it was", "limit=5&limit=5", []string{"limit is there twice"}},
		{"message_sid twice", "message_sid=a&message_sid=b", []string{"message_sid is there twice"}},
		{"limit 0", "limit=0", []string{"limit: want a number from 1 to 100"}},
		{"limit 101", "limit=101", []string{"limit: want a number from 1 to 100"}},
		{"limit -1", "limit=-1", []string{"limit: want a number from 1 to 100"}},
		{"a limit that overflows", "limit=99999999999999999999", []string{"limit: want"}},
		{"a limit that is no number", "limit=all", []string{"limit: want"}},
		{"a limit with a blank", "limit=+5", []string{"limit: want"}},
		{"a fraction", "limit=1.5", []string{"limit: want"}},
		{"an unknown state", "state=lost", []string{"state: unknown", "delivered"}},
		{"a state in capitals", "state=SENT", []string{"state: unknown"}},
		{"a day", "since=2026-11-24", []string{"since: want a time of RFC 3339"}},
		{"a time without its zone", "since=2026-11-24T12:00:00", []string{"since: want"}},
		{"seconds since 1970", "since=1795521600", []string{"since: want"}},
		{"until a day", "until=2026-11-24", []string{"until: want a time of RFC 3339"}},
		{"a trail of something else", "message_sid=" + relaytest.MessageSid(1) + "&trail=yes", []string{"trail: want true or false"}},
		{"a trail that is a number", "trail=2", []string{"trail: want true or false"}},
		{"a number that no index has", "number=" + strings.Repeat("1", 101), []string{"number: want at most 100 characters"}},
		{"an invalid id", "message_sid=SM123", []string{"message_sid: want SM, MM or RL and 32 hexadecimal digits"}},
		{"an id with something behind", "message_sid=" + relaytest.MessageSid(1) + "0", []string{"message_sid: want"}},
		{
			"everything at once", "limit=0&state=lost&since=x&until=y&cursor=%21&phone=1",
			[]string{"limit:", "state:", "since:", "until:", "cursor:", `"phone"`},
		},
		{"a bad escape", "number=%zz", []string{"query string is unreadable"}},
		{"a semicolon", "limit=1;state=sent", []string{"query string is unreadable"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage()
			s.Records = pageFunc(func(q ledger.Query) (ledger.Page, error) {
				t.Errorf("the ledger is asked for %+v", q)
				return ledger.Page{}, nil
			})
			s.ask(t, status(tt.query)).wantProblem(t, http.StatusBadRequest, tt.want...)
		})
	}
}

// TestCursorsOfOthers are well-formed for all that openapi.json says.
func TestCursorsOfOthers(t *testing.T) {
	for _, cursor := range []string{"xyz", "%2B%2F%3D", "!"} {
		newStage().ask(t, status("cursor="+cursor)).wantProblem(t, http.StatusUnprocessableEntity, "cursor: not one of this list's")
	}
}

// FuzzStatus: whatever the query, the ledger is only asked what it may be, and the answer is one of five.
func FuzzStatus(f *testing.F) {
	for _, seed := range []string{
		"", "limit=5", "message_sid=x", "number=+1&state=sent&since=2026-11-24T12:00:00Z",
		"cursor=x", "%", "a=1&a=2",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, rawQuery string) {
		s := newStage()
		s.Records = pageFunc(func(q ledger.Query) (ledger.Page, error) {
			if q.Limit < 1 || q.Limit > ledger.MaxLimit || q.State != "" && !q.State.Known() {
				t.Errorf("the ledger is asked for %+v", q)
			}
			return ledger.Page{}, nil
		})
		a := s.ask(t, status(rawQuery))
		if !slices.Contains([]int{http.StatusOK, http.StatusBadRequest, http.StatusNotFound, http.StatusUnprocessableEntity}, a.status) ||
			!json.Valid([]byte(a.body)) {
			t.Errorf("status %d: %s", a.status, a.body)
		}
	})
}

// TestEmptyParametersAreRefused: a script whose variable is empty is not to be answered with everybody's texts.
func TestEmptyParametersAreRefused(t *testing.T) {
	for _, name := range []string{"message_sid", "number", "state", "since", "until", "limit", "cursor", "trail"} {
		s := newStage()
		s.ask(t, status(name+"=")).wantProblem(t, http.StatusBadRequest, name+" is empty")
	}
}
