package seeding_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/cfn"

	"quickdumpnow.com/smsrelay/functions/seed-routes/cloudformation"
	"quickdumpnow.com/smsrelay/functions/seed-routes/seeding"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/route"
)

const (
	stackID   = "arn:aws:cloudformation:us-east-1:000000000000:stack/relay/7"
	signature = "fakesignature"
)

// stack is CloudFormation with a stack of one custom resource: what it asks for, it wants answered once, and it goes on as
// CloudFormation does, back to where it was if something fails.
type stack struct {
	t       *testing.T
	handler *seeding.Handler
	server  *httptest.Server
	logs    *strings.Builder
	// properties and identity are the resource's; nil before there is one.
	properties map[string]any
	identity   string
	requests   int

	mu      sync.Mutex
	answers map[string][]cfn.Response
	// refuses is asked for a status before an answer is taken; 0 takes it.
	refuses func() int
}

// newStack returns CloudFormation before a handler of this configuration, whose answers go to it.
func newStack(t *testing.T, config seeding.Config) *stack {
	t.Helper()
	s := &stack{t: t, logs: &strings.Builder{}, answers: map[string][]cfn.Response{}}
	s.server = httptest.NewServer(http.HandlerFunc(s.take))
	t.Cleanup(s.server.Close)
	config.Answer = cloudformation.NewResponder(nil).Send
	config.Logger = slog.New(slog.NewTextHandler(s.logs, nil))
	if config.Now == nil {
		config.Now = func() time.Time { return noon }
	}
	s.handler = seeding.New(config)
	return s
}

// take takes an answer, as the bucket behind a signed address does.
func (s *stack) take(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuses != nil {
		if status := s.refuses(); status != 0 {
			w.Header().Set("Location", s.server.URL+"/elsewhere")
			w.WriteHeader(status)
			return
		}
	}
	body, err := io.ReadAll(r.Body)
	var answer cfn.Response
	if err == nil {
		err = json.Unmarshal(body, &answer)
	}
	if err != nil || r.Method != http.MethodPut || r.Header.Get("Content-Type") != "" ||
		r.URL.Query().Get("Signature") != signature || len(body) > 4096 {
		s.t.Errorf("answer of %d bytes by %s to %s, error %v", len(body), r.Method, r.URL.Path, err)
	}
	s.answers[r.URL.Path] = append(s.answers[r.URL.Path], answer)
}

// ask makes a request and returns its answer.
func (s *stack) ask(kind cfn.RequestType, properties, old map[string]any) cfn.Response {
	s.t.Helper()
	payload, err := json.Marshal(s.request(kind, properties, old))
	if err != nil {
		s.t.Fatal(err)
	}
	return s.askWith(payload)
}

func (s *stack) request(kind cfn.RequestType, properties, old map[string]any) cfn.Event {
	s.requests++
	return cfn.Event{
		RequestType: kind, RequestID: fmt.Sprint("request-", s.requests), ResponseURL: s.address(), ResourceType: "Custom::SeedRoutes",
		LogicalResourceID: "SeedRoutes", StackID: stackID, PhysicalResourceID: s.identity,
		ResourceProperties: properties, OldResourceProperties: old,
	}
}

// address is where the request at hand is to be answered.
func (s *stack) address() string {
	return s.server.URL + s.path() + "?Signature=" + signature
}

func (s *stack) path() string { return fmt.Sprint("/answers/", s.requests) }

