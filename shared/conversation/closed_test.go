package conversation_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/conversation"
)

// What is held of a customer is noted once, and taken up as far as it is taken up.
func TestCloseAndOpen(t *testing.T) {
	came := time.Date(2026, 11, 24, 20, 0, 0, 0, time.UTC)
	until := came.Add(11 * time.Hour)
	one, two := conversation.ClosedText{MessageSid: "SM1", Version: 1}, conversation.ClosedText{MessageSid: "SM2", Version: 3}
	c, changed := conversation.Conversation{}.Close(one, came, until)
	if !changed {
		t.Fatalf("held %+v", c.Closed)
	}
	if _, changed = c.Close(one, came, until); changed {
		t.Error("the same text is held twice")
	}
	first := c
	c, _ = c.Close(two, came.Add(time.Minute), until.Add(time.Hour))
	want := conversation.Closed{Texts: []conversation.ClosedText{one, two}, Since: came, Until: until}
	if diff := cmp.Diff(want, c.Closed); diff != "" {
		t.Errorf("held (-want +got):\n%s", diff)
	}
	if len(first.Closed.Texts) != 1 {
		t.Errorf("the conversation before has %v", first.Closed.Texts)
	}
	if c, changed = c.Remind(); !changed || !c.Closed.IsSet {
		t.Error("it is not noted that the timer is set")
	}
	if c, changed = c.Remind(); changed {
		t.Error("it is noted twice that the timer is set")
	}
	if _, changed = c.Open(nil, came, until); changed {
		t.Error("it is written again that nothing was taken up")
	}
	rest, changed := c.Open([]conversation.ClosedText{one}, came.Add(time.Minute), until.Add(time.Hour))
	want = conversation.Closed{Texts: []conversation.ClosedText{two}, Since: came.Add(time.Minute), Until: until.Add(time.Hour), IsSet: true}
	if diff := cmp.Diff(want, rest.Closed); diff != "" || !changed {
		t.Errorf("left (-want +got):\n%s", diff)
	}
	none, changed := rest.Open([]conversation.ClosedText{two}, time.Time{}, time.Time{})
	if diff := cmp.Diff(conversation.Closed{}, none.Closed); diff != "" || !changed {
		t.Errorf("nothing left (-want +got):\n%s", diff)
	}
	if _, changed = none.Remind(); changed {
		t.Error("a timer is noted for nothing")
	}
	again, _ := first.Close(conversation.ClosedText{MessageSid: "SM1", Version: 5}, came, until)
	if again, _ = again.Open([]conversation.ClosedText{one}, came, until); len(again.Closed.Texts) != 1 {
		t.Errorf("what is held again is %v", again.Closed.Texts)
	}
	full := conversation.Conversation{}
	for n := range conversation.MaxClosed {
		if full.Closed.IsFull() {
			t.Fatalf("full after %d texts", n)
		}
		full, _ = full.Close(conversation.ClosedText{MessageSid: "SM1", Version: int64(n)}, came, until)
	}
	if !full.Closed.IsFull() {
		t.Error("there is no bound")
	}
}
