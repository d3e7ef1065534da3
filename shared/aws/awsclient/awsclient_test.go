package awsclient_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/fault"
)

// reply is what becomes of a request.
type reply struct {
	status  int
	code    string
	message string
	// err is a connection that failed; errHangs one on which no answer comes.
	err error
}

// errHangs makes a request wait until its context ends.
var errHangs = errors.New("no answer comes")

// says is an answer of a service.
func says(status int, code, message string) reply {
	return reply{status: status, code: code, message: message}
}

// breaks is a connection that fails.
func breaks(err error) reply { return reply{err: err} }

// wire is an HTTP client that answers by itself.
type wire struct {
	// answers are the answers to the first requests; the last one is repeated for all that follow.
	answers  []reply
	requests []*http.Request
}

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	w.requests = append(w.requests, r)
	answer := w.answers[min(len(w.requests), len(w.answers))-1]
	switch {
	case errors.Is(answer.err, errHangs):
		<-r.Context().Done()
		return nil, r.Context().Err()
	case answer.err != nil:
		return nil, &url.Error{Op: "Post", URL: r.URL.String(), Err: answer.err}
	}
	body := `{"__type":"com.amazonaws#` + answer.code + `","message":"` + answer.message + `"}`
	return &http.Response{
		StatusCode: answer.status,
		Header:     http.Header{"X-Amzn-Requestid": {"request-1"}, "Content-Type": {"application/x-amz-json-1.1"}},
		Body:       io.NopCloser(strings.NewReader(body)),
		Request:    r,
	}, nil
}

// over is a wire with those answers.
func over(answers ...reply) *wire { return &wire{answers: answers} }

// call makes one call over w and returns its error.
func call(ctx context.Context, w *wire, optFns ...func(*secretsmanager.Options)) error {
	config := awsclient.New(awsclient.Config{
		Region: "eu-west-1", AccessKeyID: "fake-id", SecretAccessKey: "fake-secret", SessionToken: "fake-token", HTTPClient: w,
	})
	_, err := secretsmanager.NewFromConfig(config).GetSecretValue(ctx,
		&secretsmanager.GetSecretValueInput{SecretId: aws.String("fake-name")}, optFns...)
	return err
}

func TestCallIsBounded(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		optFns   []func(*secretsmanager.Options)
		deadline time.Duration
		attempts int
		least    time.Duration
		most     time.Duration
	}{
		{name: "by three attempts", attempts: 3, least: 6 * time.Second, most: 6600 * time.Millisecond},
		{name: "by its caller", deadline: 3 * time.Second, attempts: 2, least: 3 * time.Second, most: 3 * time.Second},
		{
			name:     "by a limit of its own",
			optFns:   []func(*secretsmanager.Options){limitedTo(20 * time.Second)},
			attempts: 3, least: 60 * time.Second, most: 61 * time.Second,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if tt.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.deadline)
					defer cancel()
				}
				w := over(breaks(errHangs))
				start := time.Now()
				if err := call(ctx, w, tt.optFns...); err == nil {
					t.Fatal("a call without an answer succeeded")
				}
				if took := time.Since(start); took < tt.least || took > tt.most {
					t.Errorf("gave up after %v, want %v to %v", took, tt.least, tt.most)
				}
				if len(w.requests) != tt.attempts {
					t.Errorf("%d attempts, want %d", len(w.requests), tt.attempts)
				}
			})
		})
	}
}

func limitedTo(limit time.Duration) func(*secretsmanager.Options) {
	return func(o *secretsmanager.Options) { o.APIOptions = append(o.APIOptions, awsclient.AttemptTimeout(limit)) }
}

// errReset is a connection that broke after the request had left.
var errReset = &net.OpError{Op: "read", Net: "tcp", Err: errors.New("connection reset by peer")}

// errRefused is a connection that never was.
var errRefused = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}

