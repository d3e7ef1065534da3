// Package webhook answers Twilio: it checks the signature of the incoming-message webhook and of the status callback, puts
// them on the queue and answers at once. It looks up no routes and sends nothing; functions/sender does.
package webhook

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	"quickdumpnow.com/smsrelay/shared/twilio/signature"
)

// The paths that this function serves.
const (
	PathInbound        = "/sms/inbound"
	PathStatusCallback = sms.CallbackPath
	PathHealth         = "/sms/health"
)

// Verifier checks a webhook's signature. The error is for the operator's log; any error refuses the request.
type Verifier interface {
	Validate(r signature.Request) error
}

// Config is what a Handler is made of. Every field is needed unless it says otherwise.
type Config struct {
	// Queue is where the envelopes go.
	Queue queue.Sender
	// Verifier checks signatures.
	Verifier Verifier
	// Now is the clock, Started when the process began, Build which build it is; the last two are for the health answer.
	Now     func() time.Time
	Started time.Time
	Build   telemetry.Build
	// Condition says how the relay is, for the health answer; nil means that nothing is known to be wrong with it.
	Condition func() Condition
	// Logger gets one line for each request, Emit its measurements.
	Logger *slog.Logger
	Emit   telemetry.Emit
}

// Handler serves one request at a time or many. All it remembers is how often signatures did not match.
type Handler struct {
	config     Config
	mismatches *spike
}

// New returns a Handler.
func New(config Config) *Handler { return &Handler{config: config, mismatches: &spike{}} }

// Handle answers one request. The error is always nil: every outcome is an HTTP answer.
//
//	POST /sms/inbound          200 text/xml with an empty TwiML response, once the queue holds the text durably
//	POST /sms/status-callback  204, once the queue holds the receipt durably
//	GET  /sms/inbound          with Twilio's parameters: as POST; without them: the health
//	GET  /sms/health           200 with the health as JSON; the queue is not touched
//
// What a signed request is, a text or a receipt, is read from its parameters, see kindOf: a text that comes to another path is
// taken as the text it is, with a warning. Refusals carry no detail: 400 (unparsable), 403 (signature), 404, 405, 413 (over
// 64 kB), 415 (not a form). 503 means that the queue did not take it. Twilio then comes again if the webhook's URL asks for
// it (#rc=5&rp=5xx…), or asks the fallback URL; a receipt is lost.
func (h *Handler) Handle(ctx context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	started := h.config.Now()
	o := h.route(ctx, request)
	h.report(ctx, request, o, h.config.Now().Sub(started))
	return o.response, nil
}

func (h *Handler) route(ctx context.Context, request events.APIGatewayV2HTTPRequest) outcome {
	method := request.RequestContext.HTTP.Method
	switch path := request.RawPath; {
	case (path == PathHealth || path == PathInbound) && method == http.MethodGet && !hasParameters(request):
		return h.health()
	case (path == PathHealth || path == PathInbound) && method == http.MethodGet:
		return h.accept(ctx, request)
	case (path == PathInbound || path == PathStatusCallback) && method == http.MethodPost:
		return h.accept(ctx, request)
	case path == PathInbound:
		return refuse(http.StatusMethodNotAllowed, "method").allow("GET, POST")
	case path == PathStatusCallback:
		return refuse(http.StatusMethodNotAllowed, "method").allow("POST")
	case path == PathHealth:
		return refuse(http.StatusMethodNotAllowed, "method").allow("GET")
	default:
		return refuse(http.StatusNotFound, "path")
	}
}
