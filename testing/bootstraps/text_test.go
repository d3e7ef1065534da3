package bootstraps

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/dynamo"
	"quickdumpnow.com/smsrelay/shared/eventsource"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/sqs"
	"quickdumpnow.com/smsrelay/shared/twilio/signature"
	"quickdumpnow.com/smsrelay/shared/twiliofake"
)

const (
	accountSid = "AC00000000000000000000000000000001"
	authToken  = "faketokenfaketokenfaketokenfake1"
	baseURL    = "https://relay.example.com"
	textSid    = "SM00000000000000000000000000000001"
	number     = "+18585550100"
	phone      = "+16195550123"
	fallback   = "+16195550124"
	customer   = "+13125550147"
)

// TestATextThroughTheBootstraps takes one signed text from the webhook to the audit log.
func TestATextThroughTheBootstraps(t *testing.T) {
	aws := newAccount(t)
	inbox, dead, timers := aws.queue(t), aws.queue(t), aws.timerQueue(t)
	ledgerTable, routingTable := aws.table(t, dynamo.LedgerSchema()), aws.table(t, dynamo.RoutesSchema())
	paceTable := aws.table(t, dynamo.PaceSchema())
	secret := aws.secret(t, `{"accountSid":"`+accountSid+`","authToken":"`+authToken+`"}`)
	auditGroup := aws.logGroup(t)
	twilio := fakeTwilio(t)
	putRoute(t, dynamo.NewRoutes(aws.config, routingTable))

	var answer events.APIGatewayV2HTTPResponse
	start(t, "ingest", aws.environment(map[string]string{
		"PUBLIC_BASE_URL": baseURL, "RELAY_QUEUE_URL": inbox, "RELAY_TWILIO_AUTH_TOKEN_SECRET": secret,
	})).invoke(t, webhook(), &answer)
	if answer.StatusCode != http.StatusOK || !strings.Contains(answer.Body, "<Response>") {
		t.Fatalf("ingest answered %+v", answer)
	}

	var failures events.SQSEventResponse
	start(t, "sender", aws.environment(map[string]string{
		"PUBLIC_BASE_URL": baseURL, "RELAY_QUEUE_URL": inbox, "RELAY_DEAD_LETTER_QUEUE_URL": dead,
		"RELAY_TIMER_QUEUE_URL": timers, "RELAY_LEDGER_TABLE": ledgerTable, "RELAY_ROUTING_TABLE": routingTable,
		"RELAY_PACE_TABLE": paceTable, "RELAY_PACE_PAIR": "10/30s", "RELAY_PACE_NUMBER": "1/1s",
		"RELAY_RECONCILE_LOOKS": "3", "RELAY_RECONCILE_INTERVAL": "40s", "RELAY_TWILIO_AUTH_TOKEN_SECRET": secret,
		"TWILIO_ACCOUNT_SID": accountSid, "TWILIO_API_BASE_URL": twilio.url,
	})).invoke(t, received(t, sqs.New(aws.config, inbox)), &failures)
	if len(failures.BatchItemFailures) != 0 {
		t.Fatalf("sender named %v", failures.BatchItemFailures)
	}
	sent := twilio.fake.Messages()
	if len(sent) != 1 || sent[0].From != number || sent[0].To != phone || sent[0].Body != "From "+customer+": Hello" {
		t.Fatalf("Twilio was asked to send %+v", sent)
	}
	record, err := dynamo.NewLedger(aws.config, dynamo.LedgerConfig{Table: ledgerTable, Now: time.Now}).Get(t.Context(), textSid)
	if err != nil || record.State != ledger.Sent || record.Attempts[0].OutboundSid != sent[0].Sid {
		t.Fatalf("the ledger has %+v, %v", record, err)
	}
	if paced := aws.keys(t, paceTable, "TwilioNumber"); !slices.Equal(paced, []string{number}) {
		t.Errorf("the pace table has %q", paced)
	}
	if set := aws.delayed(t, timers); set != "1" {
		t.Errorf("%s timers are set, want that of the route's DeliveryTimeout", set)
	}

	var unread events.DynamoDBEventResponse
	start(t, "stream-audit", aws.environment(map[string]string{"RELAY_AUDIT_LOG_GROUP": auditGroup})).invoke(t, changed(t, record), &unread)
	lines := aws.lines(t, auditGroup)
	if len(unread.BatchItemFailures) != 0 || len(lines) != 1 || !strings.Contains(lines[0], `"id":"`+textSid+`.2"`) || strings.Contains(lines[0], customer) {
		t.Fatalf("stream-audit named %v and wrote %q", unread.BatchItemFailures, lines)
	}

	start(t, "operator", aws.environment(map[string]string{"RELAY_QUEUE_URL": inbox, "RELAY_LEDGER_TABLE": ledgerTable})).invoke(t, status(), &answer)
	var list operations.List
	if err := json.Unmarshal([]byte(answer.Body), &list); err != nil || len(list.Messages) != 1 || list.Messages[0].State != ledger.Sent {
		t.Fatalf("operator answered %+v", answer)
	}
}

