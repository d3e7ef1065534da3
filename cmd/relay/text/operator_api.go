package text

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// operatorAPI is the function that serves the operators' HTTP API, called without HTTP, or a relay elsewhere that serves it. So a command
// says the same as POST /sms/relay, GET /sms/status and GET /sms/status/text.
type operatorAPI struct{ handler handler }

// handler answers requests of the operators' HTTP API.
type handler interface {
	Handle(ctx context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error)
}

// openOperatorAPI builds the function over an open relay. It writes its errors to the log.
func (p program) openOperatorAPI(d *target.Target) operatorAPI {
	return operatorAPI{operations.New(operations.Config{
		Queue: d.Queue, Records: d.Ledger, Routes: d.Routes, Conversations: d.Conversations, Trail: d.Trail(), Now: time.Now,
		NewID:    operations.NewID,
		Operator: p.Operator(""),
		Logger:   slog.New(slog.NewTextHandler(p.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
		Emit:     func(...telemetry.Measurement) {},
	})}
}

// order requests a text of the operator's own, as the path does, and reads the answer into answer.
func (a operatorAPI) order(ctx context.Context, path string, wanted, answer any) error {
	body, err := json.Marshal(wanted)
	if err != nil {
		return err
	}
	return a.ask(ctx, http.MethodPost, events.APIGatewayV2HTTPRequest{RawPath: path, Body: string(body)}, answer)
}

// status asks about texts, and reads the answer into answer.
func (a operatorAPI) status(ctx context.Context, query url.Values, answer any) error {
	return a.ask(ctx, http.MethodGet, events.APIGatewayV2HTTPRequest{RawPath: operations.PathStatus, RawQueryString: query.Encode()}, answer)
}

// text asks what one text says, and reads the answer into answer. The ledger first records who asks.
func (a operatorAPI) text(ctx context.Context, messageSid string, answer *operations.Text) error {
	query := url.Values{"message_sid": {messageSid}}
	return a.ask(ctx, http.MethodGet, events.APIGatewayV2HTTPRequest{RawPath: operations.PathText, RawQueryString: query.Encode()}, answer)
}

func (a operatorAPI) ask(ctx context.Context, method string, request events.APIGatewayV2HTTPRequest, answer any) error {
	request.RequestContext.HTTP.Method = method
	response, err := a.handler.Handle(ctx, request)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusBadRequest {
		return refusalOf(response)
	}
	return json.Unmarshal([]byte(response.Body), answer)
}

// refusalOf returns the function's refusal as an error. A problem with the request is a usage error.
func refusalOf(response events.APIGatewayV2HTTPResponse) error {
	var problem operations.Problem
	if err := json.Unmarshal([]byte(response.Body), &problem); err != nil {
		return fmt.Errorf("answer %d cannot be read: %w", response.StatusCode, err)
	}
	detail := problem.Detail
	if detail == "" {
		detail = problem.Title
	}
	refused := errors.New(strings.ReplaceAll(detail, "\n", "\n  "))
	switch response.StatusCode {
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge:
		return cli.Usage(refused)
	default:
		return refused
	}
}