// askWith makes the request at hand with a payload of the test's own.
func (s *stack) askWith(payload []byte) cfn.Response {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	if _, err := s.handler.Handle(ctx, payload); err != nil {
		s.t.Fatalf("Handle: %v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	answers := s.answers[s.path()]
	if len(answers) != 1 {
		s.t.Fatalf("request %d was answered %d times", s.requests, len(answers))
	}
	answer := answers[0]
	if answer.RequestID != fmt.Sprint("request-", s.requests) || answer.StackID != stackID || answer.LogicalResourceID != "SeedRoutes" ||
		answer.PhysicalResourceID == "" {
		s.t.Errorf("answer %+v is of another request", answer)
	}
	if (answer.Reason != "") != (answer.Status == cfn.StatusFailed) {
		s.t.Errorf("answer %s with the reason %q", answer.Status, answer.Reason)
	}
	if strings.Contains(s.logs.String()+answer.Reason, signature) {
		s.t.Errorf("the address is shown: %s %s", s.logs, answer.Reason)
	}
	return answer
}

// deploy creates or updates the stack and returns the answer that decided, with the stack's status after it.
func (s *stack) deploy(properties map[string]any) (answer cfn.Response, status string) {
	s.t.Helper()
	old := s.properties
	switch {
	case old == nil:
		answer = s.ask(cfn.RequestCreate, properties, nil)
		s.identity, s.properties = answer.PhysicalResourceID, properties
		if answer.Status == cfn.StatusSuccess {
			return answer, "CREATE_COMPLETE"
		}
		return answer, s.remove("ROLLBACK")
	case reflect.DeepEqual(old, properties):
		return cfn.Response{}, "no changes"
	}
	answer = s.ask(cfn.RequestUpdate, properties, old)
	s.check(answer)
	if answer.Status == cfn.StatusSuccess {
		s.properties = properties
		return answer, "UPDATE_COMPLETE"
	}
	back := s.ask(cfn.RequestUpdate, old, properties)
	s.check(back)
	if back.Status != cfn.StatusSuccess {
		return answer, "UPDATE_ROLLBACK_FAILED"
	}
	return answer, "UPDATE_ROLLBACK_COMPLETE"
}

// check holds that an update did not make another resource of it: the old one would be deleted.
func (s *stack) check(answer cfn.Response) {
	s.t.Helper()
	if answer.PhysicalResourceID != s.identity {
		s.t.Errorf("the resource is now %s, was %s", answer.PhysicalResourceID, s.identity)
	}
}

// remove deletes the resource.
func (s *stack) remove(what string) string {
	s.t.Helper()
	answer := s.ask(cfn.RequestDelete, s.properties, nil)
	s.check(answer)
	s.properties, s.identity = nil, ""
	if answer.Status != cfn.StatusSuccess {
		return what + "_FAILED"
	}
	return what + "_COMPLETE"
}

// bucket is S3: objects, and faults to come first.
type bucket struct {
	objects map[seeding.Object]string
	faults  []error
	reads   int
}

func (b *bucket) read(_ context.Context, o seeding.Object, limit int64) ([]byte, error) {
	b.reads++
	if len(b.faults) > 0 {
		next := b.faults[0]
		b.faults = b.faults[1:]
		if next != nil {
			return nil, next
		}
	}
	text, ok := b.objects[o]
	switch {
	case !ok:
		return nil, &fault.Error{Kind: fault.Permanent, HTTPStatus: http.StatusNotFound, Err: fmt.Errorf("S3 GetObject: NoSuchKey")}
	case int64(len(text)) > limit:
		return nil, &fault.Error{Kind: fault.Permanent, Err: fmt.Errorf("S3 GetObject: the object is larger than %d bytes", limit)}
	}
	return []byte(text), nil
}

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// at names a file of the bucket, and a version of the stack's parameter.
func at(key, version string) map[string]any {
	return map[string]any{
		"ServiceToken": "arn:aws:lambda:us-east-1:000000000000:function:seed", "Bucket": "seed",
		"Key": key, "Version": version,
	}
}

// file is a maintenance.json of those routes.
func file(routes ...string) string { return `{"routes":[` + strings.Join(routes, ",\n") + `]}` }

// entry is a route of a file, from a number to a phone, both given by their last two digits.
func entry(number, phone, updated string) string {
	return fmt.Sprintf(`{"TwilioNumber":"+185855501%s","DestinationCarrier":"+185855501%s","Active":true,"LastUpdated":"%s"}`,
		number, phone, updated)
}

// list returns the table as lines: number, phone, version and who wrote it.
func list(t *testing.T, table route.Table) []string {
	t.Helper()
	all, err := table.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{}
	for _, r := range all {
		lines = append(lines, fmt.Sprintf("%s to %s, version %d by %s", r.TwilioNumber, r.DestinationCarrier, r.Version, r.UpdatedBy))
	}
	return lines
}
