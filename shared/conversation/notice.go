package conversation

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// What the relay tells a phone begins with one of these, or with a quote. A text of a phone that begins so is never sent on: a person
// has copied it.
const (
	notSent      = "Not sent: "
	notDelivered = "Not delivered to "
	sentTo       = "Sent to "
	isFor        = " is for?"
	thePhone     = "The phone "
	lastText     = ", last text "
	hasIt        = " has "
)

// quotedLength is how many characters of a text a notice quotes.
const quotedLength = 24

// begins quotes how a text begins.
func begins(words string) string {
	words = strings.Join(strings.Fields(words), " ")
	if words == "" {
		return "a picture"
	}
	return `"` + sms.Shorten(words, quotedLength) + `"`
}

// Question asks a phone whom its words are for. isFirst is set if the phone was never asked before.
func Question(words string, named []Exchange, isFirst bool) string {
	text := begins(words) + isFor
	tags := make([]string, len(named))
	for i, e := range named {
		tags[i] = string(e.Tag) + " (" + e.short() + ")"
	}
	switch len(tags) {
	case 0:
		return text + " Start with the customer's tag: a letter and digits, before each of their texts."
	case 1:
		text += " " + tags[0] + "?"
	default:
		text += " " + strings.Join(tags[:len(tags)-1], ", ") + " or " + tags[len(tags)-1] + "?"
	}
	if isFirst {
		text += " Start with " + string(named[0].Tag) + " and I won't ask."
	}
	return text
}

// Asks reports whether a notice has a question whom words are for. One that quotes a person may seem to.
func Asks(notice string) bool { return strings.Contains(notice, isFor+" ") }

// short names the customer briefly: by the first name, or the end of the number.
func (e Exchange) short() string {
	if e.Name != "" {
		return firstName(e.Name)
	}
	number := string(e.Customer)
	return "…" + number[max(0, len(number)-4):]
}

// NotSent tells a phone that words were not sent on.
func NotSent(words string) string { return notSent + begins(words) + "." }

// Whose says whose a tag is. isSent is set if words that were held went there.
func Whose(e Exchange, isSent bool, now time.Time) string {
	who := strings.TrimSuffix(strings.TrimPrefix(Header(e.Tag, e.Name, e.Customer, false), string(e.Tag)+" "), ": ")
	rest := who + lastText + ago(now.Sub(e.SentAt)) + "."
	if isSent {
		return sentTo + string(e.Tag) + ": " + rest
	}
	return string(e.Tag) + " is " + rest
}

// ago says how long ago something was.
func ago(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	}
	return fmt.Sprintf("%d days ago", int(d.Hours()/24))
}

// For says how long something has lasted.
func For(d time.Duration) string {
	if d < time.Minute {
		return "just now"
	}
	return strings.TrimSuffix(ago(d), " ago")
}

// NotDelivered tells a phone that its answer did not reach the customer. why is a sentence in a person's words.
func NotDelivered(tag Tag, customer sms.PhoneNumber, why string) string {
	who := string(tag)
	if who == "" {
		who = string(customer)
	}
	return notDelivered + who + ": " + why
}

// NotOnDuty tells a phone that left that its words were not sent on.
func NotOnDuty(words string) string {
	return NotSent(words) + " This phone is not on duty any more; start with the tag of a customer who texted it in the last 7 days."
}

// WriteTo tells a phone that its words were not sent on, because the number that it wrote to is no thread any more, and where to write.
func WriteTo(words string, number sms.PhoneNumber) string {
	return NotSent(words) + " That number is not in use any more: write to this one, " + string(number) +
		", and start with the customer's tag."
}

// CodeOptedOut is Twilio's code of a message to somebody who texted STOP.
const CodeOptedOut = 21610

// WhyNotDelivered says in a person's words what Twilio's code of a refusal or of a receipt means for the customer's phone.
func WhyNotDelivered(code int) string {
	switch code {
	case CodeOptedOut:
		return "they texted STOP. Only their START lets texts through again."
	case 30006, 21614, 21635:
		return "it is a landline, or cannot get texts."
	case 30005, 21211, 21217:
		return "there is no such number."
	case 30003:
		return "the phone is off or out of reach."
	case 30004, 30007:
		return "their carrier blocked it."
	}
	return "it could not be sent. If it matters, call them."
}

// Has tells the others who has a conversation.
func Has(name string, tag Tag) string { return name + hasIt + string(tag) + "." }

// ShortName is how a notice calls somebody: by the name, or the end of the number without one.
func ShortName(name string, phone sms.PhoneNumber) string {
	if name != "" {
		return name
	}
	return Exchange{Customer: phone}.short()
}

// Again returns the words of a text that goes out again, and how many texts of the customer wait if there are several.
func Again(words string, texts int) string {
	if texts < 2 {
		return words
	}
	return strings.TrimSpace(words + " (" + strconv.Itoa(texts) + " texts)")
}

// PhoneOptedOut tells the other phones on duty that one of them has texted STOP.
func PhoneOptedOut(phone sms.PhoneNumber) string {
	return thePhone + string(phone) + " texted STOP and gets no texts of this number any more. It gets them again after it texts START."
}
