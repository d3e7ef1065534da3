package operations_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

func contacts(method, rawQuery, body string) events.APIGatewayV2HTTPRequest {
	return request(method, operations.PathContacts, rawQuery, body)
}

const (
	ofAnn   = "number=%2B18585550100&customer=%2B13125550147"
	nameAnn = `{"twilio_number":"+18585550100","customer":"+13125550147","name":"Ann: Miller"}`
)

// TestContactIsNamedShownAndTakenAway: the API says of each change what the command says, and the record has who made it.
func TestContactIsNamedShownAndTakenAway(t *testing.T) {
	s := newStage()
	if a := s.ask(t, contacts(http.MethodGet, ofAnn, "")); a.status != http.StatusNotFound {
		t.Errorf("without a name: status %d: %s", a.status, a.body)
	}
	const contact = `"contact":{"twilio_number":"+18585550100","customer":"+13125550147","name":`
	for _, step := range []struct {
		request events.APIGatewayV2HTTPRequest
		want    string
	}{
		{
			contacts(http.MethodPut, "", strings.Replace(nameAnn, "}", `,"dry_run":true}`, 1)),
			`{"action":"added",` + contact + `"Ann Miller"},"was":"","dry_run":true}`,
		},
		{contacts(http.MethodPut, "", nameAnn), `{"action":"added",` + contact + `"Ann Miller"},"was":""}`},
		{contacts(http.MethodPut, "", nameAnn), `{"action":"unchanged",` + contact + `"Ann Miller"},"was":"Ann Miller"}`},
		{
			contacts(http.MethodPut, "", strings.Replace(nameAnn, "Ann: Miller", "Annie", 1)),
			`{"action":"changed",` + contact + `"Annie"},"was":"Ann Miller"}`,
		},
		{contacts(http.MethodGet, ofAnn, ""), `{"twilio_number":"+18585550100","customer":"+13125550147","name":"Annie"}`},
		{contacts(http.MethodDelete, ofAnn, ""), `{"action":"removed",` + contact + `""},"was":"Annie"}`},
	} {
		a := s.ask(t, step.request)
		if a.status != http.StatusOK {
			t.Fatalf("status %d: %s", a.status, a.body)
		}
		compare(t, "answer", step.want, a.body)
	}
	s.ask(t, contacts(http.MethodDelete, ofAnn, "")).wantProblem(t, http.StatusNotFound, "+13125550147 has no name")
	stored := s.conversations.Changes()
	if len(stored) != 3 || slices.ContainsFunc(stored, func(c conversation.Conversation) bool { return c.NamedBy != caller || c.Seal == "" }) {
		t.Errorf("stored versions are %+v, want three of %s, sealed", stored, caller)
	}
	if text := s.logged.String(); strings.Contains(text, "Ann") || strings.Contains(text, "5550147") {
		t.Errorf("logged: %s", text)
	}
}

// TestContactsPageByPage: those without a name are in no page, and each other one is in one.
func TestContactsPageByPage(t *testing.T) {
	s := newStage()
	want := []sms.PhoneNumber{}
	for i, customer := range []sms.PhoneNumber{"+13125550141", "+13125550142", "+13125550143", "+13125550144", "+13125550145"} {
		c := conversation.Conversation{TwilioNumber: relaytest.TwilioNumber, Customer: customer, Name: "Ann"}
		if i == 2 {
			c.Name = ""
		} else {
			want = append(want, customer)
		}
		if _, err := s.conversations.Put(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	got, query := []sms.PhoneNumber{}, "number=%2B18585550100&limit=3"
	for pages := 1; ; pages++ {
		var list operations.ContactList
		decode(t, s.ask(t, contacts(http.MethodGet, query, "")).body, &list)
		for _, c := range list.Contacts {
			got = append(got, c.Customer)
		}
		if list.NextCursor == "" {
			if pages != 2 {
				t.Errorf("%d pages, want 2", pages)
			}
			break
		}
		query = "number=%2B18585550100&limit=3&cursor=" + strings.Replace(list.NextCursor, "+", "%2B", 1)
	}
	compare(t, "customers", want, got)
	compare(t, "no page", `{"contacts":[]}`, s.ask(t, contacts(http.MethodGet, "number=%2B18585550199", "")).body)
}

func TestContactsRefuse(t *testing.T) {
	get, put, remove := http.MethodGet, http.MethodPut, http.MethodDelete
	changed := func(from, to string) string { return strings.Replace(nameAnn, from, to, 1) }
	for name, tt := range map[string]struct {
		request events.APIGatewayV2HTTPRequest
		status  int
		want    string
	}{
		"no number":              {contacts(get, "", ""), http.StatusBadRequest, "number: is missing"},
		"a number that is none":  {contacts(get, "number=Ann", ""), http.StatusBadRequest, "number: want E.164"},
		"a limit that is none":   {contacts(get, "number=%2B18585550100&limit=0", ""), http.StatusBadRequest, "limit: want"},
		"a customer in a list":   {contacts(get, ofAnn+"&limit=3", ""), http.StatusUnprocessableEntity, "limit: customer"},
		"an unknown parameter":   {contacts(get, ofAnn+"&name=Ann", ""), http.StatusBadRequest, "unknown parameter"},
		"whose name goes":        {contacts(remove, "number=%2B18585550100", ""), http.StatusBadRequest, "customer: is missing"},
		"no customer":            {contacts(put, "", changed("+13125550147", "")), http.StatusBadRequest, "customer: want"},
		"no fields":              {contacts(put, "", "{}"), http.StatusBadRequest, "name: want"},
		"no object":              {contacts(put, "", "Ann"), http.StatusBadRequest, "not one JSON object"},
		"a name of no letters":   {contacts(put, "", changed("Ann: Miller", "日本")), http.StatusUnprocessableEntity, "name: nothing is left"},
		"a number without route": {contacts(put, "", changed("550100", "550199")), http.StatusConflict, "has no route"},
		"another method":         {contacts(http.MethodPost, "", nameAnn), http.StatusMethodNotAllowed, "use GET, PUT, DELETE"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage()
			s.ask(t, tt.request).wantProblem(t, tt.status, tt.want)
			if stored := s.conversations.Changes(); len(stored) != 0 {
				t.Errorf("stored are %+v, want nothing", stored)
			}
		})
	}
}

// TestContactsOfABusyTable: what cannot be read or written is a 503.
func TestContactsOfABusyTable(t *testing.T) {
	for _, op := range []string{"Get", "Put", "ListConversations"} {
		s := newStage()
		s.conversations.Fault = func(at string) error {
			if at == "before "+op {
				return &fault.Error{Kind: fault.Throttled, Err: errors.New("busy")}
			}
			return nil
		}
		statuses := []int{
			s.ask(t, contacts(http.MethodPut, "", nameAnn)).status, s.ask(t, contacts(http.MethodGet, "number=%2B18585550100", "")).status,
		}
		if !slices.Contains(statuses, http.StatusServiceUnavailable) {
			t.Errorf("%s fails: statuses %v, want a 503", op, statuses)
		}
	}
}