// faultCase is an answer and what it means.
type faultCase struct {
	name   string
	answer reply
	// reads and writes are the kinds of a call that changes nothing and of one that does.
	reads  fault.Kind
	writes fault.Kind
	status int
	text   string
	// canceled ends the context before the call.
	canceled bool
	// attempts are how many there are.
	attempts int
}

func faultCases() []faultCase {
	return []faultCase{
		{
			name: "throttled", answer: says(400, "ThrottlingException", "Rate exceeded"), reads: fault.Throttled, writes: fault.Throttled,
			status: 400, text: "ThrottlingException (request request-1)", attempts: 3,
		},
		{
			name: "too many requests", answer: says(429, "Odd", ""), reads: fault.Throttled, writes: fault.Throttled, status: 429,
			text: "Odd (request request-1)", attempts: 3,
		},
		{
			name: "a code of the service's own", answer: says(400, "OwnCode", ""), reads: fault.Throttled, writes: fault.Throttled, status: 400,
			text: "OwnCode (request request-1)", attempts: 1,
		},
		{
			name: "forbidden", answer: says(400, "AccessDeniedException", "User x may not y"), reads: fault.Fatal, writes: fault.Fatal, status: 400,
			text: "AccessDeniedException: User x may not y (request request-1)", attempts: 1,
		},
		{
			name: "a bad signature", answer: says(403, "InvalidSignatureException", "The Canonical String should have been fake-token"),
			reads: fault.Fatal, writes: fault.Fatal, status: 403, text: "InvalidSignatureException (request request-1)", attempts: 1,
		},
		{
			name: "an old token", answer: says(400, "ExpiredTokenException", ""), reads: fault.Fatal, writes: fault.Fatal, status: 400,
			text: "ExpiredTokenException (request request-1)", attempts: 1,
		},
		{
			name: "a wrong request", answer: says(400, "ValidationException", "the body was Hello"), reads: fault.Permanent, writes: fault.Permanent,
			status: 400, text: "ValidationException (request request-1)", attempts: 1,
		},
		{
			name: "an unknown refusal", answer: says(404, "Odd", ""), reads: fault.Permanent, writes: fault.Permanent, status: 404,
			text: "Odd (request request-1)", attempts: 1,
		},
		{
			name: "a failure of the service", answer: says(500, "InternalServerError", ""), reads: fault.Transient, writes: fault.Unknown,
			status: 500, text: "InternalServerError (request request-1)", attempts: 3,
		},
		{
			name: "unavailable", answer: says(503, "ServiceUnavailable", ""), reads: fault.Transient, writes: fault.Unknown, status: 503,
			text: "ServiceUnavailable (request request-1)", attempts: 3,
		},
		{
			name: "no connection", answer: breaks(errRefused), reads: fault.Transient, writes: fault.Transient,
			text: "dial tcp: connection refused", attempts: 3,
		},
		{
			name: "a lost connection", answer: breaks(errReset), reads: fault.Transient, writes: fault.Unknown,
			text: "read tcp: connection reset by peer", attempts: 3,
		},
		{
			name: "the caller gave up", answer: says(500, "InternalServerError", ""), reads: fault.Transient, writes: fault.Unknown,
			text: "context canceled", canceled: true,
		},
	}
}

func TestFault(t *testing.T) {
	t.Parallel()
	for _, tt := range faultCases() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, tt.check)
		})
	}
}

func (tt faultCase) check(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if tt.canceled {
		cancel()
	}
	w := over(tt.answer)
	err := call(ctx, w)
	if len(w.requests) != tt.attempts {
		t.Errorf("%d attempts, want %d", len(w.requests), tt.attempts)
	}
	own := func(code string) (fault.Kind, bool) { return fault.Throttled, code == "OwnCode" }
	for writes, kind := range map[bool]fault.Kind{false: tt.reads, true: tt.writes} {
		got := awsclient.Call{Name: "AWS Call", Writes: writes, Kind: own}.Fault(err)
		if got.Kind != kind || got.HTTPStatus != tt.status {
			t.Errorf("writes %v: kind %v and status %d, want %v and %d: %v", writes, got.Kind, got.HTTPStatus, kind, tt.status, err)
		}
		if got.Err.Error() != "AWS Call: "+tt.text {
			t.Errorf("text %q, want %q", got.Err, tt.text)
		}
		if tt.canceled && !errors.Is(got, context.Canceled) {
			t.Errorf("%v does not wrap context.Canceled", got)
		}
	}
}

