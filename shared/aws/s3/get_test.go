package s3

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/fault"
)

// bucketOf is a bucket whose service answers as serve does.
func bucketOf(t *testing.T, serve http.HandlerFunc) *Bucket {
	t.Helper()
	server := httptest.NewServer(serve)
	t.Cleanup(server.Close)
	return New(awsclient.New(awsclient.Config{
		Region: "us-east-1", AccessKeyID: "local", SecretAccessKey: "local", Endpoint: server.URL, MaxAttempts: 1,
	}), "test-bucket")
}

// says is an answer of S3's with an error code.
func says(status int, code, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<Error><Code>"+code+"</Code><Message>"+message+"</Message><RequestId>request-1</RequestId></Error>")
	}
}

func TestGetFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		serve http.HandlerFunc
		kind  fault.Kind
		text  string
	}{
		{"no such object", says(404, "NoSuchKey", "x"), fault.Permanent, "S3 GetObject: NoSuchKey"},
		{"no such version", says(404, "NoSuchVersion", "x"), fault.Permanent, "S3 GetObject: NoSuchVersion"},
		{"no version at all", says(400, "InvalidArgument", "Invalid version id specified"), fault.Permanent, "S3 GetObject: InvalidArgument"},
		{"no such bucket", says(404, "NoSuchBucket", "x"), fault.Fatal, "S3 GetObject: NoSuchBucket"},
		{"a bucket elsewhere", says(301, "PermanentRedirect", "x"), fault.Fatal, "S3 GetObject: PermanentRedirect"},
		{
			"forbidden, or missing", says(403, "AccessDenied", "not authorized to perform: s3:GetObject"), fault.Fatal,
			"S3 GetObject: AccessDenied: not authorized to perform: s3:GetObject; it may not be there, or may not be read",
		},
		{"too much at once", says(503, "SlowDown", "x"), fault.Throttled, "S3 GetObject: SlowDown"},
		{"a failure of the service", says(500, "InternalError", "x"), fault.Transient, "S3 GetObject: InternalError"},
		{"cut", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9")
			_, _ = io.WriteString(w, "1234")
		}, fault.Transient, "S3 GetObject: the object was not read to its end"},
		{"larger than it says", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("x", 9))
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, "x")
		}, fault.Permanent, "S3 GetObject: the object is larger than 9 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := bucketOf(t, tt.serve).Get(t.Context(), "key", "", 9)
			f := fault.Of(err)
			if got != nil || err == nil || f.Kind != tt.kind || strings.ReplaceAll(f.Err.Error(), " (request request-1)", "") != tt.text {
				t.Errorf("got %q, error %v; want a fault of kind %v: %s", got, err, tt.kind, tt.text)
			}
		})
	}
}

func TestGetAsksForTheVersion(t *testing.T) {
	t.Parallel()
	b := bucketOf(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.Path+" "+r.URL.Query().Get("versionId"))
	})
	for version, want := range map[string]string{"": "/test-bucket/a/b.json ", "v.1": "/test-bucket/a/b.json v.1"} {
		if got, err := b.Get(t.Context(), "a/b.json", version, 100); err != nil || string(got) != want {
			t.Errorf("version %q: asked for %q, error %v; want %q", version, got, err, want)
		}
	}
}

// TestGetEndsWithItsContext: nothing but the caller bounds an object that comes in slowly.
func TestGetEndsWithItsContext(t *testing.T) {
	t.Parallel()
	b := bucketOf(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "9")
		_, _ = io.WriteString(w, "1234")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := b.Get(ctx, "key", "", 9); fault.Of(err).Kind != fault.Transient || err == nil {
		t.Errorf("error %v, want a transient one", err)
	}
}
