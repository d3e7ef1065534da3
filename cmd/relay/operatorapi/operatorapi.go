// Package operatorapi asks the operators' HTTP API for commands, without HTTP: so a command says and does the same as a program that asks
// over HTTP, and as a page of the console.
package operatorapi

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
	"quickdumpnow.com/smsrelay/shared/clock"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// API is the function that serves the operators' HTTP API, called without HTTP, or a relay elsewhere that serves it.
type API struct{ Handler Handler }

// Handler answers requests of the operators' HTTP API.
type Handler interface {
	Handle(ctx context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error)
}

// Open builds the function over an open relay, in the name of the operator of the command line. Errors go to its log.
func Open(p cli.Program, d *target.Target) API {
	config := ConfigOf(d, p.Logger())
	config.Operator = p.Operator("")
	return API{operations.New(config)}
}

// ConfigOf is what the function needs over an open relay: it acts in nobody's name, and orders nothing that takes long.
func ConfigOf(d *target.Target, logger *slog.Logger) operations.Config {
	return operations.Config{
		Queue: d.Queue, Records: d.Ledger, Routes: d.Routes, Conversations: d.Conversations, Trail: d.Trail(),
		Now: time.Now, NewID: operations.NewID, Wait: clock.Pause, Logger: logger, Emit: telemetry.Discard,
	}
}

// Order requests a text of the operator's own, as the path does, and reads the answer into answer.
func (a API) Order(ctx context.Context, path string, wanted, answer any) error {
	body, err := json.Marshal(wanted)
	if err != nil {
		return err
	}
	return a.ask(ctx, http.MethodPost, events.APIGatewayV2HTTPRequest{RawPath: path, Body: string(body)}, answer)
}

// Status asks about texts, and reads the answer into answer.
func (a API) Status(ctx context.Context, query url.Values, answer any) error {
	return a.ask(ctx, http.MethodGet, events.APIGatewayV2HTTPRequest{RawPath: operations.PathStatus, RawQueryString: query.Encode()}, answer)
}

// Search finds texts, and reads the answer into answer. With words, the ledger first records who asks.
func (a API) Search(ctx context.Context, query url.Values, answer any) error {
	return a.ask(ctx, http.MethodGet, events.APIGatewayV2HTTPRequest{RawPath: operations.PathSearch, RawQueryString: query.Encode()}, answer)
}

// Text asks what one text says, and reads the answer into answer. The ledger first records who asks.
func (a API) Text(ctx context.Context, messageSid string, answer *operations.Text) error {
	query := url.Values{"message_sid": {messageSid}}
	return a.ask(ctx, http.MethodGet, events.APIGatewayV2HTTPRequest{RawPath: operations.PathText, RawQueryString: query.Encode()}, answer)
}

func (a API) ask(ctx context.Context, method string, request events.APIGatewayV2HTTPRequest, answer any) error {
	request.RequestContext.HTTP.Method = method
	response, err := a.Handler.Handle(ctx, request)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusBadRequest {
		return RefusalOf(response)
	}
	return json.Unmarshal([]byte(response.Body), answer)
}

// RefusalOf returns the function's refusal as an error. A problem with the request is a usage error.
func RefusalOf(response events.APIGatewayV2HTTPResponse) error {
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
