package s3

import (
	"crypto/rand"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestBucketOfTheEmulator keeps an object, and again under the same key; a bucket that is not there takes none.
func TestBucketOfTheEmulator(t *testing.T) {
	config := awsclient.New(relaytest.Emulator(t, relaytest.EmulatorMoto))
	name := "test-" + strings.ToLower(rand.Text())
	client := sdk.NewFromConfig(config, func(o *sdk.Options) { o.UsePathStyle = true })
	if _, err := client.CreateBucket(t.Context(), &sdk.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatal(err)
	}
	key := "unreadable/2026/11/26/7.json"
	for _, object := range []string{`{"a":1}`, `{"a":2}`} {
		if err := New(config, name).Put(t.Context(), key, []byte(object)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := New(config, name).Get(t.Context(), key, "", 7); err != nil || string(got) != `{"a":2}` {
		t.Errorf("the bucket holds %s, %v", got, err)
	}
	if got, err := New(config, name).Get(t.Context(), key, "", 6); fault.Of(err).Kind != fault.Permanent {
		t.Errorf("an object that is too large: %s, %v, want a permanent fault", got, err)
	}
	if got, err := New(config, name).Get(t.Context(), "nothing", "", 7); fault.Of(err).Kind != fault.Permanent {
		t.Errorf("an object that is not there: %s, %v, want a permanent fault", got, err)
	}
	if err := New(config, name+"-not").Put(t.Context(), key, []byte("{}")); fault.Of(err).Kind != fault.Fatal {
		t.Errorf("a bucket that is not there: %v, want a fatal fault", err)
	}
}
