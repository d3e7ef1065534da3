package twiliofake

import (
	"io"
	"log/slog"
	"net/http"
	"net/url"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// maxRequest bounds what a create request may weigh.
const maxRequest = 256 << 10

func (s *Server) createMessage(w http.ResponseWriter, r *http.Request) {
	params, answer := readParams(w, r)
	if answer != nil {
		s.writeRefusal(w, answer)
		return
	}
	fault := s.beforeCreate(params)
	if !fault.OnceTaken && s.suffers(w, fault) {
		return
	}
	draft := s.draft(params)
	if answer := s.check(draft); answer != nil {
		s.refuseMessage(w, r, draft, answer)
		return
	}
	message, ok := s.accept(draft)
	if !ok {
		s.writeRefusal(w, refuse(http.StatusServiceUnavailable, codeUnavailable, "Service unavailable"))
		return
	}
	recorderOf(w).message = message.Sid
	if fault.OnceTaken && s.suffers(w, fault) {
		return
	}
	if s.suffers(w, s.cfg.Faults.afterCreate(message)) {
		return
	}
	s.writeJSON(w, http.StatusCreated, message)
}

// readParams reads the form. A body of another type is not a form: its parameters count as missing, as with Twilio.
func readParams(w http.ResponseWriter, r *http.Request) (url.Values, *refusal) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		return nil, badRequest(codeBadParameter, "The request body could not be read")
	}
	if !isForm(r.Header.Get("Content-Type")) {
		return url.Values{}, nil
	}
	params, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, badRequest(codeBadParameter, "The request body is not a form")
	}
	return params, nil
}

func (s *Server) draft(params url.Values) Message {
	draft := Message{
		AccountSid:          s.cfg.AccountSid,
		MessagingServiceSid: params.Get("MessagingServiceSid"),
		From:                sms.PhoneNumber(params.Get("From")),
		To:                  sms.PhoneNumber(params.Get("To")),
		Body:                params.Get("Body"),
		MediaURLs:           params["MediaUrl"],
		Direction:           DirectionOutboundAPI,
		StatusCallback:      params.Get("StatusCallback"),
		Params:              params,
	}
	if through, found := s.services.find(withSid(draft.MessagingServiceSid)); found && draft.StatusCallback == "" {
		draft.StatusCallback = textOf(through.StatusCallback)
	}
	if draft.StatusCallback == "" {
		draft.StatusCallback = s.cfg.ReceiptsTo
	}
	return draft
}

func (s *Server) refuseMessage(w http.ResponseWriter, r *http.Request, draft Message, answer *refusal) {
	s.cfg.Logger.InfoContext(r.Context(), "message refused",
		slog.Any("from", draft.From), slog.Any("to", draft.To), slog.Int("error_code", answer.Code))
	s.emit(Event{Kind: EventMessageRefused, Message: draft, ErrorCode: answer.Code, StatusCode: answer.Status})
	s.writeRefusal(w, answer)
}

// accept makes the draft a message and sends it on its way. It reports false once the server is closed.
func (s *Server) accept(draft Message) (Message, bool) {
	message := draft
	message.Sid = s.cfg.NewSid(messagePrefix(message.MediaURLs))
	message.DateCreated = s.cfg.Now().UTC()
	message.DateUpdated = message.DateCreated
	if message.MessagingServiceSid == "" {
		message.Status, message.NumSegments = sms.StatusQueued, segmentsOf(message)
	} else {
		message.Status = sms.StatusAccepted
	}
	if s.isClosed() || !s.store.add(message) {
		return Message{}, false
	}
	s.emit(Event{Kind: EventMessageCreated, Message: message})
	s.pending.add()
	select {
	case s.accepted <- s.errandFor(message):
		return message, true
	case <-s.closing:
		s.pending.done()
		return Message{}, false
	}
}

func (s *Server) isClosed() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

func messagePrefix(media []string) string {
	if len(media) > 0 {
		return "MM"
	}
	return "SM"
}

// segmentsOf counts a message with media as one, as Twilio does.
func segmentsOf(message Message) int {
	if len(message.MediaURLs) > 0 {
		return 1
	}
	return sms.Segments(message.Body)
}
