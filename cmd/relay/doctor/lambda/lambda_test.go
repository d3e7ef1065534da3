package lambda_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/cmd/relay/doctor/lambda"
	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/fault"
)

const queueARN = "arn:aws:sqs:us-east-1:000000000000:qdn-sms.fifo"

// service is Lambda's HTTP interface, as its API reference has it.
func service(t *testing.T, answers map[string]string) lambda.Functions {
	t.Helper()
	return lambda.New(awsclient.New(awsclient.Config{
		Region: "us-east-1", AccessKeyID: "local", SecretAccessKey: "local", Endpoint: "http://lambda.invalid",
		HTTPClient: do(func(r *http.Request) (*http.Response, error) {
			body, found := answers[r.URL.Path+"?"+r.URL.Query().Get("EventSourceArn")+r.URL.Query().Get("Marker")]
			status, header := http.StatusOK, http.Header{"Content-Type": {"application/json"}}
			if !found {
				status, body = http.StatusNotFound, `{"Type":"User","Message":"not found"}`
				header.Set("X-Amzn-ErrorType", "ResourceNotFoundException")
			}
			return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		}),
	}))
}

type do func(*http.Request) (*http.Response, error)

// Do implements the SDK's HTTP client.
func (d do) Do(r *http.Request) (*http.Response, error) { return d(r) }

func TestMappings(t *testing.T) {
	f := service(t, map[string]string{
		"/2015-03-31/event-source-mappings?" + queueARN: `{"NextMarker":"next","EventSourceMappings":[
			{"FunctionArn":"arn:sender","State":"Enabled","ScalingConfig":{"MaximumConcurrency":10},"LastProcessingResult":"OK"}]}`,
		"/2015-03-31/event-source-mappings?" + queueARN + "next": `{"EventSourceMappings":[
			{"FunctionArn":"arn:other","State":"Disabled","StateTransitionReason":"User action"}]}`,
	})
	got, err := f.Mappings(t.Context(), queueARN)
	want := []lambda.Mapping{
		{FunctionARN: "arn:sender", State: "Enabled", LastResult: "OK", MaximumConcurrency: 10},
		{FunctionARN: "arn:other", State: "Disabled", Reason: "User action"},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestReserved(t *testing.T) {
	f := service(t, map[string]string{
		"/2019-09-30/functions/sender/concurrency?": `{"ReservedConcurrentExecutions":12}`,
		"/2019-09-30/functions/free/concurrency?":   `{}`,
	})
	if limit, set, err := f.Reserved(t.Context(), "sender"); limit != 12 || !set || err != nil {
		t.Errorf("reserved %d (%v), %v", limit, set, err)
	}
	if limit, set, err := f.Reserved(t.Context(), "free"); limit != 0 || set || err != nil {
		t.Errorf("not reserved %d (%v), %v", limit, set, err)
	}
	if _, _, err := f.Reserved(t.Context(), "missing"); fault.Of(err).Kind != fault.Fatal {
		t.Errorf("without a function: %v", err)
	}
}
