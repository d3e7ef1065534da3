package conversation_test

import (
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/zone"
)

func TestAutoAnswer(t *testing.T) {
	place, err := zone.Load("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	// In Los Angeles, it is 22:30 on Saturday; in London, Sunday has begun.
	at := time.Date(2026, 11, 28, 22, 30, 0, 0, place)
	const mine = "SM1"
	tests := []struct {
		name    string
		set     func(*conversation.Conversation)
		now     time.Time
		changed bool
		ok      bool
	}{
		{"a customer", nil, at, true, true},
		{"one who opted out", func(c *conversation.Conversation) { c.OptOut.OptedOut = true }, at, false, false},
		{"one who is blocked", func(c *conversation.Conversation) { c.Blocked.On = true }, at, false, false},
		{"one in another country", func(c *conversation.Conversation) { c.Customer = "+447700900123" }, at, false, false},
		{"a short code", func(c *conversation.Conversation) { c.Customer = "24365" }, at, false, false},
		{"a name", func(c *conversation.Conversation) { c.Customer = "QuickDump" }, at, false, false},
		{"another channel", func(c *conversation.Conversation) { c.Customer = "whatsapp:+13125550147" }, at, false, false},
		{"answered by itself before", func(c *conversation.Conversation) {
			c.Written = conversation.Written{AutoAt: at.Add(-22 * time.Hour), AutoCause: "SM0"}
		}, at, false, false},
		{"answered by itself the day before", func(c *conversation.Conversation) {
			c.Written = conversation.Written{AutoAt: at.Add(-23 * time.Hour), AutoCause: "SM0"}
		}, at, true, true},
		{"answered by itself by a clock that was ahead", func(c *conversation.Conversation) {
			c.Written = conversation.Written{AutoAt: at.Add(48 * time.Hour), AutoCause: "SM0"}
		}, at, false, false},
		{"the same text again", func(c *conversation.Conversation) {
			c.Written = conversation.Written{AutoAt: at, AutoCause: mine}
		}, at.Add(time.Minute), false, true},
		{"the same text again, after it was answered", func(c *conversation.Conversation) {
			c.Written = conversation.Written{At: at.Add(time.Second), AutoAt: at, AutoCause: mine}
		}, at.Add(time.Minute), false, false},
		{"written to a moment before", func(c *conversation.Conversation) { c.Written.At = at.Add(-10*time.Second + 1) }, at, false, false},
		{"written to ten seconds before", func(c *conversation.Conversation) { c.Written.At = at.Add(-10 * time.Second) }, at, true, true},
		{"written to since", func(c *conversation.Conversation) { c.Written.At = at.Add(time.Minute) }, at.Add(time.Hour), false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := conversation.Conversation{TwilioNumber: "+18585550100", Customer: "+13125550147"}
			if tt.set != nil {
				tt.set(&c)
			}
			noted, changed, ok := c.AutoAnswer(conversation.AutoAnswering{Cause: mine, At: at, Now: tt.now})
			if changed != tt.changed || ok != tt.ok {
				t.Fatalf("changed %t, ok %t; want %t, %t", changed, ok, tt.changed, tt.ok)
			}
			if changed && (noted.Written.AutoCause != mine || !noted.Written.AutoAt.Equal(tt.now)) {
				t.Errorf("noted %+v", noted.Written)
			}
			if !changed && !noted.Written.Equal(c.Written) {
				t.Errorf("noted %+v, though nothing changed", noted.Written)
			}
		})
	}
}

// A text that comes again is answered by the note of the first time, whatever the day is by then.
func TestAutoAnswerOfTheNextDay(t *testing.T) {
	at := time.Date(2026, 11, 28, 23, 59, 59, 0, time.UTC)
	c := conversation.Conversation{TwilioNumber: "+18585550100", Customer: "+13125550147"}
	c, _, _ = c.AutoAnswer(conversation.AutoAnswering{Cause: "SM1", At: at, Now: at})
	if _, changed, ok := c.AutoAnswer(conversation.AutoAnswering{Cause: "SM1", At: at, Now: at.Add(time.Minute)}); changed || !ok {
		t.Errorf("the same text: changed %t, ok %t; want it to be sent again as it is", changed, ok)
	}
	if _, changed, ok := c.AutoAnswer(conversation.AutoAnswering{Cause: "SM2", At: at, Now: at.Add(time.Second)}); !changed || !ok {
		t.Errorf("another text: changed %t, ok %t; want an answer on the new day", changed, ok)
	}
}

// However fast customers write, a number answers at most thirty of them in any hour.
func TestTakeAutoAnswer(t *testing.T) {
	number := conversation.Phone{PhoneKey: conversation.NumberKey("+18585550100")}
	now := time.Date(2026, 11, 28, 22, 30, 0, 0, time.UTC)
	var taken []time.Time
	for range 3 * 3600 {
		var ok bool
		if number, ok = number.TakeAutoAnswer(now); ok {
			taken = append(taken, now)
		}
		now = now.Add(time.Second)
	}
	for i, first := range taken {
		inHour := 0
		for _, other := range taken[i:] {
			if other.Sub(first) < time.Hour {
				inHour++
			}
		}
		if inHour > 30 {
			t.Fatalf("%d answers in the hour after %s", inHour, first)
		}
	}
	if len(taken) < 3*15 {
		t.Errorf("%d answers in three hours, want one each four minutes at least", len(taken))
	}
}

func TestWriteTo(t *testing.T) {
	at := time.Date(2026, 11, 28, 22, 30, 0, 123_456_789, time.UTC)
	c := conversation.Conversation{Customer: sms.PhoneNumber("+13125550147")}
	c, changed := c.WriteTo(at)
	if !changed || !c.Written.At.Equal(at.Truncate(time.Millisecond)) {
		t.Errorf("written %+v, changed %t", c.Written, changed)
	}
	if _, changed = c.WriteTo(at.Add(-time.Minute)); changed {
		t.Error("an earlier time replaces a later one")
	}
}
