package webhook

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/twilio/signature"
)

// MaxBody is the largest body accepted, in bytes. Twilio's own webhooks are far smaller.
const MaxBody = 64 << 10

// accept puts a signed form on the queue. The cheap checks come first, and the signature before anything is read.
func (h *Handler) accept(ctx context.Context, request events.APIGatewayV2HTTPRequest) outcome {
	body, refused := bodyOf(request)
	if refused.refused() {
		return refused
	}
	contentType, parameters := request.Headers["content-type"], body
	if request.RequestContext.HTTP.Method == http.MethodGet {
		// The number is set to GET: all parameters are in the query, and Twilio signs only the URL.
		parameters = []byte(request.RawQueryString)
	} else if !signature.IsForm(contentType) {
		return refuse(http.StatusUnsupportedMediaType, "content_type")
	}
	err := h.config.Verifier.Validate(signature.Request{
		Method:      request.RequestContext.HTTP.Method,
		Path:        request.RawPath,
		RawQuery:    request.RawQueryString,
		ContentType: contentType,
		Body:        body,
		Signature:   request.Headers["x-twilio-signature"],
	})
	if errors.Is(err, signature.ErrForm) {
		return refuse(http.StatusBadRequest, "malformed").because(err)
	}
	if err != nil {
		return refuse(http.StatusForbidden, "signature").because(err)
	}
	form, err := signature.ParseForm(parameters)
	if err != nil {
		return refuse(http.StatusBadRequest, "malformed").because(err)
	}
	envelope, o := h.read(form, request)
	if o.settled() {
		return o
	}
	return h.enqueue(ctx, envelope, o)
}

// read makes the envelope of a form that is known to come from Twilio, or decides the answer if there is none.
func (h *Handler) read(form signature.Form, request events.APIGatewayV2HTTPRequest) (queue.Envelope, outcome) {
	if kindOf(form, request.RawPath) == queue.KindReceipt {
		return h.receipt(form, request.RawQueryString)
	}
	envelope, o := h.inbound(form)
	if request.RawPath != PathInbound {
		o = o.warn(errMisplaced)
	}
	return envelope, o
}

// bodyOf returns the body as Twilio sent it. API Gateway hands forms over in base64.
func bodyOf(request events.APIGatewayV2HTTPRequest) ([]byte, outcome) {
	if !request.IsBase64Encoded {
		if len(request.Body) > MaxBody {
			return nil, tooLarge()
		}
		return []byte(request.Body), outcome{}
	}
	if len(request.Body) > base64.StdEncoding.EncodedLen(MaxBody) {
		return nil, tooLarge()
	}
	body, err := base64.StdEncoding.DecodeString(request.Body)
	switch {
	case err != nil:
		return nil, refuse(http.StatusBadRequest, "malformed").because(err)
	case len(body) > MaxBody:
		return nil, tooLarge()
	default:
		return body, outcome{}
	}
}

func tooLarge() outcome { return refuse(http.StatusRequestEntityTooLarge, "too_large") }

// enqueue puts the envelope on the queue and answers Twilio. o has what is odd about the form.
func (h *Handler) enqueue(ctx context.Context, envelope queue.Envelope, o outcome) outcome {
	o.envelope = envelope
	outgoing, err := envelope.Outgoing()
	if err != nil {
		return refuse(http.StatusBadRequest, "malformed").because(err)
	}
	if err := h.config.Queue.Send(ctx, outgoing); err != nil {
		o.response, o.unavailable, o.err = plain(http.StatusServiceUnavailable), true, err
		return o
	}
	o.response = acknowledged(envelope.Kind)
	return o
}
