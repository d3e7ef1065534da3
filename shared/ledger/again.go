package ledger

import (
	"strconv"
	"strings"
)

// StageSid is the MessageSid of a text that goes out again in a stage of the customer's waiting: step counts the stages from 1, place the
// stage's phones from 0. It has no number of a phone, because logs show it.
func StageSid(parent string, step, place int) string {
	return parent + "/e" + strconv.Itoa(step) + "/" + strconv.Itoa(place+1)
}

// ParentOf returns the text that a MessageSid was made from; a text's own, if it was not.
func ParentOf(messageSid string) string {
	parent, _, _ := strings.Cut(messageSid, "/")
	return parent
}
