package twiliofake

import (
	"fmt"
	"net/http"
	"net/url"
)

// postExchange is a request of the fake to the application with its answer.
func (s *Server) postExchange(kind ExchangeKind, message Message, params url.Values, answer posted, verdict string) Exchange {
	if s.cfg.Exchanges == 0 {
		return Exchange{} // it is not kept
	}
	return Exchange{
		Kind: kind, Method: http.MethodPost, URL: answer.url, MessageSid: message.Sid, Params: params, Signature: answer.signature,
		SignatureVerifies: s.verifies(answer.url, params, answer.signature), Tries: answer.tries, StatusCode: answer.statusCode,
		ContentType: answer.contentType, Answer: string(answer.body), Accepted: answer.code == 0, ErrorCode: answer.code, Verdict: verdict,
	}
}

// verdictOfCallback says what became of a status callback. Twilio takes any 2xx for a yes, and does not read it.
func verdictOfCallback(answer posted) string {
	if answer.code != 0 {
		return fmt.Sprintf("not accepted: %s (%d)%s", answer.reason, answer.code, afterTries(answer))
	}
	return fmt.Sprintf("accepted with %d%s", answer.statusCode, afterTries(answer))
}

// verdictOfWebhook says what became of a text that was posted to the application, and what is done next.
func verdictOfWebhook(answer posted, replies int, failure *WebhookError, hasFallback bool) string {
	switch {
	case failure == nil && replies == 0:
		return fmt.Sprintf("accepted with %d, no reply%s", answer.statusCode, afterTries(answer))
	case failure == nil:
		return fmt.Sprintf("accepted with %d, replies: %d%s", answer.statusCode, replies, afterTries(answer))
	}
	next := ""
	if hasFallback {
		next = "; the fallback URL is asked next"
	}
	return fmt.Sprintf("not accepted: %s (%d)%s%s", failure.Reason, failure.Code, afterTries(answer), next)
}

func afterTries(answer posted) string {
	if answer.attempts < 2 {
		return ""
	}
	return fmt.Sprintf(" after %d tries", answer.attempts)
}

// keepMediaExchange keeps a request for an attachment of a message.
func (s *Server) keepMediaExchange(messageSid, method, address string, status, code int) {
	verdict := "answered"
	if code != 0 {
		verdict = fmt.Sprintf("the attachment cannot be had (%d)", code)
	}
	s.keepExchange(Exchange{
		Kind: ExchangeMedia, Method: method, URL: address, MessageSid: messageSid, StatusCode: status, Accepted: code == 0, ErrorCode: code,
		Verdict: verdict, Tries: []string{fmt.Sprint(status)},
	})
}
