package seeding_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/functions/seed-routes/seeding"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

const (
	morning = "2026-11-26T08:00:00Z"
	later   = "2026-11-26T11:00:00Z"
)

// wants fails unless the table has those lines.
func wants(t *testing.T, table route.Table, lines ...string) {
	t.Helper()
	if diff := cmp.Diff(append([]string{}, lines...), list(t, table)); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

// deploys deploys and fails unless the stack is then in that status.
func (s *stack) deploys(properties map[string]any, status, put, kept string) {
	s.t.Helper()
	answer, got := s.deploy(properties)
	want := map[string]any{"Put": put, "Kept": kept}
	if diff := cmp.Diff(want, answer.Data); got != status || (put != "" && diff != "") {
		s.t.Errorf("%s with %v (%s), want %s with %v", got, answer.Data, answer.Reason, status, want)
	}
}

// edit is an operator's change of a route.
func edit(t *testing.T, table route.Table, number, phone sms.PhoneNumber, at time.Time) {
	t.Helper()
	found, err := table.Lookup(t.Context(), number)
	if err != nil {
		t.Fatal(err)
	}
	r := found[number]
	r.DestinationCarrier, r.LastUpdated, r.UpdatedBy = phone, at, "anna"
	if _, err := table.Put(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

// life takes a stack through its life, with a bucket that holds a file under "one", later files under "two" and "three", and
// nothing that is right under "wrong". at names them.
func life(t *testing.T, s *stack, table route.Table, at func(key, version string) map[string]any) {
	t.Helper()
	s.deploys(at("one", "1"), "CREATE_COMPLETE", "2", "0")
	wants(t, table, "+18585550100 to +18585550122, version 1 by seed", "+18585550101 to +18585550122, version 1 by seed")
	edit(t, table, "+18585550100", "+18585550144", noon.Add(-time.Hour/2))
	edited := "+18585550100 to +18585550144, version 2 by anna"
	s.deploys(at("one", "2"), "UPDATE_COMPLETE", "0", "2")
	wants(t, table, edited, "+18585550101 to +18585550122, version 1 by seed")
	s.deploys(at("two", "2"), "UPDATE_COMPLETE", "2", "1")
	after := []string{edited, "+18585550101 to +18585550133, version 2 by seed", "+18585550102 to +18585550122, version 1 by seed"}
	wants(t, table, after...)
	answer, status := s.deploy(at("wrong", "2"))
	if status != "UPDATE_ROLLBACK_COMPLETE" || !strings.Contains(answer.Reason, "routes[1]: hop ***0100 is itself routed in routes[0]") {
		t.Errorf("%s, reason %q", status, answer.Reason)
	}
	wants(t, table, after...)
	// A rollback to an older file does not undo what came after it.
	s.deploys(at("one", "3"), "UPDATE_COMPLETE", "0", "2")
	wants(t, table, after...)
	if status := s.remove("DELETE"); status != "DELETE_COMPLETE" {
		t.Error(status)
	}
	wants(t, table, after...)
	s.deploys(at("one", "1"), "CREATE_COMPLETE", "0", "2")
	wants(t, table, after...)
}

// files are what life expects to find.
func files() map[string]string {
	return map[string]string{
		"one":   file(entry("00", "22", morning), entry("01", "22", morning)),
		"two":   file(entry("00", "33", later), entry("01", "33", later), entry("02", "22", later)),
		"wrong": file(entry("00", "22", later), entry("01", "00", later), entry("03", "22", later)),
	}
}

func TestLifeOfAStack(t *testing.T) {
	t.Parallel()
	b := &bucket{objects: map[seeding.Object]string{}}
	for key, text := range files() {
		b.objects[seeding.Object{Bucket: "seed", Key: key}] = text
	}
	table := &relaytest.MemoryRoutes{}
	life(t, newStack(t, seeding.Config{Read: b.read, Routes: table}), table, at)
}

// TestRequests goes through every kind of request and of trouble. The table has one route before and after.
func TestRequests(t *testing.T) {
	t.Parallel()
	const kept = "+18585550100 to +18585550122, version 1 by anna"
	tests := []struct {
		name string
		kind cfn.RequestType
		// properties are those of the request; nil is a good file.
		properties map[string]any
		change     func(*seeding.Config, *bucket, *relaytest.MemoryRoutes)
		// reason is what the answer has to say; empty is success.
		reason string
		// puts is whether the file's route is put.
		puts bool
	}{
		{name: "create", kind: "Create", puts: true},
		{name: "update", kind: "Update", puts: true},
		{name: "delete", kind: "Delete"},
		{name: "another kind", kind: "Upsert", reason: `requests of type "Upsert" are not known`},
		{name: "no kind", kind: "", reason: `requests of type "" are not known`},
		{name: "a version by its id", kind: "Create", properties: map[string]any{"Bucket": "seed", "Key": "good", "VersionId": "v1"}, puts: true},
		{
			name: "a version that is not there", kind: "Create", properties: map[string]any{"Bucket": "seed", "Key": "good", "VersionId": "v2"},
			reason: "read s3://seed/good: permanent, status 404: S3 GetObject: NoSuchKey",
		},
		{name: "no bucket", kind: "Update", properties: map[string]any{"Key": "good"}, reason: "property Bucket should be a text"},
		{
			name: "nothing named", kind: "Update", properties: map[string]any{"Bucket": ""},
			reason: "property Bucket should be a text\nproperty Key should be a text",
		},
		{
			name: "a list for a key", kind: "Create", properties: map[string]any{"Bucket": "seed", "Key": []string{"good"}, "VersionId": 7},
			reason: "property Key should be a text\nproperty VersionId should be a text",
		},
		{name: "nothing named, and deleted", kind: "Delete", properties: map[string]any{}},
		{
			name: "no file", kind: "Create", properties: at("nothing", ""),
			reason: "read s3://seed/nothing: permanent, status 404: S3 GetObject: NoSuchKey",
		},
		{name: "no file, and deleted", kind: "Delete", properties: at("nothing", "")},
		{
			name: "no JSON", kind: "Create", properties: at("empty", ""),
			reason: "s3://seed/empty is not right, and nothing was put:\nline 1: the file is empty",
		},
		{
			name: "too large", kind: "Create", properties: at("large", ""),
			reason: "read s3://seed/large: permanent: S3 GetObject: the object is larger than 1048576 bytes",
		},
		{
			name: "ahead of the clock", kind: "Create", properties: at("future", ""),
			reason: "s3://seed/future is not right, and nothing was put:\nroutes[1]: LastUpdated 2026-11-26T12:05:01Z is in the future",
		},
		{name: "a hop that the table has a route for", kind: "Create", properties: at("loop", ""), reason: "s3://seed/loop does not go with " +
			"the table, and nothing was put:\n***0100 cannot be a phone of ***0103: it has a route of its own, and texts would go round in a loop"},
		{
			name: "a table that fails", kind: "Create",
			change: func(_ *seeding.Config, _ *bucket, table *relaytest.MemoryRoutes) {
				table.Fault = func(op string) error { return broken(op == "before Put") }
			},
			reason: "0 of 1 routes were put: put route of ***0101: transient: broken",
		},
		{
			name: "not set up", kind: "Create",
			change: func(c *seeding.Config, _ *bucket, _ *relaytest.MemoryRoutes) {
				c.Broken = errors.New("RELAY_ROUTING_TABLE is not set")
			},
			reason: "set up the function: RELAY_ROUTING_TABLE is not set",
		},
		{
			name: "not set up, and deleted", kind: "Delete",
			change: func(c *seeding.Config, _ *bucket, _ *relaytest.MemoryRoutes) {
				c.Broken = errors.New("RELAY_ROUTING_TABLE is not set")
			},
		},
		{
			name: "a mistake of the program", kind: "Update",
			change: func(_ *seeding.Config, _ *bucket, table *relaytest.MemoryRoutes) {
				table.Fault = func(op string) error {
					if op == "before Put" {
						panic("+18585550100")
					}
					return nil
				}
			},
			reason: "the function failed unexpectedly, see its log",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := &bucket{objects: map[seeding.Object]string{
				{Bucket: "seed", Key: "good"}:                  file(entry("01", "22", morning)),
				{Bucket: "seed", Key: "good", VersionID: "v1"}: file(entry("01", "22", morning)),
				{Bucket: "seed", Key: "empty"}:                 "",
				{Bucket: "seed", Key: "large"}:                 strings.Repeat(" ", 1<<20+1),
				{Bucket: "seed", Key: "future"}: file(entry("01", "22", "2026-11-26T12:05:00Z"),
					entry("02", "22", "2026-11-26T12:05:01Z")),
				{Bucket: "seed", Key: "loop"}: file(entry("03", "00", morning)),
			}}
			table := relaytest.NewMemoryRoutes(route.Route{
				TwilioNumber: "+18585550100", DestinationCarrier: "+18585550122", Active: true,
				LastUpdated: noon, Version: 1, UpdatedBy: "anna",
			})
			config := seeding.Config{Read: b.read, Routes: table}
			if tt.change != nil {
				tt.change(&config, b, table)
			}
			properties := tt.properties
			if properties == nil {
				properties = at("good", "1")
			}
			s := newStack(t, config)
			answer := s.ask(tt.kind, properties, nil)
			if answer.Reason != tt.reason {
				t.Errorf("reason %q, want %q", answer.Reason, tt.reason)
			}
			table.Fault = nil
			want := []string{kept}
			if tt.puts {
				want = append(want, "+18585550101 to +18585550122, version 1 by seed")
			}
			wants(t, table, want...)
			if strings.Contains(s.logs.String(), "85855501") {
				t.Errorf("the log shows a number: %s", s.logs)
			}
		})
	}
}

func broken(now bool) error {
	if !now {
		return nil
	}
	return &fault.Error{Kind: fault.Transient, Err: errors.New("broken")}
}

// TestRequestsOfAnotherForm are answered as far as they can be read.
func TestRequestsOfAnotherForm(t *testing.T) {
	t.Parallel()
	table := &relaytest.MemoryRoutes{}
	for kind, failed := range map[string]bool{"Create": true, "Update": true, "Delete": false} {
		s := newStack(t, seeding.Config{Read: (&bucket{}).read, Routes: table})
		s.requests = 1
		answer := s.askWith(fmt.Appendf(nil,
			`{"ResourceProperties":"none","RequestType":%q,"RequestId":"request-1","ResponseURL":%q,"StackId":%q,"LogicalResourceId":"SeedRoutes"}`,
			kind, s.address(), stackID))
		if (answer.Status == cfn.StatusFailed) != failed || (failed && !strings.HasPrefix(answer.Reason, "read the request: ")) {
			t.Errorf("%s: %+v", kind, answer)
		}
	}
	for _, payload := range []string{`{}`, `[]`, `"x"`, `{"RequestType":"Delete","ResponseURL":7}`} {
		s := newStack(t, seeding.Config{Read: (&bucket{}).read, Routes: table})
		if _, err := s.handler.Handle(t.Context(), json.RawMessage(payload)); err == nil {
			t.Errorf("%s: no error, though nobody was answered", payload)
		}
	}
	wants(t, table)
}

// TestAnswerIsRepeated: an address that does not take the answer at first gets it again, and no other address does.
func TestAnswerIsRepeated(t *testing.T) {
	t.Parallel()
	b := &bucket{objects: map[seeding.Object]string{{Bucket: "seed", Key: "one"}: file(entry("01", "22", morning))}}
	s := newStack(t, seeding.Config{Read: b.read, Routes: &relaytest.MemoryRoutes{}})
	statuses := []int{http.StatusServiceUnavailable, http.StatusTemporaryRedirect}
	s.refuses = func() int {
		if len(statuses) == 0 {
			return 0
		}
		status := statuses[0]
		statuses = statuses[1:]
		return status
	}
	s.deploys(at("one", "1"), "CREATE_COMPLETE", "1", "0")
	if b.reads != 1 || len(s.answers["/elsewhere"]) != 0 {
		t.Errorf("%d reads, %d answers elsewhere; want one read and none elsewhere", b.reads, len(s.answers["/elsewhere"]))
	}
}

// TestNobodyWasAnswered: Lambda is told, so that it calls again.
func TestNobodyWasAnswered(t *testing.T) {
	t.Parallel()
	table := &relaytest.MemoryRoutes{}
	s := newStack(t, seeding.Config{Read: (&bucket{}).read, Routes: table})
	s.refuses = func() int { return http.StatusForbidden }
	payload, err := json.Marshal(s.request(cfn.RequestDelete, at("one", "1"), nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.handler.Handle(t.Context(), payload); fault.Of(err).HTTPStatus != http.StatusForbidden {
		t.Errorf("error %v, want the address's refusal", err)
	}
	if strings.Contains(s.logs.String(), signature) {
		t.Errorf("the log shows the address: %s", s.logs)
	}
}
