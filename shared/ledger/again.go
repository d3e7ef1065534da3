package ledger

import (
	"strconv"
	"strings"
)

// AutoAnswerPrefix is what the MessageSids of the relay's own answers to customers begin with; 32 hexadecimal digits follow.
const AutoAnswerPrefix = "AA"

// IsAutoAnswer reports whether the text is an answer of the relay itself to a customer, its Customer and its Destination.
func (r Record) IsAutoAnswer() bool {
	return r.Notice && strings.HasPrefix(r.MessageSid, AutoAnswerPrefix)
}

// StageSid is the MessageSid of a text that goes out in a stage of the customer's waiting: step counts the stages from 1, and is 0 for the
// phones that get the text at first, all at the same time; place counts the stage's phones from 0. It has no number of a phone,
// because logs show it.
func StageSid(parent string, step, place int) string {
	return parent + "/e" + strconv.Itoa(step) + "/" + strconv.Itoa(place+1)
}

// Step returns the number of the stage in which the text goes out again, 0 if it does not because of a stage.
func (r Record) Step() int {
	_, after, _ := strings.Cut(r.MessageSid, "/e")
	step, _, _ := strings.Cut(after, "/")
	n, _ := strconv.Atoi(step)
	return n
}

// GivenSid is the MessageSid of a text that goes out again because a phone gave its customer to another one by the command.
func GivenSid(parent, command string) string { return parent + given + command }

const given = "/g/"

// IsGiven reports whether the text goes out again because a phone gave its customer to another one.
func (r Record) IsGiven() bool {
	return r.ParentSid != "" && strings.HasPrefix(r.MessageSid, r.ParentSid+given)
}

// ParentOf returns the text that a MessageSid was made from; a text's own, if it was not.
func ParentOf(messageSid string) string {
	parent, _, _ := strings.Cut(messageSid, "/")
	return parent
}
