// Command sender passes texts from the queue on to the phones, and keeps a record of each.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/twilio/twilio-go"
	"github.com/twilio/twilio-go/client"
	openapi "github.com/twilio/twilio-go/rest/api/v2010"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	out, err := secretsmanager.NewFromConfig(cfg).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{
		SecretId: aws.String(os.Getenv("RELAY_TWILIO_AUTH_TOKEN_SECRET")),
	})
	if err != nil {
		return err
	}
	var secret struct{ AccountSid, AuthToken string }
	if err := json.Unmarshal([]byte(*out.SecretString), &secret); err != nil {
		return err
	}
	h := handler{dynamodb: dynamodb.NewFromConfig(cfg), twilio: newTwilio(secret.AccountSid, secret.AuthToken)}
	lambda.Start(h.handle)
	return nil
}

// newTwilio returns twilio-go's client. It has no setting for another address, so that a test has to rewrite the requests.
func newTwilio(accountSid, authToken string) *twilio.RestClient {
	params := twilio.ClientParams{Username: accountSid, Password: authToken}
	if other := os.Getenv("TWILIO_API_BASE_URL"); other != "" {
		base := &client.Client{Credentials: client.NewCredentials(accountSid, authToken), HTTPClient: &http.Client{Transport: elsewhere(other)}}
		base.SetAccountSid(accountSid)
		params.Client = base
	}
	return twilio.NewRestClientWithParams(params)
}

// elsewhere sends requests to another address than Twilio's.
type elsewhere string

// RoundTrip sends one on.
func (e elsewhere) RoundTrip(r *http.Request) (*http.Response, error) {
	base, err := url.Parse(string(e))
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = base.Scheme, base.Host, base.Host
	return http.DefaultTransport.RoundTrip(r)
}

type handler struct {
	dynamodb *dynamodb.Client
	twilio   *twilio.RestClient
}

func (h handler) handle(ctx context.Context, event events.SQSEvent) (answer events.SQSEventResponse, err error) {
	for _, record := range event.Records {
		var text text
		err := json.Unmarshal([]byte(record.Body), &text)
		if err == nil {
			err = h.relay(ctx, text)
		}
		if err != nil {
			fmt.Println("not relayed:", err)
			answer.BatchItemFailures = append(answer.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: record.MessageId})
		}
	}
	return answer, nil
}

type text struct{ MessageSid, From, To, Body string }

type route struct {
	DestinationCarrier string
	Active             bool
}

type record struct{ MessageSid, State, From, To, Body, ReceivedAt string }

// relay claims a text, sends it and notes what came of it.
func (h handler) relay(ctx context.Context, t text) error {
	found, err := h.dynamodb.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(os.Getenv("RELAY_ROUTING_TABLE")),
		Key:       map[string]types.AttributeValue{"TwilioNumber": &types.AttributeValueMemberS{Value: t.To}},
	})
	if err != nil {
		return err
	}
	var to route
	if err := attributevalue.UnmarshalMap(found.Item, &to); err != nil {
		return err
	}
	if !to.Active {
		return nil
	}
	item, err := attributevalue.MarshalMap(record{t.MessageSid, "sending", t.From, t.To, t.Body, time.Now().UTC().Format(time.RFC3339)})
	if err != nil {
		return err
	}
	table := aws.String(os.Getenv("RELAY_LEDGER_TABLE"))
	_, err = h.dynamodb.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: table, Item: item, ConditionExpression: aws.String("attribute_not_exists(MessageSid)"),
	})
	if _, taken := errors.AsType[*types.ConditionalCheckFailedException](err); taken {
		return nil // Another delivery of the same text has it.
	}
	if err != nil {
		return err
	}
	params := (&openapi.CreateMessageParams{}).SetTo(to.DestinationCarrier).SetFrom(t.To).SetBody(t.From + ": " + t.Body)
	sent, err := h.twilio.Api.CreateMessage(params)
	if err != nil {
		return err
	}
	_, err = h.dynamodb.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                table,
		Key:                      map[string]types.AttributeValue{"MessageSid": item["MessageSid"]},
		UpdateExpression:         aws.String("SET #state = :state, OutboundSid = :sid, UpdatedAt = :now"),
		ExpressionAttributeNames: map[string]string{"#state": "State"},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":state": &types.AttributeValueMemberS{Value: "sent"},
			":sid":   &types.AttributeValueMemberS{Value: *sent.Sid},
			":now":   &types.AttributeValueMemberS{Value: time.Now().UTC().Format(time.RFC3339)},
		},
	})
	return err
}
