//go:build linux

// Package job is the work that is measured: the three functions' environment, the events that they are given, and a check that what they
// answer and call is right. It measures nothing.
package job

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/twilio/signature"
	"quickdumpnow.com/smsrelay/testing/peers/cloud"
)

// The functions that are measured.
const (
	Ingest      = "ingest"
	Sender      = "sender"
	StreamAudit = "stream-audit"
)

// Functions returns them in the order in which a text meets them.
func Functions() []string { return []string{Ingest, Sender, StreamAudit} }

const (
	accountSid = "AC00000000000000000000000000000001"
	authToken  = "faketokenfaketokenfaketokenfake1"
	customer   = "+13125550147"
	number     = "+18585550100"
	phone      = "+16195550123"
	words      = "Is my dumpster coming today?"

	baseURL = "https://relay.example.com"
	path    = "/sms/inbound"

	routing = "qdn-sms-routing"
	ledger  = "qdn-sms-audit"
	region  = "us-east-1"
	arn     = "arn:aws:%s:us-east-1:123456789012:%s"
)

// Stage is what the functions call, with one route, and the texts that have come so far.
type Stage struct {
	cloud *cloud.Cloud
	texts int
}

// NewStage starts what the functions call.
func NewStage(ctx context.Context) (*Stage, error) {
	c, err := cloud.Start(ctx, cloud.Config{AccountSid: accountSid, AuthToken: authToken, Keys: map[string][]string{
		routing: {"TwilioNumber"}, ledger: {"MessageSid"}, "qdn-sms-conversations": {"TwilioNumber", "Item"}, "qdn-sms-pace": {"TwilioNumber"},
	}})
	if err != nil {
		return nil, err
	}
	err = c.Put(routing, `{"TwilioNumber":{"S":"`+number+`"},"DestinationCarrier":{"S":"`+phone+`"},"FallbackCarriers":{"L":[]},`+
		`"Active":{"BOOL":true},"LastUpdated":{"S":"2026-11-24T12:00:00Z"},"Version":{"N":"1"}}`)
	return &Stage{cloud: c}, err
}

// Close ends it.
func (s *Stage) Close() { s.cloud.Close() }

// Authority is the certificate in PEM that vouches for what the functions call.
func (s *Stage) Authority() []byte { return s.cloud.Authority }

// Calls returns how many calls came since it was last asked.
func (s *Stage) Calls() int { return len(s.cloud.Calls()) }

// Environment is what every function sees of the environment: what Lambda sets, and the settings of template.yaml. The limits of the pace
// are so high that no text waits.
func (s *Stage) Environment() []string {
	return []string{
		"AWS_REGION=" + region, "AWS_DEFAULT_REGION=" + region, "AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=local",
		"AWS_SESSION_TOKEN=local", "AWS_ENDPOINT_URL=" + s.cloud.URL, "AWS_LAMBDA_FUNCTION_NAME=peer", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512", "AWS_LAMBDA_LOG_GROUP_NAME=peer", "AWS_LAMBDA_LOG_STREAM_NAME=peer",
		"AWS_LAMBDA_LOG_FORMAT=JSON", "AWS_LAMBDA_LOG_LEVEL=INFO", "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"TZ=:UTC", "LANG=en_US.UTF-8", "PATH=/usr/local/bin:/usr/bin:/bin",
		"PUBLIC_BASE_URL=" + baseURL, "TWILIO_ACCOUNT_SID=" + accountSid, "TWILIO_API_BASE_URL=" + s.cloud.URL,
		"RELAY_TWILIO_AUTH_TOKEN_SECRET=" + fmt.Sprintf(arn, "secretsmanager", "secret:twilio-AbCdEf"),
		"RELAY_QUEUE_URL=" + s.cloud.URL + "/123456789012/qdn-sms.fifo",
		"RELAY_DEAD_LETTER_QUEUE_URL=" + s.cloud.URL + "/123456789012/qdn-sms-dead.fifo",
		"RELAY_TIMER_QUEUE_URL=" + s.cloud.URL + "/123456789012/qdn-sms-timers",
		"RELAY_LEDGER_TABLE=" + ledger, "RELAY_ROUTING_TABLE=" + routing, "RELAY_CONVERSATIONS_TABLE=qdn-sms-conversations",
		"RELAY_PACE_TABLE=qdn-sms-pace", "RELAY_PACE_NUMBER=100/1ms", "RELAY_PACE_PAIR=100/1ms",
		"RELAY_MEDIA_BUCKET=qdn-sms-media", "RELAY_MEDIA_BASE_URL=" + baseURL,
		"RELAY_AUDIT_LOG_GROUP=/qdn-sms/audit", "RELAY_AUDIT_FAILURE_BUCKET=qdn-sms-audit-failures",
	}
}

