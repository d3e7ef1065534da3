package main

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

	"quickdumpnow.com/smsrelay/cmd/relay/desk"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/aws/cloudwatch"
	"quickdumpnow.com/smsrelay/shared/onehost/jsonlines"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// counter is what answers operators: the function that serves the HTTP API, asked without HTTP. What a command says is
// therefore what POST /sms/relay, GET /sms/status and GET /sms/status/text say.
type counter struct{ handler *operations.Handler }

// openCounter puts the function together over an open relay. What it could not do, it says to the log.
func (p program) openCounter(d *desk.Desk) counter {
	return counter{operations.New(operations.Config{
		Queue: d.Queue, Records: d.Ledger, Routes: d.Routes, Conversations: d.Conversations, Trail: trailOf(d), Now: time.Now, NewID: operations.NewID,
		Operator: p.operator(""),
		Logger:   slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: slog.LevelError})),
		Emit:     func(...telemetry.Measurement) {},
	})}
}

// trailOf finds entries in an open relay's audit log.
func trailOf(d *desk.Desk) auditlog.Trail { //nolint:ireturn // each set has its own.
	if d.AuditLogGroup != "" {
		return cloudwatch.NewTrail(d.AWSConfig, d.AuditLogGroup)
	}
	return jsonlines.NewTrail(d.AuditFile)
}

// relay asks for a manual text, and reads the answer into answer.
func (c counter) relay(ctx context.Context, wanted operations.RelayRequest, answer any) error {
	body, err := json.Marshal(wanted)
	if err != nil {
		return err
	}
	return c.ask(ctx, http.MethodPost, events.APIGatewayV2HTTPRequest{RawPath: operations.PathRelay, Body: string(body)}, answer)
}

// status asks about texts, and reads the answer into answer.
func (c counter) status(ctx context.Context, query url.Values, answer any) error {
	return c.ask(ctx, http.MethodGet, events.APIGatewayV2HTTPRequest{RawPath: operations.PathStatus, RawQueryString: query.Encode()}, answer)
}

// text asks what one text says, and reads the answer into answer. Who asks is put on record first.
func (c counter) text(ctx context.Context, messageSid string, answer *operations.Text) error {
	query := url.Values{"message_sid": {messageSid}}
	return c.ask(ctx, http.MethodGet, events.APIGatewayV2HTTPRequest{RawPath: operations.PathText, RawQueryString: query.Encode()}, answer)
}

func (c counter) ask(ctx context.Context, method string, request events.APIGatewayV2HTTPRequest, answer any) error {
	request.RequestContext.HTTP.Method = method
	response, err := c.handler.Handle(ctx, request)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusBadRequest {
		return refusalOf(response)
	}
	return json.Unmarshal([]byte(response.Body), answer)
}

// refusalOf words what the function refused. What is wrong with the request is a mistake in the call.
func refusalOf(response events.APIGatewayV2HTTPResponse) error {
	var problem operations.Problem
	if err := json.Unmarshal([]byte(response.Body), &problem); err != nil {
		return fmt.Errorf("answer %d is unreadable: %w", response.StatusCode, err)
	}
	detail := problem.Detail
	if detail == "" {
		detail = problem.Title
	}
	refused := errors.New(strings.ReplaceAll(detail, "\n", "\n  "))
	switch response.StatusCode {
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge:
		return usageError{refused}
	default:
		return refused
	}
}
