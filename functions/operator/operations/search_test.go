package operations_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/functions/operator/conversations"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// searched is a relay whose ledger has no index of words, as on AWS, with texts of three customers, a minute apart, and what the relay
// wrote.
func searched(t *testing.T) stage {
	t.Helper()
	s := newStage()
	var all []ledger.Record
	for n := range 12 {
		r := relaytest.Record(n, noon.Add(time.Duration(n)*time.Minute))
		r.State, r.Customer = ledger.Sent, []sms.PhoneNumber{"+13125550147", "+13125550148", "+13125550149"}[n%3]
		switch n {
		case 9:
			r.Notice = true
		case 10:
			r.ParentSid = all[0].MessageSid
		}
		all = append(all, r)
	}
	s.store(t, all...)
	for customer, name := range map[sms.PhoneNumber]string{"+13125550147": "Ann Miller", "+13125550148": "Ann Smith", "+13125550149": "Zoe"} {
		c := conversation.Conversation{TwilioNumber: relaytest.TwilioNumber, Customer: customer, Name: name}
		if name == "Zoe" {
			c.Tag, c.TagVersion = "A05", 1
			if _, err := s.conversations.PutTag(t.Context(), c, conversation.TagUse{
				Tag: c.Tag, Number: c.TwilioNumber, Customer: customer, UsedAt: noon,
			}); err != nil {
				t.Fatal(err)
			}
			continue
		}
		s.keep(t, c)
	}
	return s
}

// minutes goes from page to page, and returns when the texts came in, in minutes after noon.
func (s stage) minutes(t *testing.T, query string) string {
	t.Helper()
	var found []string
	for cursor := ""; ; {
		a := s.ask(t, get(operations.PathSearch, query+cursor))
		if a.status != http.StatusOK {
			t.Fatalf("%s: %d %s", query, a.status, a.body)
		}
		var page conversations.Found
		decode(t, a.body, &page)
		for _, one := range page.Texts {
			found = append(found, one.ReceivedAt.Format("4"))
			if one.Text != nil || page.Count > 0 {
				t.Errorf("%s: somebody who did not look for words is shown some: %s", query, a.body)
			}
		}
		if page.NextCursor == "" {
			return strings.Join(found, " ")
		}
		cursor = "&cursor=" + url.QueryEscape(page.NextCursor)
	}
}

// TestSearchWithoutWords: the filters apply together, and the pages have each text once, the newest first.
func TestSearchWithoutWords(t *testing.T) {
	s := searched(t)
	for query, want := range map[string]string{
		"":                               "11 8 7 6 5 4 3 2 1 0",
		"number=%2B13125550147":          "6 3 0",
		"tag=a05":                        "11 8 5 2",
		"tag=A05&name=zo":                "11 8 5 2",
		"tag=A05&name=ann":               "",
		"tag=A18":                        "",
		"name=ann&number=%2B18585550100": "7 6 4 3 1 0",
		"name=mil+ann&number=%2B18585550100&since=2026-11-24T12:03:00Z": "6 3",
		"name=ann&number=%2B18585550100&until=2026-11-24T12:03:00Z":     "1 0",
		"name=nobody&number=%2B18585550100":                             "",
	} {
		for _, limit := range []string{"&limit=2", "&limit=3", ""} {
			if got := s.minutes(t, query+limit); got != want {
				t.Errorf("%s%s: minutes %s, want %s", query, limit, got, want)
			}
		}
	}
	for n := range 12 {
		if r, err := s.ledger.Get(t.Context(), relaytest.MessageSid(n)); err != nil || r.Reading.Number != 0 {
			t.Errorf("text %d was read %d times, error %v", n, r.Reading.Number, err)
		}
	}
}

func TestSearchRefuses(t *testing.T) {
	s := searched(t)
	for query, want := range map[string]struct {
		status int
		detail string
	}{
		"words=gate":                        {422, "words: what texts say cannot be searched on AWS"},
		"words=%2A%22":                      {422, "words: there is no word in it"},
		"words=" + strings.Repeat("a", 201): {400, "words: want at most 200 characters"},
		"words=1+2+3+4+5+6+7+8+9+10+11":     {422, "words: want at most 10 words"},
		"name=ann":                          {422, "number: a name is looked for among the customers of one number"},
		"name=ann&number=%2B13125550147":    {422, "number: a name is looked for among the customers of one number"},
		"tag=A06":                           {422, `tag: "A06" is none`},
		"cursor=x":                          {422, "cursor: not one of this list's"},
		"limit=0":                           {400, "limit:"},
		"state=sent":                        {400, `unknown parameter "state"`},
		"words=":                            {400, "words is empty"},
	} {
		s.ask(t, get(operations.PathSearch, query)).wantProblem(t, want.status, want.detail)
	}
	for n := range 11 {
		s.keep(t, conversation.Conversation{
			TwilioNumber: relaytest.TwilioNumber, Name: "Eve",
			Customer: sms.PhoneNumber("+131255501" + string(rune('1'+n%9)) + string(rune('0'+n/9))),
		})
	}
	s.ask(t, get(operations.PathSearch, "name=eve&number=%2B18585550100")).wantProblem(t, 422, "name: more than 10 customers are called that")
}
