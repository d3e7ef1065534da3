package conversation_test

import (
	"testing"

	"quickdumpnow.com/smsrelay/shared/conversation"
)

func TestIsAutoReply(t *testing.T) {
	for body, want := range map[string]bool{
		"I’m driving with Focus turned on. I’ll see your message when I get where I’m going.":                                             true,
		"I'm driving with Do Not Disturb While Driving turned on. I'll see your message when I get where I'm going.":                      true,
		"(I'm not receiving notifications. If this is urgent, reply “urgent” to send a notification through with your original message.)": true,
		"I’m driving, so I cannot answer at the moment.":                                                                                  true,
		"I'm driving right now":                               false,
		"I'm driving, so I cannot answer at the moment. Ann?": false,
		"I'll call you later.":                                false,
		"I'm driving with Focus turned on. Gate code is 4711": false,
		"I'm driving with Ann, there at three":                false,
		"On my way":                                           false,
		"":                                                    false,
		"👍":                                                   false,
	} {
		if got := conversation.IsAutoReply(body); got != want {
			t.Errorf("%q: %v, want %v", body, got, want)
		}
	}
}
