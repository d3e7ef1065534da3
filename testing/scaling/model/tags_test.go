package model

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/conversation"
)

// tagItem is a tag as the table keeps it.
func tagItem(n int, tag conversation.Tag) map[string]map[string]string {
	return map[string]map[string]string{
		"TwilioNumber": {"S": string(conversation.TagsPartition)}, "Item": {"S": conversation.PrefixTag + string(tag)},
		"Tag": {"S": string(tag)}, "Number": {"S": "+18585550100"}, "Customer": {"S": fmt.Sprintf("+1%03d55501%02d", 200+n/100%800, n%100)},
		"UsedAt": {"S": "2026-11-30T12:00:00.123Z"}, "Version": {"N": "1"},
	}
}

// tagsUsed returns the first so many tags.
func tagsUsed(n int) (used []conversation.Tag) {
	for digits := 1; ; digits++ {
		for tag := range conversation.Tags(digits) {
			if used = append(used, tag); len(used) == n {
				return used
			}
		}
	}
}

// answers gives every request the same answer.
type answers []byte

func (a answers) Do(*http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(bytes.NewReader(a)),
	}, nil
}

// TestATagIsAsLargeAsTheModelSays: by DynamoDB's rule, the names and the values.
func TestATagIsAsLargeAsTheModelSays(t *testing.T) {
	size := 0
	for name, value := range tagItem(1, tagsUsed(20_000)[19_999]) {
		for kind, text := range value {
			size += len(name) + len(text)
			if kind == "N" {
				size++
			}
		}
	}
	if want := int(of("tag bytes")); size < want*9/10 || size > want*11/10 {
		t.Errorf("a tag has %d bytes, and the model says %d", size, want)
	}
}

// BenchmarkNewTag finds a tag for a new customer as the sender does: it reads all tags in use, and takes the first that is free. On a
// machine that others use it takes longer than the work is.
func BenchmarkNewTag(b *testing.B) {
	const inUse = 5_000
	var page struct {
		Items []map[string]map[string]string
		Count int
	}
	for n, tag := range tagsUsed(inUse) {
		page.Items = append(page.Items, tagItem(n, tag))
	}
	page.Count = inUse
	body, err := json.Marshal(page)
	if err != nil {
		b.Fatal(err)
	}
	table := dynamo.NewConversations(awsclient.New(awsclient.Config{
		Region: "us-east-1", AccessKeyID: "fake", SecretAccessKey: "fake", HTTPClient: answers(body),
	}), "conversations")
	for b.Loop() {
		uses, err := table.TagUses(b.Context())
		if err != nil || len(uses) != inUse {
			b.Fatal(len(uses), err)
		}
		if _, _, err := conversation.ChooseTag(uses, time.Date(2026, time.November, 30, 12, 0, 0, 0, time.UTC)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/1000/float64(b.N)/inUse, "µs/tag")
}
