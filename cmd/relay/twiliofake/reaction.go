package twiliofake

import (
	"context"
	"errors"
	"fmt"
)

// ErrReaction means that nobody can react so: there is no such message, no phone has it, or the emoji is missing.
var ErrReaction = errors.New("not a reaction")

// Emojis are the reactions that Apple's Messages has words for.
func Emojis() []string { return []string{"👍", "❤️", "😂", "‼️", "❓", "👎"} }

// reactionVerb returns how a reaction to a message begins. Other emojis are spelled as newer phones do.
func reactionVerb(emoji string) string {
	verb, known := map[string]string{
		"👍": "Liked", "❤️": "Loved", "😂": "Laughed at", "‼️": "Emphasized", "❓": "Questioned", "👎": "Disliked",
	}[emoji]
	if !known {
		return "Reacted " + emoji + " to"
	}
	return verb
}

// React lets the phone that got a message of ours react to it. Over SMS that is a text, such as Liked “See you at three”.
func (s *Server) React(ctx context.Context, messageSid, emoji string) (Response, error) {
	message, found := s.store.get(messageSid)
	switch {
	case !found:
		return Response{}, fmt.Errorf("%w: there is no message %s", ErrReaction, messageSid)
	case message.Direction == DirectionInbound:
		return Response{}, fmt.Errorf("%w: %s was sent by a phone, which does not react to itself", ErrReaction, messageSid)
	case emoji == "":
		return Response{}, fmt.Errorf("%w: say with which emoji", ErrReaction)
	}
	quote := "“" + message.Body + "”"
	if message.Body == "" {
		quote = "an image"
	}
	return s.SendInbound(ctx, Inbound{From: message.To, To: message.From, Body: reactionVerb(emoji) + " " + quote}, "")
}

// isNobodyAsked reports whether a text could not even begin: the request was wrong.
func isNobodyAsked(err error) bool {
	return errors.Is(err, ErrInbound) || errors.Is(err, ErrNoWebhook) || errors.Is(err, ErrNotOurs) || errors.Is(err, ErrReaction)
}

// MediaSids returns the SIDs of a message's attachments, in order.
func (s *Server) MediaSids(messageSid string) []string { return s.media.sidsOf(messageSid) }

// Message returns a copy of a message, and whether there is such a one.
func (s *Server) Message(sid string) (Message, bool) { return s.store.get(sid) }
