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
	c, changed := conversation.Conversation{}.Close("SM1", came, until)
	if !changed || !c.Closed.IsFirst("SM1") {
		t.Fatalf("held %+v", c.Closed)
	}
	if _, changed = c.Close("SM1", came, until); changed {
		t.Error("the same text is held twice")
	}
	first := c
	c, _ = c.Close("SM2", came.Add(time.Minute), until.Add(time.Hour))
	want := conversation.Closed{MessageSids: []string{"SM1", "SM2"}, Since: came, Until: until}
	if diff := cmp.Diff(want, c.Closed); diff != "" || c.Closed.IsFirst("SM2") {
		t.Errorf("held (-want +got):\n%s", diff)
	}
	if len(first.Closed.MessageSids) != 1 {
		t.Errorf("the conversation before has %v", first.Closed.MessageSids)
	}
	if _, changed = c.Open(nil, came, until); changed {
		t.Error("it is written again that nothing was taken up")
	}
	rest, changed := c.Open([]string{"SM1"}, came.Add(time.Minute), until.Add(time.Hour))
	want = conversation.Closed{MessageSids: []string{"SM2"}, Since: came.Add(time.Minute), Until: until.Add(time.Hour)}
	if diff := cmp.Diff(want, rest.Closed); diff != "" || !changed {
		t.Errorf("left (-want +got):\n%s", diff)
	}
	none, changed := rest.Open([]string{"SM2"}, time.Time{}, time.Time{})
	if diff := cmp.Diff(conversation.Closed{}, none.Closed); diff != "" || !changed {
		t.Errorf("nothing left (-want +got):\n%s", diff)
	}
	full := conversation.Conversation{}
	for n := range conversation.MaxClosed {
		if full.Closed.IsFull() {
			t.Fatalf("full after %d texts", n)
		}
		full, _ = full.Close(string(rune('a'+n)), came, until)
	}
	if !full.Closed.IsFull() {
		t.Error("there is no bound")
	}
}
