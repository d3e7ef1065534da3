package twiliofake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Errors of SendInbound, for what was never posted.
var (
	// ErrNoWebhook means that the number has no webhook configured and none was given.
	ErrNoWebhook = errors.New("the number has no webhook")
	// ErrNotOurs means that the account has numbers, and this is none of them.
	ErrNotOurs = errors.New("the account has no such number")
	// ErrInbound means that the inbound message cannot be one: it lacks From or To, or its Sid is malformed.
	ErrInbound = errors.New("not an inbound message")
)

// Inbound is one text that someone sends to one of our numbers.
type Inbound struct {
	// From is the customer, To our number. Both are needed.
	From sms.PhoneNumber
	To   sms.PhoneNumber
	Body string
	// Media are the attachments, with URLs that the webhook passes on as they are. Files are further ones, which this server keeps
	// and gives out as Twilio does: the webhook has their URLs at Twilio, which ask for credentials and lead to the CDN.
	Media []sms.Media
	Files []File
	// Sid is the MessageSid ("SM" or "MM" and 32 hexadecimal digits). Empty: a new one. One that was sent before
	// repeats its webhook without making a second message, as Twilio does when it repeats a request.
	Sid string
	// Extra holds further webhook parameters (OptOutType, AddOns, …). One that the webhook has anyway is replaced.
	Extra url.Values
}

// Response is what the webhooks answered to one inbound message.
type Response struct {
	MessageSid string
	// Taken says that Twilio accepted the last answer: a 2xx with TwiML that it understands.
	Taken bool
	// URL is what answered last, without its fragment: the webhook or the fallback URL.
	URL string
	// StatusCode is the HTTP status of the last answer, 0 if none came.
	StatusCode int
	// ContentType and Body are the last answer's. Only the first 64 kB of a Body are kept.
	ContentType string
	Body        []byte
	// Attempts counts the requests made to URL.
	Attempts int
	// Replies are the messages that the TwiML asked for and that are now on their way.
	Replies []Message
	// Errors is what Twilio's debugger would show: of the webhook, then of the fallback URL. Empty if all went well.
	Errors []WebhookError
}

// WebhookError is why an answer of a webhook was not accepted.
type WebhookError struct {
	// Code is Twilio's: 11200 HTTP failure, 11205 no connection or too slow, 12300 Content-Type, 12200 bad TwiML,
	// 11750 over 64 kB, 14109 too many replies, 11243 and 11100 unusable overrides.
	Code int
	// URL is what was posted to, without its fragment.
	URL string
	// StatusCode is the HTTP status of the answer, 0 if none came.
	StatusCode int
	// Reason says it in words.
	Reason string
}

// Error gives the code and the reason.
func (e WebhookError) Error() string { return fmt.Sprintf("%d: %s", e.Code, e.Reason) }

// SendInbound makes an inbound message and posts its signed webhook to webhookURL, or where the number's Webhook says
// if that is empty, and then to the number's fallback URL if the answer cannot be used. What the webhooks answered,
// failures among it, is in the Response. An error means that nothing was posted (ErrNoWebhook, ErrNotOurs, ErrInbound) or that
// ctx was done before an answer came.
func (s *Server) SendInbound(ctx context.Context, inbound Inbound, webhookURL string) (Response, error) {
	hook, through := s.hookOf(inbound.To)
	if webhookURL != "" {
		hook.URL = webhookURL
	}
	message, err := s.receive(inbound, hook, through)
	if err != nil {
		return Response{}, fmt.Errorf("send an inbound message: %w", err)
	}
	response := Response{MessageSid: message.Sid}
	asked := question{kind: ExchangeWebhook, message: message, url: hook.URL, params: message.Params, hasFallback: hook.FallbackURL != ""}
	replies := s.ask(ctx, &response, asked)
	if !response.Taken && hook.FallbackURL != "" && ctx.Err() == nil {
		replies = s.ask(ctx, &response, question{
			kind: ExchangeFallback, message: message, url: hook.FallbackURL, params: fallbackParams(message.Params, response.Errors[0]),
		})
	}
	if !response.Taken && ctx.Err() != nil {
		return response, fmt.Errorf("send an inbound message: %w", ctx.Err())
	}
	for _, reply := range replies {
		if sent, ok := s.accept(s.replyDraft(message, reply)); ok {
			response.Replies = append(response.Replies, sent)
		}
	}
	return response, nil
}

