package s3http

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

func bucketOf(t *testing.T, service http.Handler) *Bucket {
	t.Helper()
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	return New(awsclient.New(awsclient.Config{
		Region: "us-east-1", AccessKeyID: "local", SecretAccessKey: "local", Endpoint: server.URL,
	}), "test-bucket", time.Now)
}

func TestObjects(t *testing.T) {
	t.Parallel()
	s := relaytest.NewBucket()
	bucket := bucketOf(t, s)
	for _, key := range []string{"a/1", "a/2 of 3", "a/3", "b/1"} {
		if err := bucket.Put(t.Context(), key, strings.NewReader("of "+key), int64(len("of "+key))); err != nil {
			t.Fatal(err)
		}
	}
	s.Fail(attempts - 1)
	var listed []string
	if err := bucket.List(t.Context(), "a/", func(o Object) error { listed = append(listed, o.Key); return nil }); err != nil {
		t.Fatal(err)
	}
	if want := []string{"a/1", "a/2 of 3", "a/3"}; !slices.Equal(listed, want) {
		t.Errorf("listed %q, want %q", listed, want)
	}
	read := func(offset, size int64) string {
		content, err := bucket.Open(t.Context(), "a/2 of 3", offset, size)
		if err != nil {
			t.Fatal(err)
		}
		defer content.Close() //nolint:errcheck // it was only read.
		text, err := io.ReadAll(content)
		if err != nil {
			t.Error(err)
		}
		return string(text)
	}
	if whole, part, rest := read(0, 0), read(3, 3), read(5, 0); whole != "of a/2 of 3" || part != "a/2" || rest != "2 of 3" {
		t.Errorf("read %q, %q and %q", whole, part, rest)
	}
	for range 2 {
		if err := bucket.Delete(t.Context(), "a/1"); err != nil {
			t.Error(err)
		}
	}
	if _, err := bucket.Open(t.Context(), "a/1", 0, 0); !errors.Is(err, ErrNotFound) {
		t.Errorf("opened what was removed: %v", err)
	}
	s.Fail(attempts)
	if _, err := bucket.Open(t.Context(), "a/3", 0, 0); fault.Of(err).Kind != fault.Transient {
		t.Errorf("a service in trouble: %v", err)
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	for region, want := range map[string]string{
		"us-east-1": "https://b.s3.us-east-1.amazonaws.com/", "cn-north-1": "https://b.s3.cn-north-1.amazonaws.com.cn/",
	} {
		if got := New(awsclient.New(awsclient.Config{Region: region}), "b", time.Now).base; got != want {
			t.Errorf("%s: the bucket is at %s, want %s", region, got, want)
		}
	}
}