// TestBootstrapsRefuseToStartUnset: each function says everything that is missing, and does not serve.
func TestBootstrapsRefuseToStartUnset(t *testing.T) {
	newAccount(t) // It is not asked, but without the emulators four functions are not worth compiling.
	for name, missing := range map[string][]string{
		"ingest":       {"RELAY_QUEUE_URL", "RELAY_TWILIO_AUTH_TOKEN_SECRET", "AWS_REGION"},
		"sender":       {"RELAY_QUEUE_URL", "RELAY_DEAD_LETTER_QUEUE_URL", "RELAY_TIMER_QUEUE_URL", "RELAY_LEDGER_TABLE", "RELAY_ROUTING_TABLE", "RELAY_PACE_TABLE", "TWILIO_ACCOUNT_SID"},
		"stream-audit": {"RELAY_AUDIT_LOG_GROUP"},
		"operator":     {"RELAY_QUEUE_URL", "RELAY_LEDGER_TABLE"},
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t, name, nil)
			said := f.ended(t)
			for _, variable := range missing {
				if !strings.Contains(said, variable+" is not set") {
					t.Errorf("%s said %q, not that %s is missing", name, said, variable)
				}
			}
		})
	}
}

// putRoute puts a route with two hops, of which the second has its turn in an hour.
func putRoute(t *testing.T, table route.Table) {
	t.Helper()
	if _, err := table.Put(t.Context(), route.Route{
		TwilioNumber: number, DestinationCarrier: phone, FallbackCarriers: []sms.PhoneNumber{fallback},
		DeliveryTimeout: route.Duration(time.Hour), Active: true, LastUpdated: time.Now(), UpdatedBy: "test",
	}); err != nil {
		t.Fatal(err)
	}
}

// fakedTwilio is a fake Twilio and where it is.
type fakedTwilio struct {
	fake *twiliofake.Server
	url  string
}

func fakeTwilio(t *testing.T) fakedTwilio {
	t.Helper()
	fake, err := twiliofake.New(twiliofake.Config{
		AccountSid: accountSid, AuthToken: authToken, Now: time.Now, Client: &http.Client{Transport: nowhere{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(fake)
	t.Cleanup(func() {
		server.Close()
		fake.Close()
	})
	return fakedTwilio{fake: fake, url: server.URL}
}

// nowhere takes the receipts: nobody listens at the base URL.
type nowhere struct{}

func (nowhere) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody}, nil
}

func webhook() events.APIGatewayV2HTTPRequest {
	form := url.Values{"MessageSid": {textSid}, "AccountSid": {accountSid}, "From": {customer}, "To": {number}, "Body": {"Hello"}, "NumMedia": {"0"}}
	return events.APIGatewayV2HTTPRequest{
		RawPath: "/sms/inbound",
		Headers: map[string]string{
			"content-type":       "application/x-www-form-urlencoded",
			"x-twilio-signature": signature.SignForm(authToken, baseURL+"/sms/inbound", form),
		},
		RequestContext:  events.APIGatewayV2HTTPRequestContext{HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: http.MethodPost}},
		Body:            base64.StdEncoding.EncodeToString([]byte(form.Encode())),
		IsBase64Encoded: true,
	}
}

func status() events.APIGatewayV2HTTPRequest {
	return events.APIGatewayV2HTTPRequest{
		RawPath: "/sms/status", RawQueryString: "number=" + url.QueryEscape(customer),
		RequestContext: events.APIGatewayV2HTTPRequestContext{HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: http.MethodGet}},
	}
}

// received takes the one text off the queue, as the event source mapping would hand it over.
func received(t *testing.T, inbox queue.Receiver) events.SQSEvent {
	t.Helper()
	deliveries, err := inbox.Receive(t.Context(), 1, 5*time.Second, time.Minute)
	if err != nil || len(deliveries) != 1 {
		t.Fatalf("the queue holds %d texts, %v", len(deliveries), err)
	}
	d := deliveries[0]
	return events.SQSEvent{Records: []events.SQSMessage{{
		MessageId: d.MessageID, ReceiptHandle: d.ReceiptHandle, Body: d.Body, Attributes: map[string]string{"MessageGroupId": d.Group},
	}}}
}

// changed is the stream's record of the ledger's last change.
func changed(t *testing.T, record ledger.Record) events.DynamoDBEvent {
	t.Helper()
	item, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	image, err := eventsource.Image(item)
	if err != nil {
		t.Fatal(err)
	}
	return events.DynamoDBEvent{Records: []events.DynamoDBEventRecord{{
		EventName: "MODIFY",
		Change: events.DynamoDBStreamRecord{
			Keys:     map[string]events.DynamoDBAttributeValue{"MessageSid": events.NewStringAttribute(record.MessageSid)},
			NewImage: image, SequenceNumber: "100000000000000000001", ApproximateCreationDateTime: events.SecondsEpochTime{Time: record.UpdatedAt},
		},
	}}}
}
