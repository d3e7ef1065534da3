package states_test

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	listed "quickdumpnow.com/smsrelay/functions/operator/conversations"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/contact"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// contacts are the stories of customers' names.
func contacts() []story {
	return []story{
		{"an operator names a customer over HTTP: the phone sees the name, and its tag stays when it is taken away", func(s *stage) {
			tag := s.meets(s.customer)
			one := "customer=" + url.QueryEscape(string(s.customer)) + "&number=" + url.QueryEscape(string(s.number))
			name := `{"twilio_number":"` + string(s.number) + `","customer":"` + string(s.customer) + `","name":"Ann: Miller"}`
			s.asks(http.MethodGet, one, "", http.StatusNotFound, "has no name")
			s.asks(http.MethodPut, "", name, http.StatusOK, `"action":"added"`)
			s.ended(s.text(2))
			s.got(s.first, tag+" "+string(s.customer)+": The "+secret+", please (1)", tag+" Ann: The "+secret+", please (2)")
			s.asks(http.MethodGet, one, "", http.StatusOK, `"name":"Ann Miller","tag":"`+tag+`"`)
			s.asks(http.MethodDelete, one, "", http.StatusOK, `"name":"","tag":"`+tag+`"},"was":"Ann Miller"`)
			s.asks(http.MethodDelete, one, "", http.StatusNotFound, "has no name")
		}},
		{"a customer is blocked: his text is dropped, and the one after the block goes out", func(s *stage) {
			s.meets(s.customer)
			b := contact.Blocking{Store: s.conversations, By: "ann", Now: s.now}
			blocks := func(on bool) {
				step, err := b.Apply(s.t.Context(), s.number, s.customer, on)
				s.must(err)
				if step.After.Blocked.On != on || step.After.Seal == "" {
					s.t.Errorf("the block is %+v, sealed %t", step.After.Blocked, step.After.Seal != "")
				}
			}
			blocks(true)
			s.ended(s.text(2))
			s.rests(2, ledger.ReasonBlocked, "dropped", "")
			blocks(false)
			s.ended(s.text(3))
			s.rests(3, "", "sending sent", "1@0 accepted queued")
			s.left(0, 0)
		}},
		{"an operator lists the names of a number page by page", func(s *stage) {
			s.meets(s.third) // Nobody gave this one a name.
			for _, customer := range []string{string(s.customer), string(s.second)} {
				s.asks(http.MethodPut, "", `{"twilio_number":"`+string(s.number)+`","customer":"`+customer+`","name":"Ann"}`,
					http.StatusOK, `"action":"added"`)
			}
			page := "limit=1&number=" + url.QueryEscape(string(s.number))
			s.asks(http.MethodGet, page, "", http.StatusOK, string(s.customer)+`","name":"Ann"}],"next_cursor":"`+string(s.customer)+`"`)
			s.asks(http.MethodGet, page+"&cursor="+url.QueryEscape(string(s.customer)), "", http.StatusOK, string(s.second)+`","name":"Ann"}]}`)
		}},
	}
}

// asks makes an operator's request for names, and wants an answer of that status that holds the words.
func (s *stage) asks(method, query, body string, want int, words string) {
	s.t.Helper()
	kept, ok := s.conversations.(listed.Store)
	if !ok {
		s.t.Fatalf("operators cannot read %T", s.conversations)
	}
	operator := operations.New(operations.Config{
		Queue: s.texts, Records: s.records, Routes: s.routes, Conversations: kept, Trail: &relaytest.MemoryAuditLog{}, Now: s.now,
		NewID: operations.NewID, Logger: slog.New(slog.NewTextHandler(s, nil)), Emit: telemetry.Discard,
	})
	request := events.APIGatewayV2HTTPRequest{RawPath: operations.PathContacts, RawQueryString: query, Body: body}
	request.RequestContext.HTTP.Method = method
	response, err := operator.Handle(s.t.Context(), request)
	s.must(err)
	if response.StatusCode != want || !strings.Contains(response.Body, words) {
		s.t.Errorf("%s ?%s %s is answered %d %s; want %d and %s", method, query, body, response.StatusCode, response.Body, want, words)
	}
}