func TestFaultOfARequestNeverBuilt(t *testing.T) {
	t.Parallel()
	config := awsclient.New(awsclient.Config{Region: "eu-west-1", HTTPClient: over(breaks(errHangs))})
	_, err := secretsmanager.NewFromConfig(config).GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{})
	if got := (awsclient.Call{Name: "AWS Call", Writes: true}).Fault(err); got.Kind != fault.Permanent {
		t.Errorf("kind %v, want permanent: %v", got.Kind, err)
	}
}

func TestFaultAfterADoubtfulAttempt(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		first    reply
		doubtful bool
		kind     fault.Kind
	}{
		{"a lost answer leaves a doubt", breaks(errReset), true, fault.Unknown},
		{"a failure of the service leaves a doubt", says(500, "InternalServerError", ""), true, fault.Unknown},
		{"a refused connection does not", breaks(errRefused), false, fault.Throttled},
		{"throttling does not", says(400, "ThrottlingException", ""), false, fault.Throttled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := over(tt.first, says(400, "ThrottlingException", ""))
			var witness awsclient.Witness
			err := call(t.Context(), w, func(o *secretsmanager.Options) {
				witness.Retryer = o.Retryer
				o.Retryer = &witness
			})
			if witness.Doubtful != tt.doubtful {
				t.Errorf("doubtful %v, want %v", witness.Doubtful, tt.doubtful)
			}
			if got := (awsclient.Call{Writes: true, Doubtful: witness.Doubtful}).Fault(err); got.Kind != tt.kind {
				t.Errorf("kind %v, want %v", got.Kind, tt.kind)
			}
		})
	}
}

func TestEntryFault(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		code        string
		senderFault bool
		want        fault.Kind
	}{
		{"a known code", "AccessDenied", true, fault.Fatal},
		{"an unknown one that blames the request", "Odd", true, fault.Permanent},
		{"an unknown one that does not", "Odd", false, fault.Transient},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := (awsclient.Call{Name: "AWS Batch"}).EntryFault(tt.code, tt.senderFault); got.Kind != tt.want {
				t.Errorf("EntryFault(%q, %v) is %v, want %v", tt.code, tt.senderFault, got.Kind, tt.want)
			}
		})
	}
}

func TestRequest(t *testing.T) {
	t.Parallel()
	w := over(says(200, "None", ""))
	if err := call(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	r := w.requests[0]
	if r.URL.Host != "secretsmanager.eu-west-1.amazonaws.com" {
		t.Errorf("host %q", r.URL.Host)
	}
	if got := r.Header.Get("X-Amz-Security-Token"); got != "fake-token" {
		t.Errorf("session token %q", got)
	}
	if got := r.Header.Get("Authorization"); !strings.Contains(got, "Credential=fake-id/") {
		t.Errorf("authorization %q", got)
	}
}

// TestDefaultHTTPClient speaks to a server that would send the client elsewhere.
func TestDefaultHTTPClient(t *testing.T) {
	t.Parallel()
	var elsewhere bool
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere = true }))
	defer other.Close()
	server := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
	defer server.Close()
	config := awsclient.New(awsclient.Config{
		Region: "eu-west-1", AccessKeyID: "fake-id", SecretAccessKey: "fake-secret",
		Endpoint: server.URL,
	})
	_, err := secretsmanager.NewFromConfig(config).GetSecretValue(t.Context(),
		&secretsmanager.GetSecretValueInput{SecretId: aws.String("fake-name")})
	if err == nil || elsewhere {
		t.Errorf("error %v, redirect followed: %v", err, elsewhere)
	}
}
