package operations_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"quickdumpnow.com/smsrelay/functions/operator/conversations"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/contact"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// document is openapi.json, checked as a whole.
var document = sync.OnceValues(func() (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromFile("openapi.json")
	if err != nil {
		return nil, err
	}
	return doc, doc.Validate(context.Background(), openapi3.EnableExamplesValidation())
})

var router = sync.OnceValues(func() (routers.Router, error) {
	doc, err := document()
	if err != nil {
		return nil, err
	}
	return gorillamux.NewRouter(doc)
})

// TestRoutesAreDescribed: the document names the paths and methods that there are, and no others.
func TestRoutesAreDescribed(t *testing.T) {
	doc, err := document()
	if err != nil {
		t.Fatal(err)
	}
	described := map[string][]string{}
	for path, item := range doc.Paths.Map() {
		described[path] = slices.Sorted(maps.Keys(item.Operations()))
	}
	compare(t, "paths", map[string][]string{
		operations.PathRelay: {http.MethodPost}, operations.PathReply: {http.MethodPost},
		operations.PathStatus: {http.MethodGet}, operations.PathText: {http.MethodGet}, operations.PathSearch: {http.MethodGet},
		operations.PathOpenAPI: {http.MethodGet}, operations.PathContacts: {http.MethodDelete, http.MethodGet, http.MethodPut},
		operations.PathBlocks:        {http.MethodDelete, http.MethodGet, http.MethodPut},
		operations.PathConversations: {http.MethodGet}, operations.PathWords: {http.MethodGet}, operations.PathGive: {http.MethodPost},
		operations.PathDone: {http.MethodPost}, operations.PathResume: {http.MethodPost},
		operations.PathResend: {http.MethodPost}, operations.PathUncertain: {http.MethodPost},
		operations.PathDeadLetters: {http.MethodGet, http.MethodPost},
		operations.PathUsers:       {http.MethodDelete, http.MethodGet, http.MethodPost, http.MethodPut},
		operations.PathSignOut:     {http.MethodPost},
		operations.PathDuty:        {http.MethodDelete, http.MethodGet, http.MethodPost},
		operations.PathOff:         {http.MethodDelete, http.MethodPost},
		operations.PathHours:       {http.MethodPut}, operations.PathWhere: {http.MethodGet},
	}, described)
}

// TestDescription: what is served is the document.
func TestDescription(t *testing.T) {
	a := newStage().ask(t, request(http.MethodGet, operations.PathOpenAPI, "", ""))
	file, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var want, got any
	decode(t, string(file), &want)
	decode(t, a.body, &got)
	compare(t, "description", want, got)
}

// TestStatesAreDescribed: a new state is one in the document, too.
func TestStatesAreDescribed(t *testing.T) {
	doc, err := document()
	if err != nil {
		t.Fatal(err)
	}
	want := []any{}
	for _, state := range ledger.States() {
		want = append(want, string(state))
	}
	compare(t, "states", want, doc.Components.Schemas["State"].Value.Enum)
}

// TestFieldsAreDescribed: every field of every answer and of the request is in the document by its name, and the other way
// round.
func TestFieldsAreDescribed(t *testing.T) {
	doc, err := document()
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]any{
		"RelayRequest": operations.RelayRequest{}, "RelayAnswer": operations.RelayAnswer{}, "DryRun": operations.DryRun{},
		"ReplyRequest": operations.ReplyRequest{}, "Picture": operations.Picture{}, "Hop": operations.Hop{},
		"Route": operations.Route{}, "Message": operations.Message{}, "Attempt": operations.Attempt{}, "List": operations.List{},
		"Problem": operations.Problem{}, "ContactRequest": operations.ContactRequest{}, "ContactList": operations.ContactList{},
		"Contact": contact.Shown{}, "ContactChange": contact.ShownStep{},
		"Block": contact.ShownBlock{}, "BlockChange": contact.ShownBlockStep{}, "BlockRequest": operations.BlockRequest{},
		"Found": conversations.Found{}, "FoundText": conversations.FoundText{}, "BlockList": operations.BlockList{},
		"Customer": conversations.Shown{}, "CustomerDetails": conversations.Details{},
		"CustomerList": conversations.List{}, "CustomerPhone": conversations.Phone{}, "CustomerText": conversations.Text{},
		"GiveRequest": operations.GiveRequest{}, "DoneRequest": operations.DoneRequest{}, "ResumeRequest": operations.ResumeRequest{},
		"Resumed": conversations.Resumed{}, "OptOut": conversations.OptOut{}, "Blocked": conversations.Blocked{},
		"User": operations.User{}, "UserChange": operations.UserChange{}, "UserRequest": operations.UserOrder{},
		"Duty": operations.Duty{}, "DutySpan": operations.DutySpan{}, "DutyPhone": operations.DutyPhone{}, "DutyOff": operations.DutyOff{},
		"DutyOverride": operations.DutyOverride{}, "Shift": operations.Shift{}, "Finding": operations.Finding{},
		"DutyChange": operations.DutyChange{}, "Difference": operations.Difference{}, "OverrideRequest": operations.OverrideRequest{},
		"OffRequest": operations.OffRequest{}, "HoursRequest": operations.HoursRequest{}, "Where": operations.Where{},
		"WherePhone": operations.WherePhone{},
		"Text":       operations.Text{}, "Media": operations.Media{},
		"Trail": operations.Trail{}, "Entry": operations.Entry{}, "EntryAttempt": operations.EntryAttempt{},
	} {
		want := []string{}
		for _, field := range reflect.VisibleFields(reflect.TypeOf(value)) {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if name != "-" && !field.Anonymous {
				want = append(want, name)
			}
		}
		slices.Sort(want)
		compare(t, "fields of "+name, want, slices.Sorted(maps.Keys(doc.Components.Schemas[name].Value.Properties)))
	}
}

