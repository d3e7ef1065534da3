package twiliofake

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// callbackRecord is one entry of GET /fake/messages.
type callbackRecord struct {
	MessageSid       string     `json:"message_sid"`
	MessageStatus    sms.Status `json:"message_status"`
	URL              string     `json:"url"`
	Attempts         int        `json:"attempts"`
	StatusCode       int        `json:"status_code"`
	WebhookErrorCode int        `json:"webhook_error_code"`
}

// controlMessages serves GET /fake/messages: the messages that the query asks for in order of creation, in the form of Twilio's
// resource, and every status callback of them that was posted.
func (s *Server) controlMessages(w http.ResponseWriter, r *http.Request) {
	wanted, answer := readMessageFilter(r.URL.Query())
	if answer != nil {
		s.writeRefusal(w, answer)
		return
	}
	found, more := s.FindMessages(wanted)
	seen := struct {
		Messages  []Message        `json:"messages"`
		Callbacks []callbackRecord `json:"callbacks"`
		// Next is the `before` of the next page, with older messages.
		Next *string `json:"next"`
	}{Messages: append([]Message{}, found...), Callbacks: []callbackRecord{}}
	shown := map[string]bool{}
	for _, message := range found {
		shown[message.Sid] = true
	}
	for _, callback := range s.Callbacks() {
		if !shown[callback.MessageSid] {
			continue
		}
		seen.Callbacks = append(seen.Callbacks, callbackRecord{
			MessageSid: callback.MessageSid, MessageStatus: callback.Status, URL: callback.URL,
			Attempts: callback.Attempts, StatusCode: callback.StatusCode, WebhookErrorCode: callback.WebhookErrorCode,
		})
	}
	if more {
		seen.Next = &found[0].Sid
	}
	s.writeJSON(w, http.StatusOK, seen)
}

// readMessageFilter reads the parameters that choose messages.
func readMessageFilter(query url.Values) (MessageFilter, *refusal) {
	wanted := MessageFilter{
		From: sms.Typed(query.Get("from")), To: sms.Typed(query.Get("to")), Phone: sms.Typed(query.Get("phone")),
		Direction: query.Get("direction"), Status: sms.Status(query.Get("status")), Text: query.Get("text"), Before: query.Get("before"),
	}
	if wanted.Direction != "" && wanted.Direction != "inbound" && wanted.Direction != "outbound" {
		return wanted, badRequest(codeBadParameter, "direction: want inbound or outbound")
	}
	var answer *refusal
	wanted.Limit, answer = readNumber(query, "limit", 0)
	return wanted, answer
}

// readNumber reads a parameter that is a number from 0.
func readNumber(query url.Values, name string, otherwise int) (int, *refusal) {
	given := query.Get(name)
	if given == "" {
		return otherwise, nil
	}
	number, err := strconv.Atoi(given)
	if err != nil || number < 0 {
		return 0, badRequest(codeBadParameter, "%s: want a number from 0, got %q", name, given)
	}
	return number, nil
}

// expectation is the answer of GET /fake/wait and /fake/assert.
type expectation struct {
	Met      bool      `json:"met"`
	Message  string    `json:"message"`
	Count    int       `json:"count"`
	Messages []Message `json:"messages"`
}

// The time that GET /fake/wait waits.
const (
	defaultWait = 10 * time.Second
	maxWait     = 5 * time.Minute
)

// controlWait serves GET /fake/wait: it answers as soon as there are `count` messages (1) that the query asks for, or 409 when `timeout`
// (10s) is over.
func (s *Server) controlWait(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	wanted, answer := readMessageFilter(query)
	if answer != nil {
		s.writeRefusal(w, answer)
		return
	}
	count, answer := readNumber(query, "count", 1)
	if answer != nil {
		s.writeRefusal(w, answer)
		return
	}
	timeout := defaultWait
	if given := query.Get("timeout"); given != "" {
		parsed, err := time.ParseDuration(given)
		if err != nil || parsed < 0 || parsed > maxWait {
			s.writeRefusal(w, badRequest(codeBadParameter, "timeout: want a time such as 10s, up to %s, got %q", maxWait, given))
			return
		}
		timeout = parsed
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	found := s.awaitMessages(ctx, wanted, count)
	s.writeExpectation(w, found, len(found) >= count, fmt.Sprintf("at least %d after %s", count, timeout))
}

// awaitMessages returns what the filter matches: as soon as that are count messages, or when ctx ends.
func (s *Server) awaitMessages(ctx context.Context, wanted MessageFilter, count int) []Message {
	for {
		_, next := s.bell.heard()
		found, _ := s.FindMessages(wanted)
		if len(found) >= count {
			return found
		}
		select {
		case <-next:
		case <-ctx.Done():
			return found
		case <-s.closing:
			return found
		}
	}
}

// controlAssert serves GET /fake/assert: 200 if there are exactly `count` messages that the query asks for, or without it any, and
// otherwise 409.
func (s *Server) controlAssert(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	wanted, answer := readMessageFilter(query)
	if answer != nil {
		s.writeRefusal(w, answer)
		return
	}
	count, answer := readNumber(query, "count", 1)
	if answer != nil {
		s.writeRefusal(w, answer)
		return
	}
	found, _ := s.FindMessages(wanted)
	if query.Has("count") {
		s.writeExpectation(w, found, len(found) == count, fmt.Sprintf("exactly %d", count))
		return
	}
	s.writeExpectation(w, found, len(found) > 0, "any")
}

func (s *Server) writeExpectation(w http.ResponseWriter, found []Message, met bool, want string) {
	told := expectation{
		Met: met, Count: len(found), Messages: append([]Message{}, found...),
		Message: fmt.Sprintf("messages that match: %d, expected: %s", len(found), want),
	}
	status := http.StatusOK
	if !met {
		status = http.StatusConflict
	}
	s.writeJSON(w, status, told)
}
