package twiliofake

import (
	"context"
	"log/slog"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// PhoneAnswer is what a phone answers to each text of a customer that it gets, with the tag that the text begins with.
type PhoneAnswer struct {
	Words string
	// After is how long after the text it comes.
	After time.Duration
}

// answerFrom lets the phone that a message has reached answer it, if it is one that does. Without a tag a message is of the relay
// itself, and is not answered.
func (s *Server) answerFrom(ctx context.Context, message Message) {
	answer, answers := s.cfg.Answers[message.To]
	tag, _, _ := conversation.Leading(message.Body)
	if !answers || message.Status != sms.StatusDelivered || !tag.IsValid() {
		return
	}
	s.pending.add()
	go func() {
		defer s.pending.done()
		if !pause(ctx, answer.After) {
			return
		}
		text := Inbound{From: message.To, To: message.From, Body: string(tag) + " " + answer.Words}
		if _, err := s.SendInbound(ctx, text, ""); err != nil {
			s.cfg.Logger.WarnContext(ctx, "phone did not answer", slog.String("error", err.Error()))
		}
	}()
}
