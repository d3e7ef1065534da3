//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/textproto"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/aws/mediabucket"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestConsoleOnAWS shows the console over a deployed relay.
func TestConsoleOnAWS(t *testing.T) {
	s := newAWSStage(t)
	s.environment[cli.EnvOperator] = "ada"
	waits(t, dynamo.NewRoutes(s.dynamoDB, s.routing), s.records(),
		dynamo.NewConversations(s.dynamoDB, s.environment[cli.EnvConversationsTable]))
	s.environment[cli.EnvMediaBucket] = s.mediaBucket
	b := browse(t, s.environment, "--aws")
	r := relaytest.Record(1, time.Now())
	if page := b.get(""); !strings.Contains(page, "A05") {
		t.Errorf("nobody waits:\n%s", page)
	}
	if page := b.customer(testNumber, r.Customer); !strings.Contains(page, r.Body) {
		t.Errorf("the customer's page:\n%s", page)
	}
	if seen, err := s.records().Get(t.Context(), r.MessageSid); err != nil || seen.Reading.By != "ada" {
		t.Errorf("read by %+v, error %v; want ada", seen.Reading, err)
	}
	b.answerWithPicture(testNumber, r.Customer, "We are on our way")
	var sent queue.Envelope
	for _, one := range s.received() {
		if err := json.Unmarshal([]byte(one.Body), &sent); err != nil {
			t.Fatal(err)
		}
	}
	if sent.Message == nil || sent.Message.Body != "We are on our way" || len(sent.Message.Media) != 1 {
		t.Fatalf("on the queue is %+v", sent)
	}
	kept, err := mediabucket.New(s.other, s.mediaBucket, time.Now).Look(t.Context(), media.Token(sent.Message.Media[0].Token))
	if err != nil || kept.ContentType != "image/jpeg" {
		t.Errorf("in the bucket is %+v, error %v", kept, err)
	}
	b.wantExamined("queue-settings")
}

var answerKey = regexp.MustCompile(`name="key" value="([^"]+)"`)

// answerWithPicture answers a customer as the form on his page does.
func (b *browser) answerWithPicture(number, customer sms.PhoneNumber, words string) {
	b.t.Helper()
	named := url.Values{"number": {string(number)}, "customer": {string(customer)}}
	page := b.get("/customer?" + named.Encode())
	form, key := formToken.FindStringSubmatch(page), answerKey.FindStringSubmatch(page)
	if form == nil || key == nil || !strings.Contains(page, `name="pictures"`) {
		b.t.Fatalf("the page has no form to answer with pictures:\n%s", page)
	}
	named.Set("form", form[1])
	named.Set("key", key[1])
	named.Set("body", words)
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name := range named {
		if err := w.WriteField(name, named.Get(name)); err != nil {
			b.t.Fatal(err)
		}
	}
	file, err := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="pictures"; filename="gate.jpg"`}, "Content-Type": {"image/jpeg"},
	})
	if err == nil {
		_, err = file.Write(bytes.Repeat([]byte("x"), 1000))
	}
	if err != nil || w.Close() != nil {
		b.t.Fatal(err)
	}
	if page := b.read(b.Post(b.base+"/customer/answer", w.FormDataContentType(), &body)); !strings.Contains(page, "on its way") {
		b.t.Errorf("after the answer:\n%s", page)
	}
}
