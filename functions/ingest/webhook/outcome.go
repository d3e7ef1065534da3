package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// emptyTwiML answers a message without replying to it.
const emptyTwiML = `<?xml version="1.0" encoding="UTF-8"?><Response></Response>`

// outcome is the result of a request: the answer, and what the log tells the operator. The zero value is undecided.
type outcome struct {
	response events.APIGatewayV2HTTPResponse
	// reason is set for a refusal; err is set if there is more to tell the operator.
	reason string
	err    error
	// odd means that it was accepted although something about it is wrong: err says what.
	odd bool
	// unavailable means that the queue did not accept it.
	unavailable bool
	// envelope is set of what went, or should have gone, to the queue.
	envelope queue.Envelope
}

func (o outcome) settled() bool { return o.response.StatusCode != 0 }

func (o outcome) refused() bool { return o.reason != "" }

func (o outcome) because(err error) outcome {
	o.err = err
	return o
}

// warn notes what is wrong with a request that is accepted even so.
func (o outcome) warn(err error) outcome {
	o.odd, o.err = true, errors.Join(o.err, err)
	return o
}

func (o outcome) allow(methods string) outcome {
	o.response.Headers["allow"] = methods
	return o
}

func refuse(status int, reason string) outcome {
	return outcome{response: plain(status), reason: reason}
}

// ignored acknowledges a callback that the relay has no use for.
func ignored(err error) outcome {
	return outcome{response: events.APIGatewayV2HTTPResponse{StatusCode: http.StatusNoContent}, err: err}
}

// plain is an answer with a status only.
func plain(status int) events.APIGatewayV2HTTPResponse {
	return events.APIGatewayV2HTTPResponse{
		StatusCode: status,
		Headers:    map[string]string{"content-type": "text/plain; charset=utf-8"},
		Body:       http.StatusText(status) + "\n",
	}
}

func acknowledged(kind queue.Kind) events.APIGatewayV2HTTPResponse {
	if kind == queue.KindReceipt {
		return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusNoContent}
	}
	return events.APIGatewayV2HTTPResponse{
		StatusCode: http.StatusOK,
		Headers:    map[string]string{"content-type": "text/xml"},
		Body:       emptyTwiML,
	}
}

// The statuses of the health answer.
const (
	// statusOK: nothing is known to be wrong.
	statusOK = "ok"
	// statusDegraded: the relay serves, and texts are refused or held back. A person has to do something.
	statusDegraded = "degraded"
	// statusFailing: the relay cannot store what it gets. The answer is 503.
	statusFailing = "failing"
)

// Condition is how the relay is. The zero value is well.
type Condition struct {
	// Failing means that it cannot store what it gets.
	Failing bool
	// Problems says what is wrong and what to do, in words that anyone may read: no number, no secret.
	Problems []string
}

func (c Condition) status() (name string, code int) {
	switch {
	case c.Failing:
		return statusFailing, http.StatusServiceUnavailable
	case len(c.Problems) > 0:
		return statusDegraded, http.StatusOK
	default:
		return statusOK, http.StatusOK
	}
}

// health is the health answer.
type health struct {
	Status string `json:"status"`
	// Problems are the Condition's.
	Problems []string `json:"problems,omitempty"`
	telemetry.Build
	UptimeSeconds int64 `json:"uptime_seconds"`
}

func (h *Handler) health() outcome {
	uptime := h.config.Now().Sub(h.config.Started)
	var condition Condition
	if h.config.Condition != nil {
		condition = h.config.Condition()
	}
	status, code := condition.status()
	body, err := json.Marshal(health{
		Status: status, Problems: condition.Problems, Build: h.config.Build, UptimeSeconds: int64(uptime / time.Second),
	})
	if err != nil {
		return outcome{response: plain(http.StatusInternalServerError), err: err}
	}
	return outcome{response: events.APIGatewayV2HTTPResponse{
		StatusCode: code,
		Headers:    map[string]string{"content-type": "application/json", "cache-control": "no-store"},
		// People who ask with curl read it in a terminal.
		Body: string(body) + "\n",
	}}
}

// report writes the request's one log line and its measurement.
func (h *Handler) report(ctx context.Context, request events.APIGatewayV2HTTPRequest, o outcome, took time.Duration) {
	attrs := append(make([]slog.Attr, 0, maxAttrs),
		slog.String("method", request.RequestContext.HTTP.Method),
		slog.String("path", request.RawPath),
		slog.Int("status", o.response.StatusCode),
		slog.Int64("took_ms", took.Milliseconds()),
	)
	if o.err != nil {
		attrs = append(attrs, slog.String("error", o.err.Error()))
	}
	attrs = appendEnvelope(attrs, o.envelope)
	switch {
	case o.refused():
		h.config.Emit(telemetry.Measurement{
			Name: telemetry.MetricRejected, Unit: telemetry.Count, Value: 1,
			Dimension: telemetry.Dimension{Name: "Reason", Value: o.reason},
		})
		attrs = append(attrs, slog.String("reason", o.reason), slog.String("source_ip", request.RequestContext.HTTP.SourceIP))
		if seen, isSpike := h.spike(o); isSpike {
			attrs = append(attrs, slog.Int("mismatches", seen), slog.String("check", checkSpike))
			h.config.Logger.LogAttrs(ctx, slog.LevelError, "webhooks refused: their signatures do not match", attrs...)
			return
		}
		h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "webhook refused", attrs...)
	case o.unavailable:
		h.config.Emit(telemetry.Measurement{Name: telemetry.MetricUnavailable, Unit: telemetry.Count, Value: 1})
		h.config.Logger.LogAttrs(ctx, slog.LevelError, "webhook not queued", attrs...)
	case o.envelope.Kind != "":
		h.config.Emit(telemetry.Measurement{
			Name: telemetry.MetricAccepted, Unit: telemetry.Count, Value: 1,
			Dimension: telemetry.Dimension{Name: "Kind", Value: string(o.envelope.Kind)},
		})
		level := slog.LevelInfo
		if o.odd {
			level = slog.LevelWarn
		}
		h.config.Logger.LogAttrs(ctx, level, "webhook accepted", attrs...)
	case o.response.StatusCode == http.StatusNoContent:
		h.config.Logger.LogAttrs(ctx, slog.LevelInfo, "callback ignored", attrs...)
	default:
		h.config.Logger.LogAttrs(ctx, slog.LevelDebug, "health answered", attrs...)
	}
}

// maxAttrs is the most that a line says, so that its room is made once.
const maxAttrs = 12

func appendEnvelope(attrs []slog.Attr, e queue.Envelope) []slog.Attr {
	switch {
	case e.Message != nil:
		return append(attrs,
			slog.String("message_sid", e.RelayID), slog.Any("twilio_number", e.Message.To), slog.Any("customer", e.Message.From))
	case e.Receipt != nil:
		return append(attrs,
			slog.String("message_sid", e.RelayID), slog.String("outbound_sid", e.Receipt.Sid),
			slog.String("message_status", string(e.Receipt.Status)), slog.Int("attempt", e.Receipt.Attempt))
	default:
		return attrs
	}
}
