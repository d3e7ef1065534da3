package cloudformation_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/cfn"
	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/functions/seed-routes/cloudformation"
	"quickdumpnow.com/smsrelay/shared/fault"
)

// address is signed, as CloudFormation's are. signature must not be seen anywhere.
const (
	signature = "fakesignature"
	address   = "https://answers.example.com/stack%20one?AWSAccessKeyId=fake&Expires=1800000000&Signature=" + signature
)

// bucket imitates the bucket that gets the answers: its statuses are those of the first requests, the last one of all that
// follow; 0 is a lost connection, -1 a request that is never answered.
type bucket struct {
	t        *testing.T
	statuses []int
	bodies   []string
}

func (b *bucket) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodPut || r.URL.String() != address || r.Header.Get("Content-Type") != "" || r.ContentLength <= 0 {
		b.t.Errorf("request %s %s with the headers %v and %d bytes", r.Method, r.URL, r.Header, r.ContentLength)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	b.bodies = append(b.bodies, string(body))
	status := b.statuses[min(len(b.bodies), len(b.statuses))-1]
	switch status {
	case 0:
		return nil, errors.New("connection reset by peer")
	case -1:
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Location": {"https://elsewhere.example.com/?Signature=" + signature}},
		Body: io.NopCloser(strings.NewReader("")), Request: r,
	}, nil
}

func answer() cfn.Response {
	return cfn.Response{
		Status: cfn.StatusFailed, Reason: `no "routes" list & <more>`, RequestID: "request-1", LogicalResourceID: "SeedRoutes",
		StackID: "stack-1", PhysicalResourceID: "stack-1/SeedRoutes", Data: map[string]any{"Put": "1"},
	}
}

func TestSend(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		statuses []int
		attempts int
		// kind is that of the error if fails.
		fails bool
		kind  fault.Kind
		// least and most are how long it takes.
		least, most time.Duration
	}{
		{name: "taken", statuses: []int{200}, attempts: 1},
		{
			name: "taken after a failure, a lost answer and too much", statuses: []int{500, 0, 429, 200}, attempts: 4,
			least: 1750 * time.Millisecond, most: 1750 * time.Millisecond,
		},
		{
			name: "taken after a redirect that was not followed", statuses: []int{307, 200}, attempts: 2, least: 250 * time.Millisecond,
			most: 250 * time.Millisecond,
		},
		{name: "refused", statuses: []int{403}, attempts: 1, fails: true, kind: fault.Permanent},
		{
			name: "never taken", statuses: []int{503}, attempts: 6, fails: true, kind: fault.Transient, least: 7750 * time.Millisecond,
			most: 7750 * time.Millisecond,
		},
		{
			name: "never reached", statuses: []int{0}, attempts: 6, fails: true, kind: fault.Transient, least: 7750 * time.Millisecond,
			most: 7750 * time.Millisecond,
		},
		{
			name: "never answered", statuses: []int{-1}, attempts: 6, fails: true, kind: fault.Transient, least: 25 * time.Second,
			most: 26 * time.Second,
		},
		{
			name: "only redirected", statuses: []int{301}, attempts: 6, fails: true, kind: fault.Transient, least: 7750 * time.Millisecond,
			most: 7750 * time.Millisecond,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := &bucket{t: t, statuses: tt.statuses}
				start := time.Now()
				err := cloudformation.NewResponder(b).Send(t.Context(), address, answer())
				if took := time.Since(start); took < tt.least || took > tt.most {
					t.Errorf("took %v, want %v to %v", took, tt.least, tt.most)
				}
				if (err != nil) != tt.fails || (tt.fails && fault.Of(err).Kind != tt.kind) {
					t.Errorf("error %v, want one: %v, of kind %v", err, tt.fails, tt.kind)
				}
				checkSecret(t, err)
				if len(b.bodies) != tt.attempts {
					t.Errorf("%d attempts, want %d", len(b.bodies), tt.attempts)
				}
				const want = `{"Status":"FAILED","RequestId":"request-1","LogicalResourceId":"SeedRoutes","StackId":"stack-1",` +
					`"PhysicalResourceId":"stack-1/SeedRoutes","Reason":"no \"routes\" list & <more>","Data":{"Put":"1"}}`
				for _, body := range b.bodies {
					if strings.TrimSpace(body) != want {
						t.Errorf("body %s\nwant %s", body, want)
					}
				}
			})
		})
	}
}

