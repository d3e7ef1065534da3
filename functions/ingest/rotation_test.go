package main

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	"quickdumpnow.com/smsrelay/shared/twilio/signature"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

const (
	baseURL    = "https://relay.example.com"
	accountSid = "AC00000000000000000000000000000001"
)

// rotation is a secret in Secrets Manager that is rotated as its managed rotation does, and the token that Twilio signs with.
type rotation struct {
	t      *testing.T
	client *secretsmanager.Client
	secret string
	token  atomic.Pointer[string]
}

func (r *rotation) value(token string) *string {
	return aws.String(`{"accountSid":"` + accountSid + `","authToken":"` + token + `"}`)
}

// put writes a version of the secret with a stage.
func (r *rotation) put(token, stage string) (version string) {
	r.t.Helper()
	out, err := r.client.PutSecretValue(r.t.Context(), &secretsmanager.PutSecretValueInput{
		SecretId: &r.secret, SecretString: r.value(token), VersionStages: []string{stage},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return *out.VersionId
}

// settings are the function's environment, over an emulated account.
func settings(t *testing.T) *rotation {
	t.Helper()
	config := relaytest.Emulator(t, relaytest.EmulatorMoto)
	r := &rotation{t: t, client: secretsmanager.NewFromConfig(awsclient.New(config))}
	created, err := r.client.CreateSecret(t.Context(),
		&secretsmanager.CreateSecretInput{Name: aws.String("test-" + rand.Text()), SecretString: r.value("first")})
	if err != nil {
		t.Fatal(err)
	}
	r.secret = *created.ARN
	first := "first"
	r.token.Store(&first)
	inbox, err := sqs.NewFromConfig(awsclient.New(config)).CreateQueue(t.Context(), &sqs.CreateQueueInput{
		QueueName: aws.String("test-" + rand.Text() + ".fifo"), Attributes: map[string]string{"FifoQueue": "true"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"AWS_REGION": config.Region, "AWS_ACCESS_KEY_ID": config.AccessKeyID, "AWS_SECRET_ACCESS_KEY": config.SecretAccessKey,
		"AWS_ENDPOINT_URL": config.Endpoint,
		"PUBLIC_BASE_URL":  baseURL, "RELAY_QUEUE_URL": *inbox.QueueUrl, "RELAY_TWILIO_AUTH_TOKEN_SECRET": r.secret,
	} {
		t.Setenv(name, value)
	}
	return r
}

// webhookOf is the nth text of a customer, signed.
func webhookOf(customer, n int, token string) events.APIGatewayV2HTTPRequest {
	form := url.Values{
		"MessageSid": {fmt.Sprintf("SM%028x%04x", customer, n)}, "AccountSid": {accountSid}, "NumMedia": {"0"}, "Body": {"Hello"},
		"From": {fmt.Sprintf("+131255501%02d", customer)}, "To": {"+18585550100"},
	}
	return events.APIGatewayV2HTTPRequest{
		RawPath: webhook.PathInbound, IsBase64Encoded: true, Body: base64.StdEncoding.EncodeToString([]byte(form.Encode())),
		Headers: map[string]string{
			"content-type":       "application/x-www-form-urlencoded",
			"x-twilio-signature": signature.SignForm(token, baseURL+webhook.PathInbound, form),
		},
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: http.MethodPost},
		},
	}
}

// TestRotationRefusesNoWebhook rotates the Auth Token while webhooks come in: pending is written, Twilio signs with it, and then
// it becomes the current one.
func TestRotationRefusesNoWebhook(t *testing.T) {
	r := settings(t)
	handler, err := newHandler(t.Context(), slog.New(slog.DiscardHandler), time.Now(), telemetry.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var customers sync.WaitGroup
	var answered atomic.Int64
	ended := make(chan struct{})
	for customer := range 6 {
		customers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-ended:
					return
				default:
				}
				answer, err := handler.Handle(t.Context(), webhookOf(customer, n, *r.token.Load()))
				if err != nil || answer.StatusCode != http.StatusOK {
					t.Errorf("webhook %d of customer %d is answered %d, %v", n, customer, answer.StatusCode, err)
					return
				}
				answered.Add(1)
			}
		})
	}
	under := func() { // Some webhooks are answered between two steps.
		for seen := answered.Load(); answered.Load() < seen+30 && !t.Failed(); time.Sleep(time.Millisecond) {
		}
	}
	under()
	second := "second"
	pending := r.put(second, "AWSPENDING")
	under()
	r.token.Store(&second)
	under()
	old, err := r.client.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: &r.secret})
	if err != nil {
		t.Fatal(err)
	}
	for version, stages := range old.VersionIdsToStages {
		for _, stage := range stages {
			if stage == "AWSCURRENT" && version != pending {
				_, err = r.client.UpdateSecretVersionStage(t.Context(), &secretsmanager.UpdateSecretVersionStageInput{
					SecretId: &r.secret, VersionStage: aws.String("AWSCURRENT"), MoveToVersionId: &pending, RemoveFromVersionId: &version,
				})
			}
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	under()
	close(ended)
	customers.Wait()
	t.Logf("%d webhooks were answered", answered.Load())
	if answer, err := handler.Handle(t.Context(), webhookOf(7, 0, "nobody's")); err != nil || answer.StatusCode != http.StatusForbidden {
		t.Errorf("a token of nobody: %d, %v, want 403", answer.StatusCode, err)
	}
}
