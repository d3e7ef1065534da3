package operations

import (
	"context"
	"fmt"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
)

// askedFor returns what is known about the phone that the request names; if it names none, the route's own marks decide.
func (h *Handler) askedFor(ctx context.Context, wanted RelayRequest) (conversation.Conversation, error) {
	if wanted.To == "" {
		return conversation.Conversation{}, nil
	}
	return h.config.Conversations.Get(ctx, wanted.TwilioNumber, wanted.To)
}

// whyOptedOut says who opted out, by which word and since when. field is what the caller calls the phone.
func whyOptedOut(c conversation.Conversation, field string) string {
	return fmt.Sprintf("%s: %s texted %s to %s on %s (opt_out). Twilio lets no text through to them until they text START",
		field, c.Customer, c.OptOut.Word, c.TwilioNumber, c.OptOut.Since.UTC().Format(time.RFC3339))
}