// described fails unless the answer is one that the document has for the request, and unless the document finds as much wrong
// with the request as the handler does: it is malformed if the answer is 400, and else it is not. What is no route of the
// document's is passed over.
func described(ctx context.Context, t *testing.T, e events.APIGatewayV2HTTPRequest, response events.APIGatewayV2HTTPResponse) {
	t.Helper()
	rooted, err := router()
	if err != nil {
		t.Fatal(err)
	}
	r := httpRequest(ctx, e)
	route, parameters, err := rooted.FindRoute(r)
	if err != nil || response.StatusCode == http.StatusMethodNotAllowed {
		return
	}
	input := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: parameters, Route: route,
		Options: &openapi3filter.Options{
			AuthenticationFunc:    openapi3filter.NoopAuthenticationFunc,
			IncludeResponseStatus: true, MultiError: true,
		},
	}
	wrong := openapi3filter.ValidateRequest(ctx, input)
	switch refused := response.StatusCode == http.StatusBadRequest; {
	case refused && wrong == nil && !beyondSchemas(e):
		t.Errorf("the document allows what is refused: %s %s\n%s", e.RawQueryString, e.Body, response.Body)
	case !refused && wrong != nil && response.StatusCode != http.StatusRequestEntityTooLarge && !strings.Contains(e.RawQueryString, "+"):
		// A plus sign that was not escaped is a blank, which the document does not mention.
		t.Errorf("the document does not allow what is accepted: %s %s\n%v", e.RawQueryString, e.Body, wrong)
	}
	header := http.Header{}
	for name, value := range response.Headers {
		header.Set(name, value)
	}
	answer := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: response.StatusCode, Header: header,
		Options: input.Options,
	}
	answer.SetBodyBytes([]byte(response.Body))
	if err := openapi3filter.ValidateResponse(ctx, answer); err != nil {
		t.Errorf("the document does not describe this answer: %v", err)
	}
}

// beyondSchemas reports whether a request is malformed in a way that no schema says: what is unreadable, is there twice, has no
// place in a query or is too long as Twilio counts.
func beyondSchemas(e events.APIGatewayV2HTTPRequest) bool {
	query, err := url.ParseQuery(e.RawQueryString)
	if err != nil {
		return true
	}
	names := []string{"message_sid", "number", "state", "since", "until", "limit", "cursor", "trail"}
	switch e.RawPath {
	case operations.PathText:
		names = []string{"message_sid"}
	case operations.PathSearch:
		names = []string{"words", "number", "name", "tag", "since", "until", "limit", "cursor"}
	case operations.PathContacts, operations.PathBlocks:
		names = []string{"number", "customer", "limit", "cursor"}
	case operations.PathConversations:
		names = []string{"number", "customer", "limit", "cursor", "open", "only"}
	case operations.PathDeadLetters:
		names = nil
	case operations.PathUsers:
		names = []string{"name"}
	case operations.PathDuty:
		names = []string{"number", "from"}
		if e.RequestContext.HTTP.Method == http.MethodDelete {
			names = []string{"number", "override", "version", "dry_run"}
		}
	case operations.PathOff:
		names = []string{"number", "phone", "version", "dry_run"}
	case operations.PathWhere:
		names = []string{"number", "customer", "at"}
	case operations.PathWords:
		names = []string{"number", "customer", "limit"}
	}
	for name, values := range query {
		if len(values) > 1 || values[0] == "" || !slices.Contains(names, name) {
			return true
		}
	}
	return !slices.Contains([]string{operations.PathStatus, operations.PathText, operations.PathOpenAPI}, e.RawPath) &&
		e.RequestContext.HTTP.Method != http.MethodGet && beyondBodySchema(e.Body)
}

func httpRequest(ctx context.Context, e events.APIGatewayV2HTTPRequest) *http.Request {
	var body io.Reader = strings.NewReader(e.Body)
	if e.IsBase64Encoded {
		body = base64.NewDecoder(base64.StdEncoding, strings.NewReader(e.Body))
	}
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", body)
	r.Method, r.URL = e.RequestContext.HTTP.Method, &url.URL{Path: e.RawPath, RawQuery: e.RawQueryString}
	r.Header.Set("Content-Type", "application/json")
	return r
}

// beyondBodySchema reports whether a body is malformed in a way that its schema does not say.
func beyondBodySchema(body string) bool {
	decoder := json.NewDecoder(strings.NewReader(body))
	var wanted struct{ Body string }
	if err := decoder.Decode(&wanted); err != nil {
		return true
	}
	_, err := decoder.Token()
	return !errors.Is(err, io.EOF) || sms.Length(wanted.Body) > sms.MaxBody && len([]rune(wanted.Body)) <= sms.MaxBody
}
