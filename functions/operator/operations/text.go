package operations

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Text is what one text says.
type Text struct {
	MessageSid   string          `json:"message_sid"`
	TwilioNumber sms.PhoneNumber `json:"twilio_number"`
	Customer     sms.PhoneNumber `json:"customer,omitempty"`
	ReceivedAt   time.Time       `json:"received_at"`
	Text         string          `json:"text"`
	Media        []Media         `json:"media,omitempty"`
}

// Media is an attachment: its URL at Twilio, and its MIME type.
type Media struct {
	URL         string `json:"url"`
	ContentType string `json:"content_type"`
}

// text answers what one text says. Who asks is written into the record first, and so comes into the audit log: nothing is
// shown that is not on record. It has a path of its own, so that IAM can let people see statuses and no words.
func (h *Handler) text(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	query, err := url.ParseQuery(request.RawQueryString)
	if err != nil {
		return refuse(http.StatusBadRequest, "the query string is unreadable")
	}
	var wrong findings
	checkNames(query, []string{"message_sid"}, &wrong)
	sid := readSid(query, &wrong)
	if !wrong.none() {
		return wrong.refuse()
	}
	reader := h.operator(request)
	if reader == "" {
		return unknownOperator()
	}
	r, refusal := h.get(ctx, sid)
	if refusal.status != 0 {
		return refusal
	}
	r, err = auditlog.Change(ctx, h.config.Records, r, func(r ledger.Record) (ledger.Record, bool, error) {
		return r.Read(reader, h.config.Now()), true, nil
	})
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return notFound()
	case err != nil:
		return refuse(http.StatusServiceUnavailable,
			"what a text says is shown only once it is on record who looked, and the ledger cannot be written "+
				"at the moment: ask again").because(err)
	}
	a := answer{status: http.StatusOK, body: textOf(r)}
	a.attrs = []slog.Attr{slog.String("message_sid", sid)}
	return a
}

func textOf(r ledger.Record) Text {
	t := Text{MessageSid: r.MessageSid, TwilioNumber: r.TwilioNumber, Customer: r.Customer, ReceivedAt: r.ReceivedAt, Text: r.Body}
	for _, m := range r.Media {
		t.Media = append(t.Media, Media{URL: m.URL, ContentType: m.ContentType})
	}
	return t
}
