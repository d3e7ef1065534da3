package mapping

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// minutely is a stream of one shard that, like DynamoDB Local, says only in which minute a change was made.
type minutely struct {
	// changes are when changes are made.
	changes []time.Time
	told    int
}

func (m *minutely) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := `{"ShardIterator":"next"}`
	switch {
	case strings.HasSuffix(r.Header.Get("X-Amz-Target"), "DescribeStream"):
		answer = `{"StreamDescription":{"Shards":[{"ShardId":"shard"}]}}`
	case strings.HasSuffix(r.Header.Get("X-Amz-Target"), "GetRecords"):
		var records []string
		for ; m.told < len(m.changes) && !time.Now().Before(m.changes[m.told]); m.told++ {
			minute := m.changes[m.told].Truncate(time.Minute).Unix()
			records = append(records, fmt.Sprintf(`{"dynamodb":{"SequenceNumber":"%d","ApproximateCreationDateTime":%d}}`, m.told, minute))
		}
		answer = `{"NextShardIterator":"next","Records":[` + strings.Join(records, ",") + `]}`
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(answer)), Request: r}, nil
}

// TestAge: a batch is as old as its last change can be at most, not as the minute in which it was made.
func TestAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		defer cancel()
		at := time.Now().Truncate(time.Minute).Add(time.Minute)
		m := &minutely{changes: []time.Time{at.Add(55 * time.Second), at.Add(55*time.Second + 250*time.Millisecond), at.Add(59 * time.Second)}}
		nobody := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, nil })
		var ages []time.Duration
		_ = Stream{
			Client:    &Client{Endpoint: "http://stream", Config: aws.Config{Credentials: nobody}, HTTP: &http.Client{Transport: m}, Now: time.Now},
			BatchSize: 10, Window: time.Second, Aged: func(age time.Duration) { ages = append(ages, age) }, Now: time.Now,
			Logger: slog.New(slog.DiscardHandler),
			Invoke: func(context.Context, []byte) ([]byte, error) { return []byte(`null`), nil },
		}.Run(ctx)
		if len(ages) != 2 {
			t.Fatalf("batches of the ages %v, want 2", ages)
		}
		for _, age := range ages {
			if age < 750*time.Millisecond || age > 1200*time.Millisecond {
				t.Errorf("a batch that was waited for for a second is %v old", age)
			}
		}
	})
}
