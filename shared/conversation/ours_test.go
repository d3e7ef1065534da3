package conversation_test

import (
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
)

// A quote of what the relay writes to a phone is recognized, though its end is cut; words of people are not taken for one.
func TestQuotesOurs(t *testing.T) {
	ours := map[string]string{
		"a header":             conversation.Header(ann, "Ann Miller", customerOf(ann), false) + "Is it open?",
		"a brief header":       conversation.Header(ann, "", customerOf(ann), true) + "Is it open?",
		"a header that is cut": "A47 Ann Mill…",
		"an operator's text":   conversation.Header("", "", customerOf(ann), false) + "Is it open?",
		"a question":           conversation.Question("Yes at three", all(sent(ann, minute, 0)), true),
		"a question, cut":      `"Yes at three, and bring…`,
		"about a picture":      conversation.Question("", nil, false),
		"not sent":             conversation.NotSent("Yes"),
		"not delivered":        conversation.NotDelivered(ann, customerOf(ann), "it is a landline."),
		"whose":                conversation.Whose(sent(ann, minute, 0), false, noon.Add(time.Minute)),
		"sent to whom":         conversation.Whose(sent(ann, minute, 0), true, noon.Add(time.Minute)),
		"a phone that left":    conversation.PhoneOptedOut("+18585550121"),
	}
	for name, quote := range ours {
		if !conversation.QuotesOurs(quote) {
			t.Errorf("%s: %q is not recognized", name, quote)
		}
	}
	for _, quote := range []string{
		"Dune", "Yes at three", "From the gate on", "Is it open?", "The phone is here", "A49 is the number", "Not sent by me",
	} {
		if conversation.QuotesOurs(quote) {
			t.Errorf("%q is taken for ours", quote)
		}
	}
}
