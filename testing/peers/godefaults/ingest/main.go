// Command ingest checks a text that Twilio brings, puts it on the queue and answers.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/twilio/twilio-go/client"
	"github.com/twilio/twilio-go/twiml"
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
	var secret struct{ AuthToken string }
	if err := json.Unmarshal([]byte(*out.SecretString), &secret); err != nil {
		return err
	}
	h := handler{sqs: sqs.NewFromConfig(cfg), validator: client.NewRequestValidator(secret.AuthToken)}
	lambda.Start(h.handle)
	return nil
}

type handler struct {
	sqs       *sqs.Client
	validator client.RequestValidator
}

func (h handler) handle(ctx context.Context, event events.APIGatewayV2HTTPRequest) (answer events.APIGatewayV2HTTPResponse, err error) {
	body := []byte(event.Body)
	if event.IsBase64Encoded {
		if body, err = base64.StdEncoding.DecodeString(event.Body); err != nil {
			return answer, err
		}
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return answer, err
	}
	form := map[string]string{}
	for name := range values {
		form[name] = values.Get(name)
	}
	if !h.validator.Validate(os.Getenv("PUBLIC_BASE_URL")+event.RawPath, form, event.Headers["x-twilio-signature"]) {
		answer.StatusCode = http.StatusForbidden
		return answer, nil
	}
	message, err := json.Marshal(form)
	if err != nil {
		return answer, err
	}
	_, err = h.sqs.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl:               aws.String(os.Getenv("RELAY_QUEUE_URL")),
		MessageBody:            aws.String(string(message)),
		MessageGroupId:         aws.String(form["To"] + form["From"]),
		MessageDeduplicationId: aws.String(form["MessageSid"]),
	})
	if err != nil {
		return answer, err
	}
	answer.StatusCode, answer.Headers = http.StatusOK, map[string]string{"content-type": "text/xml"}
	answer.Body, err = twiml.Messages(nil)
	return answer, err
}
