package conversation_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
)

// What a phone writes in the same moment, or what is decided about in another order than it came in, is kept as well.
func TestWroteOutOfOrder(t *testing.T) {
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for name, second := range map[string]time.Time{"in the same moment": at, "a moment before": at.Add(-time.Second), "missed": at.Add(-time.Hour)} {
		var p conversation.Phone
		p, _ = p.Wrote(conversation.Writing{MessageSid: "SM1", At: at, Verdict: conversation.Ask})
		p, changed := p.Wrote(conversation.Writing{MessageSid: "SM2", At: second, Verdict: conversation.Join})
		if !changed || !slices.Equal(p.Held.MessageSids, []string{"SM1", "SM2"}) || !p.LastAt.Equal(at) {
			t.Errorf("%s: held are %v, the last text came at %v", name, p.Held.MessageSids, p.LastAt)
		}
	}
}

// A text that comes again changes nothing, however much the phone wrote since.
func TestWroteTwice(t *testing.T) {
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	nth := func(n int) conversation.Writing {
		return conversation.Writing{
			MessageSid: fmt.Sprint("SM", n), At: at.Add(time.Duration(n) * time.Minute), Verdict: conversation.Send, To: customerNumber(1),
		}
	}
	var p conversation.Phone
	for n := range 40 {
		var changed bool
		if p, changed = p.Wrote(nth(n)); !changed {
			t.Fatalf("text %d is taken for one that is known", n)
		}
		for known := range n {
			if _, changed := p.Wrote(nth(known)); changed {
				t.Fatalf("text %d counts again after %d", known, n)
			}
		}
	}
}
