// Package operations serves operators: it queues a manual text, answers what happened to any text, and shows the body of one.
// It does not decide who may call it: the gateway asks for IAM's SigV4 on AWS, and the front door for a bearer token on one
// host.
package operations

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/functions/operator/conversations"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// The paths that this function serves.
const (
	PathRelay    = "/sms/relay"
	PathReply    = "/sms/reply"
	PathStatus   = "/sms/status"
	PathText     = "/sms/status/text"
	PathSearch   = "/sms/search"
	PathContacts = "/sms/contacts"
	PathBlocks   = "/sms/blocks"
	PathOpenAPI  = "/openapi.json"
	// The paths about customers and what went back and forth with them.
	PathConversations = "/sms/conversations"
	PathWords         = PathConversations + "/text"
	PathGive          = PathConversations + "/give"
	PathDone          = PathConversations + "/done"
	PathResume        = PathConversations + "/resume"
	// The paths about texts that need somebody, on one host.
	PathResend      = "/sms/resend"
	PathUncertain   = "/sms/uncertain"
	PathDeadLetters = "/sms/dead-letters"
	// The paths about those who sign in to the console, on one host.
	PathUsers   = "/sms/users"
	PathSignOut = PathUsers + "/sign-out"
	// The paths about who is on duty, on one host.
	PathDuty  = "/sms/duty"
	PathOff   = PathDuty + "/off"
	PathHours = PathDuty + "/hours"
	PathWhere = PathDuty + "/where"
)

// Records is the part of the ledger that operators read. They write nothing to it but who was shown what a text says.
type Records interface {
	Get(ctx context.Context, messageSid string) (ledger.Record, error)
	List(ctx context.Context, q ledger.Query) (ledger.Page, error)
	ledger.Updater
}

// Config is what a Handler is made of. Every field but Operator is needed.
type Config struct {
	// Queue is where manual texts go, Records has all texts, and Routes decide what would happen to one.
	Queue   queue.Sender
	Records Records
	Routes  route.Lookup
	// Conversations say who has opted out and who waits, and keep the names of customers and who is blocked.
	Conversations conversations.Store
	// Trail finds a text's changes in the audit log.
	Trail auditlog.Trail
	// Now is the clock, NewID a new random id of a manual text ("RL" and 32 hexadecimal digits).
	Now   func() time.Time
	NewID func() string
	// Operator is the name to record for a caller if the gateway does not identify callers; if it is empty, such callers are
	// shown no text.
	Operator string
	// Wait passes some time while the sender carries out an order, or until the context ends. With nil, nobody waits for that.
	Wait func(ctx context.Context, d time.Duration)
	// Users are those who sign in to the console; nil if nobody does.
	Users Users
	// Rota says who is on duty, and changes it; nil if that is done by commands alone.
	Rota Rota
	// Mending does what is ordered about texts that need somebody; nil if nobody can order that here.
	Mending Mending
	// Pictures keeps the pictures of replies, from a source of them; nil if none can be sent here.
	Pictures func(source media.Source) media.Keeper
	// Logger gets one line for each request, Emit its measurements.
	Logger *slog.Logger
	Emit   telemetry.Emit
}

// Handler serves one request at a time or many; it keeps no state.
type Handler struct{ config Config }

// New returns a Handler.
func New(config Config) *Handler { return &Handler{config: config} }

// Handle answers one request. The error is always nil: every outcome is an HTTP answer, a refusal one with a problem
// document (RFC 9457, application/problem+json).
//
//	POST /sms/relay        202 {"id", "status_url"}, or of a dry run 200 and what would be done
//	POST /sms/reply        the same, of an answer to a customer
//	GET  /sms/status       200 one record (message_sid) or {"messages", "next_cursor"}
//	GET  /sms/status/text  200 what one text says; who asked goes on record first
//	GET  /sms/search       200 the texts that were found; who looks for words goes on record first
//	GET  /sms/contacts     200 one customer's name (customer) or {"contacts", "next_cursor"}
//	PUT  /sms/contacts     200 the customer's name before and now; DELETE the same
//	GET  /sms/blocks       200 who is blocked, or whether one customer is; PUT blocks one, DELETE lets the texts through again
//	GET  /sms/conversations       200 one customer with the texts (customer), or {"conversations", "next_cursor"}
//	GET  /sms/conversations/text  200 one customer with what the texts say; who asked goes on record first
//	POST /sms/conversations/give  200 the customer, whom that phone has now, or 202 if that is not certain yet
//	POST /sms/conversations/done  200 the customer, who does not wait any more
//	POST /sms/conversations/resume  200 the phones whose texts go on
//	POST /sms/resend       200 what sending texts again does to each. Only on one host, as the next two
//	POST /sms/uncertain    200 the uncertain text after a decision
//	GET  /sms/dead-letters 200 the dead letters; POST moves them back to the queue
//	GET  /sms/users        200 the users; POST makes one, PUT changes one, DELETE removes one. Only on one host
//	POST /sms/users/sign-out  200 the user, who is signed out everywhere
//	GET  /sms/duty         200 who is on duty for a number; POST puts phones on duty for a time, DELETE ends that. Only on one host
//	POST /sms/duty/off     200 who is on duty without that phone; DELETE puts it on again
//	PUT  /sms/duty/hours   200 who is on duty by the route's new phones and hours
//	GET  /sms/duty/where   200 where a text of a customer would go
//	GET  /openapi.json     200 the description of all this
func (h *Handler) Handle(ctx context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	a := h.route(ctx, request)
	attrs := []slog.Attr{
		slog.String("method", request.RequestContext.HTTP.Method), slog.String("path", request.RawPath),
		slog.Int("status", a.status), slog.String("caller", caller(request)),
	}
	level := slog.LevelInfo
	if a.err != nil {
		level = slog.LevelError
		attrs = append(attrs, slog.String("error", a.err.Error()))
	}
	h.config.Logger.LogAttrs(ctx, level, "operator request", append(attrs, a.attrs...)...)
	return a.response(), nil
}

