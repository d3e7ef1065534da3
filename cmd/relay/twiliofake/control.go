package twiliofake

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// inboundReport is the answer of POST /fake/inbound.
type inboundReport struct {
	MessageSid  string          `json:"message_sid"`
	Taken       bool            `json:"taken"`
	URL         string          `json:"url"`
	StatusCode  int             `json:"status_code"`
	ContentType string          `json:"content_type"`
	Body        string          `json:"body"`
	Attempts    int             `json:"attempts"`
	Replies     []Message       `json:"replies"`
	Errors      []reportedError `json:"errors"`
}

type reportedError struct {
	Code       int    `json:"code"`
	URL        string `json:"url"`
	StatusCode int    `json:"status_code"`
	Reason     string `json:"reason"`
}

// controlInbound serves POST /fake/inbound: form From, To, Body, and MediaUrl any number of times, or as multipart/form-data with files
// under the name Media. It texts To, and answers 200 with what the webhook said, whatever that was; 400 if there was nobody to ask.
func (s *Server) controlInbound(w http.ResponseWriter, r *http.Request) {
	params, files, answer := readInbound(w, r)
	if answer != nil {
		s.writeRefusal(w, answer)
		return
	}
	inbound := Inbound{
		From: sms.Typed(params.Get("From")),
		To:   sms.Typed(params.Get("To")),
		Body: params.Get("Body"), Files: files,
	}
	for _, media := range params["MediaUrl"] {
		inbound.Media = append(inbound.Media, sms.Media{URL: media})
	}
	response, err := s.SendInbound(r.Context(), inbound, "")
	s.writeResponse(w, response, err)
}

// controlReaction serves POST /fake/reactions: form MessageSid and Emoji. The phone that got the message reacts to it.
func (s *Server) controlReaction(w http.ResponseWriter, r *http.Request) {
	params, answer := readParams(w, r)
	if answer != nil {
		s.writeRefusal(w, answer)
		return
	}
	response, err := s.React(r.Context(), params.Get("MessageSid"), params.Get("Emoji"))
	s.writeResponse(w, response, err)
}

// writeResponse answers what the webhook said.
func (s *Server) writeResponse(w http.ResponseWriter, response Response, err error) {
	switch {
	case isNobodyAsked(err):
		s.writeRefusal(w, badRequest(codeBadParameter, "%s", err))
	case err != nil:
		s.writeRefusal(w, refuse(http.StatusServiceUnavailable, codeUnavailable, "The webhook was not asked to the end"))
	default:
		s.writeJSON(w, http.StatusOK, report(response))
		_, _ = io.WriteString(w, "\n") // People who ask with curl read the answer in a terminal.
	}
}

// ReadText reads a form that texts a number, with its files under the name Media. The error says what is wrong with it.
func ReadText(w http.ResponseWriter, r *http.Request) (url.Values, []File, error) {
	params, files, answer := readInbound(w, r)
	if answer != nil {
		return nil, nil, errors.New(answer.Message)
	}
	return params, files, nil
}

// readInbound reads either form of a text.
func readInbound(w http.ResponseWriter, r *http.Request) (url.Values, []File, *refusal) {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "multipart/form-data" {
		params, answer := readParams(w, r)
		return params, nil, answer
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxInbound)
	if err := r.ParseMultipartForm(maxInbound); err != nil { //nolint:gosec // it is bounded in the line above.
		return nil, nil, badRequest(codeBadParameter, "The request body is not a form with files, or larger than %d MB", maxInbound>>20)
	}
	files, answer := readFiles(r)
	return r.MultipartForm.Value, files, answer
}

// maxInbound bounds a form with files. Phones and carriers send larger attachments than Twilio takes.
const maxInbound = 32 << 20

func report(response Response) inboundReport {
	reported := inboundReport{
		MessageSid: response.MessageSid, Taken: response.Taken, URL: response.URL,
		StatusCode: response.StatusCode, ContentType: response.ContentType, Body: string(response.Body),
		Attempts: response.Attempts, Replies: []Message{}, Errors: []reportedError{},
	}
	reported.Replies = append(reported.Replies, response.Replies...)
	for _, failure := range response.Errors {
		reported.Errors = append(reported.Errors, reportedError(failure))
	}
	return reported
}