// receive makes the Message resource of an inbound text, or finds it again. It comes through a Messaging Service, if there is one.
func (s *Server) receive(inbound Inbound, hook Webhook, through string) (Message, error) {
	switch {
	case inbound.From == "" || inbound.To == "":
		return Message{}, fmt.Errorf("%w: From or To is missing", ErrInbound)
	case inbound.Sid != "" && !isSid(inbound.Sid, "SM", "MM"):
		return Message{}, fmt.Errorf("%w: Sid %q is malformed", ErrInbound, inbound.Sid)
	case hook.URL == "" && s.isStrange(inbound.To):
		return Message{}, fmt.Errorf("%w: %s", ErrNotOurs, inbound.To)
	case hook.URL == "":
		return Message{}, fmt.Errorf("%w: %s", ErrNoWebhook, inbound.To.Mask())
	}
	now := s.cfg.Now().UTC()
	message := Message{
		Sid: inbound.Sid, AccountSid: s.cfg.AccountSid,
		MessagingServiceSid: cmp.Or(inbound.Extra.Get("MessagingServiceSid"), through),
		From:                inbound.From, To: inbound.To, Body: inbound.Body,
		Direction: DirectionInbound, Status: sms.StatusReceived,
		DateCreated: now, DateUpdated: now, DateSent: now,
	}
	if message.Sid == "" {
		prefix := "SM"
		if len(inbound.Media)+len(inbound.Files) > 0 {
			prefix = "MM"
		}
		message.Sid = s.cfg.NewSid(prefix)
	}
	inbound.Media = slices.Concat(inbound.Media, s.receiveFiles(message, inbound.Files))
	for _, media := range inbound.Media {
		message.MediaURLs = append(message.MediaURLs, media.URL)
	}
	message.NumSegments = segmentsOf(message)
	message.Params = inboundParams(message, inbound)
	if s.store.add(message) {
		s.heed(message)
	}
	return message, nil
}

// inboundParams are the parameters of the incoming-message webhook. Geography is there and mostly empty, as it is
// with Twilio.
func inboundParams(message Message, inbound Inbound) url.Values {
	params := url.Values{
		"MessageSid":    {message.Sid},
		"SmsSid":        {message.Sid},
		"SmsMessageSid": {message.Sid},
		"AccountSid":    {message.AccountSid},
		"ApiVersion":    {apiVersion},
		"SmsStatus":     {string(message.Status)},
		"From":          {string(message.From)},
		"To":            {string(message.To)},
		"Body":          {message.Body},
		"NumSegments":   {strconv.Itoa(message.NumSegments)},
		"NumMedia":      {strconv.Itoa(len(inbound.Media))},
	}
	if message.MessagingServiceSid != "" {
		params.Set("MessagingServiceSid", message.MessagingServiceSid)
	}
	for i, media := range inbound.Media {
		params.Set("MediaUrl"+strconv.Itoa(i), media.URL)
		params.Set("MediaContentType"+strconv.Itoa(i), media.ContentType)
	}
	setGeography(params, "From", message.From)
	setGeography(params, "To", message.To)
	maps.Copy(params, cloneValues(inbound.Extra))
	return params
}

func setGeography(params url.Values, side string, number sms.PhoneNumber) {
	country := ""
	if strings.HasPrefix(string(number), "+1") {
		country = "US"
	}
	params.Set(side+"City", "")
	params.Set(side+"State", "")
	params.Set(side+"Zip", "")
	params.Set(side+"Country", country)
}

// fallbackParams are what the fallback URL gets in addition to the message: what went wrong, and where.
func fallbackParams(params url.Values, failure WebhookError) url.Values {
	told := cloneValues(params)
	told.Set("ErrorCode", strconv.Itoa(failure.Code))
	told.Set("ErrorUrl", failure.URL)
	return told
}

// question is a text on its way to one URL.
type question struct {
	kind        ExchangeKind
	message     Message
	url         string
	params      url.Values
	hasFallback bool
}

// ask posts the webhook to one URL, enters the answer into the response, and returns the replies that it asks for.
func (s *Server) ask(ctx context.Context, response *Response, asked question) []reply {
	message := asked.message
	answer := s.post(ctx, asked.url, asked.params)
	response.URL, response.Attempts = answer.url, answer.attempts
	response.StatusCode, response.ContentType = answer.statusCode, answer.contentType
	response.Body = answer.body[:min(len(answer.body), maxAnswer)]
	replies, failure := readAnswer(answer)
	code := 0
	if failure != nil {
		code = failure.Code
		response.Errors = append(response.Errors, *failure)
	}
	response.Taken = failure == nil
	kept := s.postExchange(asked.kind, message, asked.params, answer, verdictOfWebhook(answer, len(replies), failure, asked.hasFallback))
	kept.Accepted, kept.ErrorCode = response.Taken, code
	s.keepExchange(kept)
	s.cfg.Logger.InfoContext(ctx, "inbound webhook",
		slog.String("message_sid", message.Sid), slog.Any("from", message.From), slog.Any("to", message.To),
		slog.Int("status_code", answer.statusCode), slog.Int("attempts", answer.attempts), slog.Int("error_code", code))
	s.emit(Event{
		Kind: EventWebhook, Message: message, URL: answer.url,
		StatusCode: answer.statusCode, ErrorCode: code, Attempts: answer.attempts,
	})
	return replies
}

// replyDraft turns a reply in TwiML into a message: to the sender of the text, from the number that was texted, unless the
// TwiML says otherwise.
func (s *Server) replyDraft(inbound Message, asked reply) Message {
	draft := Message{
		AccountSid: s.cfg.AccountSid, From: inbound.To, To: inbound.From,
		Body: asked.body(), MediaURLs: asked.Media, Direction: DirectionOutboundReply,
		StatusCallback: asked.StatusCallback,
	}
	if asked.From != "" {
		draft.From = sms.PhoneNumber(asked.From)
	}
	if asked.To != "" {
		draft.To = sms.PhoneNumber(asked.To)
	}
	if draft.StatusCallback == "" {
		draft.StatusCallback = s.cfg.ReceiptsTo
	}
	return draft
}
