package conversation_test

import (
	"fmt"
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
		"who has a customer":   conversation.Has("Ann Miller", ann),
		"the same, cut":        "Ann Miller has A4…",
		"a command's answer":   conversation.Command{Verb: conversation.VerbMine, Tag: ann}.Told("you have Bo."),
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

// A person copies a text that came when the customer had another name, or before the name was taken away: the customer reads none of them.
func TestHeaderWithAFormerName(t *testing.T) {
	var p conversation.Phone
	for n, name := range []string{"Ann", "Ann Miller", "", "Bea", ""} {
		e := conversation.Exchange{Customer: customerNumber(1), Tag: "A05", Name: name, SentAt: noon.Add(time.Duration(n) * time.Minute)}
		p = p.Receive(e, fmt.Sprint("SM", n))
	}
	at := noon.Add(hour)
	for _, body := range []string{
		"A05 Ann: at three", "A05 Ann Miller +13125550101: at three", "a05 bea: at three", "A05: at three", "A05 at three",
	} {
		got := conversation.Answer{Body: body, ReceivedAt: at, DecidedAt: at, View: p.View}.Address()
		if got.Verdict != conversation.Send || got.Words != "at three" {
			t.Errorf("%q is decided %d with the words %q", body, got.Verdict, got.Words)
		}
	}
}