func checkSecret(t *testing.T, err error) {
	t.Helper()
	if err != nil && (strings.Contains(err.Error(), signature) || strings.Contains(err.Error(), "Expires")) {
		t.Errorf("the error shows the address: %v", err)
	}
}

// TestSendEndsWithItsTime: a caller who has little left is not kept waiting.
func TestSendEndsWithItsTime(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"in a pause": 500, "in an attempt": -1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 600*time.Millisecond)
				defer cancel()
				start := time.Now()
				err := cloudformation.NewResponder(&bucket{t: t, statuses: []int{status}}).Send(ctx, address, answer())
				if took := time.Since(start); err == nil || took != 600*time.Millisecond {
					t.Errorf("error %v after %v, want one after 600ms", err, took)
				}
				checkSecret(t, err)
			})
		})
	}
}

func TestSendToNowhere(t *testing.T) {
	t.Parallel()
	for _, nowhere := range []string{"https://answers.example.com/%zz?Signature=" + signature, ":", "\x7f"} {
		err := cloudformation.NewResponder(&bucket{t: t, statuses: []int{200}}).Send(t.Context(), nowhere, answer())
		if fault.Of(err).Kind != fault.Permanent {
			t.Errorf("%q: error %v, want a permanent one", nowhere, err)
		}
		checkSecret(t, err)
	}
}

// TestSendCutsTheReason to what CloudFormation reads, whatever it is made of, and nothing else.
func TestSendCutsTheReason(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		part := rapid.OneOf(rapid.String(), rapid.StringOfN(rapid.RuneFrom([]rune("a\"\n<ü€😀\x00")), 1, 40, -1))
		reason := strings.Repeat(part.Draw(rt, "part"), rapid.IntRange(1, 400).Draw(rt, "times"))
		sent := answer()
		sent.Reason = reason
		b := &bucket{t: t, statuses: []int{200}}
		if err := cloudformation.NewResponder(b).Send(context.Background(), address, sent); err != nil {
			rt.Fatal(err)
		}
		var got cfn.Response
		if err := json.Unmarshal([]byte(b.bodies[0]), &got); err != nil || len(b.bodies[0]) > 4096 {
			rt.Fatalf("%d bytes, error %v", len(b.bodies[0]), err)
		}
		kept := strings.ToValidUTF8(reason, "\ufffd")
		if short, isCut := strings.CutSuffix(got.Reason, "…"); got.Reason != kept && (!isCut || !strings.HasPrefix(kept, short)) {
			rt.Errorf("the reason %q became %q", kept, got.Reason)
		}
		if got.Reason != kept && len(b.bodies[0]) < 4040 {
			rt.Errorf("the answer was cut to %d bytes", len(b.bodies[0]))
		}
		if got.PhysicalResourceID != sent.PhysicalResourceID || got.Status != sent.Status {
			rt.Errorf("the answer became %+v", got)
		}
	})
}

func TestSendRefusesWhatIsTooLong(t *testing.T) {
	t.Parallel()
	sent := answer()
	sent.PhysicalResourceID = strings.Repeat("x", 5000)
	b := &bucket{t: t, statuses: []int{200}}
	if err := cloudformation.NewResponder(b).Send(t.Context(), address, sent); fault.Of(err).Kind != fault.Permanent || len(b.bodies) != 0 {
		t.Errorf("error %v after %d requests, want a permanent one", err, len(b.bodies))
	}
}
