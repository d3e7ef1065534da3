package conversation_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/conversation"
)

// A customer is blocked until somebody lets his texts through, and the first decision of two that say the same holds.
func TestBlock(t *testing.T) {
	at := time.Date(2026, 11, 24, 12, 0, 0, 123_456_789, time.UTC)
	var c conversation.Conversation
	for _, step := range []struct {
		wanted  conversation.Blocked
		changed bool
		want    conversation.Blocked
	}{
		{conversation.Blocked{By: "ann", Since: at}, false, conversation.Blocked{}},
		{
			conversation.Blocked{On: true, By: "ann", Since: at},
			true,
			conversation.Blocked{On: true, By: "ann", Since: at.Truncate(time.Millisecond)},
		},
		{
			conversation.Blocked{On: true, Phone: "+16195550123", Since: at.Add(time.Hour)},
			false,
			conversation.Blocked{On: true, By: "ann", Since: at.Truncate(time.Millisecond)},
		},
		{
			conversation.Blocked{Phone: "+16195550123", Since: at.Add(time.Hour)},
			true,
			conversation.Blocked{Phone: "+16195550123", Since: at.Add(time.Hour).Truncate(time.Millisecond)},
		},
	} {
		var changed bool
		if c, changed = c.Block(step.wanted); changed != step.changed {
			t.Errorf("%+v: changed %t", step.wanted, changed)
		}
		if diff := cmp.Diff(step.want, c.Blocked); diff != "" {
			t.Errorf("after %+v (-want +got):\n%s", step.wanted, diff)
		}
	}
	if c.Seen.How != conversation.SeenBlocked || c.Seen.By != "ann" {
		t.Errorf("seen to: %+v, want by who blocked the customer", c.Seen)
	}
}

// A customer who waited for an answer waits no longer once he is blocked.
func TestBlockEndsTheWait(t *testing.T) {
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	c, _ := conversation.Conversation{}.Await(conversation.Taken{MessageSid: "SM1", At: at}, time.Minute, at)
	if !c.IsOpen() {
		t.Fatal("the conversation is not open")
	}
	if c, _ = c.Block(conversation.Blocked{On: true, By: "ann", Since: at.Add(-time.Second)}); c.IsOpen() {
		t.Error("the conversation of a blocked customer is open")
	}
}