// Made is what a contestant's functions made of one text, so that more like it can follow.
type Made struct {
	// Sid is that text's, Message what ingest put on the queue, Item what the sender wrote into the ledger.
	Sid, Message, Item string
}

// next is the Sid of the next text.
func (s *Stage) next() string {
	s.texts++
	return fmt.Sprintf("SM%032x", s.texts)
}

// Event makes an event for a function about a text that has not come yet.
func (s *Stage) Event(function string, made Made) ([]byte, error) {
	sid := s.next()
	switch function {
	case Ingest:
		return webhook(sid, authToken)
	case Sender:
		return delivery(sid, strings.ReplaceAll(made.Message, made.Sid, sid))
	default:
		return change(sid, strings.ReplaceAll(made.Item, made.Sid, sid))
	}
}

// webhook is a text as Twilio brings it through API Gateway, signed with a token.
func webhook(sid, token string) ([]byte, error) {
	form := url.Values{
		"ToCountry": {"US"}, "ToState": {"CA"}, "SmsMessageSid": {sid}, "NumMedia": {"0"}, "ToCity": {"LA JOLLA"}, "FromZip": {"60601"},
		"SmsSid": {sid}, "FromState": {"IL"}, "SmsStatus": {"received"}, "FromCity": {"CHICAGO"}, "Body": {words}, "FromCountry": {"US"},
		"To": {number}, "ToZip": {"92093"}, "NumSegments": {"1"}, "MessageSid": {sid}, "AccountSid": {accountSid}, "From": {customer},
		"ApiVersion": {"2010-04-01"},
	}
	return json.Marshal(events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: "POST " + path, RawPath: path, IsBase64Encoded: true,
		Body: base64.StdEncoding.EncodeToString([]byte(form.Encode())),
		Headers: map[string]string{
			"content-type": "application/x-www-form-urlencoded; charset=UTF-8", "host": "relay.example.com", "user-agent": "TwilioProxy/1.1",
			"x-twilio-signature": signature.SignForm(token, baseURL+path, form),
		},
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			DomainName: "relay.example.com", RequestID: sid, Stage: "$default", RouteKey: "POST " + path,
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: http.MethodPost, Path: path, Protocol: "HTTP/1.1"},
		},
	})
}

// delivery is a message of the queue as Lambda hands it over.
func delivery(sid, body string) ([]byte, error) {
	at := fmt.Sprint(time.Now().UnixMilli())
	return json.Marshal(events.SQSEvent{Records: []events.SQSMessage{{
		MessageId: sid, ReceiptHandle: "handle", Body: body, EventSource: "aws:sqs", AWSRegion: region,
		EventSourceARN: fmt.Sprintf(arn, "sqs", "qdn-sms.fifo"),
		Attributes: map[string]string{
			"ApproximateReceiveCount": "1", "SentTimestamp": at, "ApproximateFirstReceiveTimestamp": at, "MessageGroupId": number + customer,
			"MessageDeduplicationId": sid, "SequenceNumber": "1",
		},
	}}})
}

// change is a new item of the ledger as its stream tells of it.
func change(sid, item string) ([]byte, error) {
	return json.Marshal(map[string]any{"Records": []map[string]any{{
		"eventID": sid, "eventName": "INSERT", "eventVersion": "1.1", "eventSource": "aws:dynamodb", "awsRegion": region,
		"eventSourceARN": fmt.Sprintf(arn, "dynamodb", "table/"+ledger+"/stream/2026-11-01T00:00:00.000"),
		"dynamodb": map[string]any{
			"ApproximateCreationDateTime": time.Now().Unix(), "SequenceNumber": "1", "StreamViewType": "NEW_AND_OLD_IMAGES",
			"Keys": map[string]any{"MessageSid": map[string]string{"S": sid}}, "NewImage": json.RawMessage(item),
		},
	}}})
}
