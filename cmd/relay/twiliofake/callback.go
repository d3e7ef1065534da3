package twiliofake

import (
	"context"
	"log/slog"
	"net/url"
	"strconv"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Callback is one status callback: what was posted and what came back.
type Callback struct {
	// MessageSid, Status and ErrorCode are the message's at that time.
	MessageSid string
	Status     sms.Status
	ErrorCode  int
	// URL is what was posted to and signed: the StatusCallback without its fragment.
	URL string
	// Params is the form that was posted.
	Params url.Values
	// Attempts counts the requests made.
	Attempts int
	// StatusCode is the HTTP status of the last answer, 0 if none came.
	StatusCode int
	// WebhookErrorCode is what Twilio's debugger would show (11200, 11205, …), 0 if the callback was taken.
	WebhookErrorCode int
	// At is when it was answered or given up.
	At time.Time
}

// dispatch starts a worker for each message. Waiting costs a worker nothing; only posts are bounded, by slots.
func (s *Server) dispatch(ctx context.Context) {
	for {
		select {
		case e := <-s.accepted:
			go s.carry(s.era.context(), e)
		case <-ctx.Done():
			return
		}
	}
}

// carry takes one message through its steps, one after the other, and posts the callback of each before it goes on, so
// that a message's callbacks arrive in order.
func (s *Server) carry(ctx context.Context, e errand) {
	defer s.pending.done()
	callbacks := receipts{server: s}
	if message, _ := s.store.get(e.sid); s.cfg.FetchMedia {
		if code := s.fetchAttachments(message); code != 0 {
			e = failing(e, code, s.cfg.StepDelay)
		}
	}
	for i, next := range e.steps {
		if !s.await(ctx, next) {
			return
		}
		message, found := s.advance(e, next)
		if !found {
			return // a reset took it away
		}
		s.emit(Event{Kind: EventStatusChanged, Message: message})
		s.answerFrom(ctx, message)
		if message.StatusCallback != "" {
			callbacks.turn(ctx, message, i == len(e.steps)-1)
		}
	}
}

// await passes the time before a step and reports whether there is still anyone to work for. While a message only stays
// queued, it is nothing that Wait waits for.
func (s *Server) await(ctx context.Context, next step) bool {
	if next.unawaited {
		s.pending.done()
		defer s.pending.add()
	}
	return pause(ctx, next.after)
}

// pause reports whether there is still anyone to work for.
func pause(ctx context.Context, duration time.Duration) bool {
	if duration > 0 {
		timer := time.NewTimer(duration)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	return ctx.Err() == nil
}

func (s *Server) advance(e errand, to step) (Message, bool) {
	now := s.cfg.Now().UTC()
	return s.store.update(e.sid, func(message *Message) {
		if message.Status == sms.StatusAccepted {
			message.NumSegments, message.From = segmentsOf(*message), e.from
		}
		message.Status = to.status
		message.ErrorCode = to.code
		message.DateUpdated = now
		if to.status == sms.StatusSent {
			message.DateSent = now
		}
	})
}

// senderOf is who a message is from, or will be once a Messaging Service has picked its sender.
func (s *Server) senderOf(message Message) sms.PhoneNumber {
	if message.From != "" {
		return message.From
	}
	through, found := s.services.find(withSid(message.MessagingServiceSid))
	switch {
	case found && len(through.Numbers) > 0:
		return s.senderIn(through, message.To)
	case len(s.cfg.Numbers) > 0:
		return s.cfg.Numbers[0]
	default:
		return magicValidFrom
	}
}

func (s *Server) callBack(ctx context.Context, message Message) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return
	}
	params := callbackParams(message)
	answer := s.post(ctx, message.StatusCallback, params)
	if ctx.Err() != nil {
		return // the server closed meanwhile: nothing is known of this one
	}
	s.keepExchange(s.postExchange(ExchangeCallback, message, params, answer, verdictOfCallback(answer)))
	s.store.record(Callback{
		MessageSid: message.Sid, Status: message.Status, ErrorCode: message.ErrorCode,
		URL: answer.url, Params: params, Attempts: answer.attempts,
		StatusCode: answer.statusCode, WebhookErrorCode: answer.code, At: s.cfg.Now().UTC(),
	})
	s.cfg.Logger.InfoContext(ctx, "status callback",
		slog.String("message_sid", message.Sid), slog.String("message_status", string(message.Status)),
		slog.Int("status_code", answer.statusCode), slog.Int("attempts", answer.attempts), slog.Int("error_code", answer.code))
	s.emit(Event{
		Kind: EventCallback, Message: message, URL: answer.url,
		StatusCode: answer.statusCode, ErrorCode: answer.code, Attempts: answer.attempts,
	})
}

func callbackParams(message Message) url.Values {
	params := url.Values{
		"MessageSid":    {message.Sid},
		"SmsSid":        {message.Sid},
		"MessageStatus": {string(message.Status)},
		"SmsStatus":     {string(message.Status)},
		"AccountSid":    {message.AccountSid},
		"ApiVersion":    {apiVersion},
		"From":          {string(message.From)},
		"To":            {string(message.To)},
	}
	if message.MessagingServiceSid != "" {
		params.Set("MessagingServiceSid", message.MessagingServiceSid)
	}
	if message.ErrorCode != 0 {
		params.Set("ErrorCode", strconv.Itoa(message.ErrorCode))
	}
	if message.Status == sms.StatusDelivered || message.Status == sms.StatusUndelivered {
		params.Set("RawDlrDoneDate", message.DateUpdated.Format("0601021504"))
	}
	return params
}
