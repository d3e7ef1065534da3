package operations

import "fmt"

// Sender is who wrote the text: a customer, a phone on duty, or the relay itself.
func (m Message) Sender() string {
	switch {
	case m.Answer != nil:
		return string(m.Answer.Phone)
	case m.Notice:
		return string(m.TwilioNumber)
	}
	return string(m.Customer)
}

// Recipient is whom the text was written to: the number, or the customer of an answer, or the phone that the relay told something.
func (m Message) Recipient() string {
	if m.Notice || m.Answer != nil && m.Customer != m.Answer.Phone {
		return string(m.Customer)
	}
	return string(m.TwilioNumber)
}

// InWords describes the attempt in a few words.
func (a Attempt) InWords() string {
	words := "to " + string(a.Destination)
	switch {
	case a.Status != "":
		words += " " + string(a.Status)
	case a.Outcome != "":
		words += " " + a.Outcome
	default:
		words += " no answer yet"
	}
	if a.ErrorCode != 0 {
		words += fmt.Sprintf(" (%d)", a.ErrorCode)
	}
	return words
}