func (h *Handler) route(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	methods, serve := h.server(request.RawPath)
	if serve == nil {
		return nothingHere()
	}
	if !slices.Contains(strings.Split(methods, ", "), request.RequestContext.HTTP.Method) {
		return refuse(http.StatusMethodNotAllowed, "use "+methods).allow(methods)
	}
	return serve(ctx, request)
}

// server returns the methods of a path and what serves it, nil for what is none.
func (h *Handler) server(path string) (methods string, serve func(context.Context, events.APIGatewayV2HTTPRequest) answer) {
	switch path {
	case PathRelay:
		return http.MethodPost, h.relay
	case PathReply:
		return http.MethodPost, h.reply
	case PathStatus:
		return http.MethodGet, h.status
	case PathText:
		return http.MethodGet, h.text
	case PathSearch:
		return http.MethodGet, h.search
	case PathContacts:
		return contactMethods, h.contacts
	case PathBlocks:
		return contactMethods, h.blocks
	case PathConversations, PathWords:
		return http.MethodGet, h.conversations
	case PathGive:
		return http.MethodPost, h.give
	case PathDone:
		return http.MethodPost, h.done
	case PathResume:
		return http.MethodPost, h.resume
	case PathOpenAPI:
		return http.MethodGet, describe
	case PathResend, PathUncertain, PathDeadLetters:
		return h.mendingServer(path)
	case PathUsers, PathSignOut:
		return h.userServer(path)
	case PathDuty, PathOff, PathHours, PathWhere:
		return h.dutyServer(path)
	default:
		return "", nil
	}
}

// userServer is server for the paths about users.
func (h *Handler) userServer(path string) (methods string, serve func(context.Context, events.APIGatewayV2HTTPRequest) answer) {
	switch {
	case h.config.Users == nil:
		return "", nil
	case path == PathSignOut:
		return http.MethodPost, h.users
	}
	return "GET, POST, PUT, DELETE", h.users
}

// contactMethods are the methods of [PathContacts] and [PathBlocks].
const contactMethods = "GET, PUT, DELETE"

func nothingHere() answer { return refuse(http.StatusNotFound, "there is nothing at this path") }

// operator names who asked for the record; empty if nobody knows.
func (h *Handler) operator(request events.APIGatewayV2HTTPRequest) string {
	return cmp.Or(caller(request), h.config.Operator)
}

// unknownOperator refuses what is done, or shown, to people on record only.
func unknownOperator() answer {
	return refuse(http.StatusInternalServerError, "it is not known who asks, and this is only for people on record").
		because(errors.New("the gateway did not say who asks"))
}

// caller names who asked, as the gateway vouches for it; empty on one host.
func caller(request events.APIGatewayV2HTTPRequest) string {
	if a := request.RequestContext.Authorizer; a != nil && a.IAM != nil {
		return a.IAM.UserARN
	}
	return ""
}

// answer is what a request is answered with.
type answer struct {
	status int
	// body is encoded as JSON.
	body any
	// problem marks a problem document.
	problem bool
	allowed string
	// err and attrs are for the operator's log.
	err   error
	attrs []slog.Attr
}

func (a answer) because(err error) answer {
	a.err = err
	return a
}

func (a answer) allow(methods string) answer {
	a.allowed = methods
	return a
}

func (a answer) response() events.APIGatewayV2HTTPResponse {
	headers := map[string]string{"content-type": "application/json", "cache-control": "no-store"}
	if a.problem {
		headers["content-type"] = "application/problem+json"
	}
	if a.allowed != "" {
		headers["allow"] = a.allowed
	}
	body, err := json.Marshal(a.body)
	if err != nil {
		return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusInternalServerError, Headers: headers}
	}
	return events.APIGatewayV2HTTPResponse{StatusCode: a.status, Headers: headers, Body: string(body)}
}
