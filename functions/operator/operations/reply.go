package operations

import (
	"context"
	"net/http"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// ReplyRequest asks for the business's own answer to a customer: the words as they are, from the number that the customer texts.
type ReplyRequest struct {
	// TwilioNumber is the number that the customer texts, in E.164. It has a route.
	TwilioNumber sms.PhoneNumber `json:"twilio_number"`
	// Customer is who gets it, in E.164.
	Customer sms.PhoneNumber `json:"customer"`
	// Body is the text, 1 to 1,600 characters.
	Body string `json:"body"`
	// Pictures go with the words, ten at most and 5 MB together.
	Pictures []Picture `json:"pictures,omitempty"`
	// SeenSid is the customer's newest text, as whoever answers has seen it: this is the answer to it, however soon it comes. Without one,
	// what comes within five seconds of a text is no answer to it.
	SeenSid string `json:"seen_sid,omitempty"`
	// IdempotencyKey and DryRun are as in [RelayRequest].
	IdempotencyKey string `json:"idempotency_key,omitempty"`
	DryRun         bool   `json:"dry_run"`
}

// replyFields are the fields of a ReplyRequest.
func replyFields() []string {
	return []string{"twilio_number", "customer", "body", "pictures", "seen_sid", "idempotency_key", "dry_run"}
}

// reply queues the business's own answer to a customer, or answers what would happen to it. It is a manual text without a sender's
// name, to one phone; the sender treats it as every other.
func (h *Handler) reply(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	wanted := RelayRequest{IsReply: true, By: h.operator(request)}
	refusal, refused := wanted.read(request, replyFields(), map[string]any{
		"twilio_number": &wanted.TwilioNumber, "customer": &wanted.To, "body": &wanted.Body,
		"pictures": &wanted.Pictures, "seen_sid": &wanted.SeenSid, "idempotency_key": &wanted.IdempotencyKey, "dry_run": &wanted.DryRun,
	})
	switch {
	case refused:
		return refusal
	case len(wanted.Pictures) > 0 && h.config.Pictures == nil:
		return noPictures()
	}
	return h.order(ctx, wanted)
}

// againstReply finds what speaks against a reply by the route of the number, if it has one: a number without a route is none that
// customers text, and what a phone on duty gets is no reply.
func againstReply(wanted RelayRequest, way route.Route, isRouted bool) (drop ledger.Reason, refusal answer) {
	switch {
	case !wanted.IsReply:
		return "", answer{}
	case !isRouted:
		return ledger.ReasonNoRoute, answer{}
	case way.IsPhone(wanted.To):
		var wrong findings
		wrong.contradict("customer", "customer: %s is a phone on duty of %s, and no customer: POST %s sends to phones",
			wanted.To, wanted.TwilioNumber, PathRelay)
		return "", wrong.refuse()
	}
	return "", answer{}
}

// isUnavailable reports whether the refusal says that something cannot be read at the moment.
func (a answer) isUnavailable() bool { return a.problem && a.status == http.StatusServiceUnavailable }
