package mediabucket

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// bucketOf is a bucket whose service answers as serve does.
func bucketOf(t *testing.T, serve http.HandlerFunc, now func() time.Time) *Bucket {
	t.Helper()
	server := httptest.NewServer(serve)
	t.Cleanup(server.Close)
	return New(awsclient.New(awsclient.Config{
		Region: "us-east-1", AccessKeyID: "local", SecretAccessKey: "local", Endpoint: server.URL,
	}), "test-bucket", now)
}

// objects is as much of S3 as a Bucket uses: it keeps only whole bodies.
type objects struct {
	mu   sync.Mutex
	kept map[string]object
}

type object struct {
	header http.Header
	body   []byte
}

func (o *objects) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	o.mu.Lock()
	defer o.mu.Unlock()
	switch kept, ok := o.kept[r.URL.Path]; {
	case err != nil:
		says(400, "IncompleteBody")(w, r)
	case r.Method == http.MethodPut:
		o.kept[r.URL.Path] = object{r.Header.Clone(), body}
	case !ok:
		says(403, "AccessDenied")(w, r)
	default:
		for _, name := range []string{"Content-Type", headerExpires, headerName} {
			w.Header().Set(name, kept.header.Get(name))
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(kept.body))
	}
}

// says is an answer of S3's with an error code.
func says(status int, code string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<Error><Code>"+code+"</Code><Message>x</Message></Error>")
	}
}

func TestBucket(t *testing.T) {
	t.Parallel()
	relaytest.TestMedia(t, func(t *testing.T, now func() time.Time) media.Store {
		t.Helper()
		service := &objects{kept: map[string]object{}}
		return bucketOf(t, service.ServeHTTP, now)
	})
}

func TestBucketOfTheEmulator(t *testing.T) {
	config := awsclient.New(relaytest.Emulator(t, relaytest.EmulatorMoto))
	client := sdk.NewFromConfig(config, func(o *sdk.Options) { o.UsePathStyle = true })
	relaytest.TestMedia(t, func(t *testing.T, now func() time.Time) media.Store {
		t.Helper()
		name := "test-" + strings.ToLower(rand.Text())
		if _, err := client.CreateBucket(t.Context(), &sdk.CreateBucketInput{Bucket: &name}); err != nil {
			t.Fatal(err)
		}
		return New(config, name, now)
	})
}

func picture() media.Item {
	return media.Item{Token: media.NewToken(), ContentType: "image/png", Size: 3, Name: "picture-1.png", ExpiresAt: time.Now().Add(time.Hour)}
}

// TestRequest: the key, the headers that are kept, and a signature that covers them.
func TestRequest(t *testing.T) {
	t.Parallel()
	var got *http.Request
	bucket := bucketOf(t, func(_ http.ResponseWriter, r *http.Request) { got = r.Clone(r.Context()) }, time.Now)
	item := picture()
	if err := bucket.Put(t.Context(), item, strings.NewReader("abc")); err != nil {
		t.Fatal(err)
	}
	if got.Method != http.MethodPut || got.URL.Path != "/test-bucket/media/"+string(item.Token) || got.ContentLength != 3 {
		t.Errorf("%s %s with %d bytes", got.Method, got.URL.Path, got.ContentLength)
	}
	for name, want := range map[string]string{
		"Content-Type": "image/png", headerName: "picture-1.png", "X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD",
	} {
		if got.Header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.Header.Get(name), want)
		}
	}
	signature := got.Header.Get("Authorization")
	for _, part := range []string{"AWS4-HMAC-SHA256", "/us-east-1/s3/aws4_request", "content-type", headerExpires, headerName} {
		if !strings.Contains(signature, part) {
			t.Errorf("the signature does not cover %s: %s", part, signature)
		}
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		serve       http.HandlerFunc
		put, open   fault.Kind
		text        string
		asked       int
		isNotFound  bool
		putAccepted bool
	}{
		{"no such bucket", says(400, "NoSuchBucket"), fault.Fatal, fault.Fatal, "NoSuchBucket", 1, false, false},
		{"forbidden, or missing", says(403, "AccessDenied"), fault.Fatal, 0, "AccessDenied", 1, true, false},
		{"missing", says(404, "NoSuchKey"), fault.Permanent, 0, "NoSuchKey", 1, true, false},
		{"a bucket elsewhere", says(301, "PermanentRedirect"), fault.Fatal, fault.Fatal, "PermanentRedirect", 1, false, false},
		{"an old session", says(400, "ExpiredToken"), fault.Fatal, fault.Fatal, "ExpiredToken", 1, false, false},
		{"too much at once", says(503, "SlowDown"), fault.Throttled, fault.Throttled, "SlowDown", attempts, false, false},
		{"a failure of the service", says(500, "InternalError"), fault.Transient, fault.Transient, "InternalError", attempts, false, false},
		{"a proxy's page", says(502, "<b>"), fault.Transient, fault.Transient, "no code", attempts, false, false},
		{"another server's object", func(http.ResponseWriter, *http.Request) {}, 0, fault.Permanent, "", 1, false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			bucket := bucketOf(t, func(w http.ResponseWriter, r *http.Request) { asked++; tt.serve(w, r) }, time.Now)
			err := bucket.Put(t.Context(), picture(), strings.NewReader("abc"))
			isRefusal := err != nil && fault.Of(err).Kind == tt.put && strings.Contains(err.Error(), "S3 PutObject: "+tt.text)
			if tt.putAccepted != (err == nil) || tt.putAccepted == isRefusal {
				t.Errorf("Put: error %v, want kind %v with %q", err, tt.put, tt.text)
			}
			asked = 0
			_, _, err = bucket.Open(t.Context(), media.NewToken())
			if errors.Is(err, media.ErrNotFound) != tt.isNotFound || !tt.isNotFound && fault.Of(err).Kind != tt.open || asked != tt.asked {
				t.Errorf("Open: error %v after %d requests, want kind %v after %d", err, asked, tt.open, tt.asked)
			}
		})
	}
}

// TestOneFailureIsRepeated: whoever fetches an item for a text would not come again.
func TestOneFailureIsRepeated(t *testing.T) {
	t.Parallel()
	service, fails := &objects{kept: map[string]object{}}, false
	bucket := bucketOf(t, func(w http.ResponseWriter, r *http.Request) {
		if fails {
			fails = false
			says(500, "InternalError")(w, r)
			return
		}
		service.ServeHTTP(w, r)
	}, time.Now)
	item := picture()
	if err := bucket.Put(t.Context(), item, strings.NewReader("abc")); err != nil {
		t.Fatal(err)
	}
	fails = true
	if _, err := bucket.Look(t.Context(), item.Token); err != nil {
		t.Errorf("Look: %v", err)
	}
}

// TestErrorsHoldNoToken: the token opens the item, so that it is in no error.
func TestErrorsHoldNoToken(t *testing.T) {
	t.Parallel()
	bucket := New(awsclient.New(awsclient.Config{
		Region: "us-east-1", AccessKeyID: "local", SecretAccessKey: "local", Endpoint: "http://127.0.0.1:1",
	}), "b", time.Now)
	item := picture()
	_, err := bucket.Look(t.Context(), item.Token)
	if err == nil || strings.Contains(err.Error(), string(item.Token)) || fault.Of(err).Kind != fault.Transient {
		t.Errorf("error %v, want a transient one without the token", err)
	}
}
