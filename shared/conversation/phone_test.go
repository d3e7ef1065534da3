package conversation_test

import (
	"fmt"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

func customerNumber(n int) sms.PhoneNumber {
	return sms.PhoneNumber(fmt.Sprintf("+131255501%02d", n))
}

// A phone keeps the conversations with the newest texts, and when it wrote to one that comes again.
func TestReceive(t *testing.T) {
	var p conversation.Phone
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for n := range 60 {
		p = p.Receive(conversation.Exchange{Customer: customerNumber(n), SentAt: at.Add(time.Duration(n) * time.Minute)}, fmt.Sprint("SM", n))
	}
	if len(p.Exchanges) != 50 || p.Exchanges[0].Customer != customerNumber(59) || p.Exchanges[49].Customer != customerNumber(10) {
		t.Errorf("%d exchanges from %s to %s; want the newest 50, newest first",
			len(p.Exchanges), p.Exchanges[0].Customer, p.Exchanges[49].Customer)
	}
	if len(p.Sent) != 20 || p.Sent[19].MessageSid != "SM59" {
		t.Errorf("%d texts, last %v; want 20, the last SM59", len(p.Sent), p.Sent[len(p.Sent)-1])
	}
	p.Exchanges[49].AnsweredAt = at.Add(2 * time.Hour)
	again := p.Receive(conversation.Exchange{Customer: customerNumber(10), Tag: "A03", SentAt: at.Add(3 * time.Hour)}, "SM59")
	if e := again.Exchanges[0]; e.Customer != customerNumber(10) || e.Tag != "A03" || !e.AnsweredAt.Equal(at.Add(2*time.Hour)) {
		t.Errorf("newest exchange %+v; want that of the customer, with the time of the answer", e)
	}
	if len(again.Sent) != 20 {
		t.Errorf("a text that is tried again is kept twice: %v", again.Sent)
	}
	if p.Exchanges[0].Customer != customerNumber(59) {
		t.Error("Receive changed its receiver")
	}
	late := again.Receive(conversation.Exchange{Customer: customerNumber(10), SentAt: at.Add(3*time.Hour - 30*time.Second)}, "SM1")
	if !late.Exchanges[0].SentAt.Equal(at.Add(3 * time.Hour)) {
		t.Error("an earlier time replaced a later one")
	}
}

func TestTakeNotice(t *testing.T) {
	var p conversation.Phone
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	take := func(after time.Duration) (ok bool) {
		p, ok = p.TakeNotice(now.Add(after))
		return ok
	}
	for n := range 12 {
		if !take(0) {
			t.Fatalf("notice %d of 12 was refused", n+1)
		}
	}
	if take(0) || take(5*time.Minute-time.Second) {
		t.Error("a thirteenth notice went through")
	}
	if !take(5*time.Minute) || take(5*time.Minute) {
		t.Error("want exactly one more after five minutes")
	}
	p.Notices.Until = now.Add(1000 * time.Hour)
	if !take(10 * time.Minute) {
		t.Error("a clock that was ahead holds notices back")
	}
}

// What another machine wrote, whose clock is a little ahead, is not taken for a time of nobody's.
func TestFullBucketOfAnotherClock(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	var p conversation.Phone
	for range 12 {
		p, _ = p.TakeNotice(now.Add(time.Second))
	}
	if _, ok := p.TakeNotice(now); ok {
		t.Error("a thirteenth notice went through")
	}
}

// Words that go in any case take their places, too, and those that come later wait longer for it.
func TestPlacesOfTexts(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	ann := customerNumber(1)
	p := conversation.Phone{}.Receive(conversation.Exchange{Customer: ann, SentAt: now}, "SM1")
	for n := range 39 {
		var wait time.Duration
		if p, wait = p.TakeText(ann, now); wait > 0 {
			t.Fatalf("text %d has to wait for %v", n+1, wait)
		}
	}
	if !p.HasRoom(ann, 1, now) || p.HasRoom(ann, 2, now) || !p.HasRoom(customerNumber(2), 40, now) {
		t.Error("want room for one text of the customer, and for those of others")
	}
	p, _ = p.Wrote(conversation.Writing{MessageSid: "SM2", At: now, Now: now, Verdict: conversation.Release, To: ann, Texts: 2})
	if wait := p.Pause(ann, now); wait != 6*time.Minute {
		t.Errorf("the next text waits for %v, want 6 minutes", wait)
	}
	if _, wait := p.TakeText(ann, now.Add(6*time.Minute)); wait != 0 {
		t.Errorf("it waits for %v more", wait)
	}
	again, _ := p.Wrote(conversation.Writing{MessageSid: "SM3", At: now, Now: now, Verdict: conversation.Send, To: ann})
	if again.Pause(ann, now) != 6*time.Minute {
		t.Error("a text without a place took one")
	}
	old := now.Add(-time.Hour)
	late, _ := p.Wrote(conversation.Writing{
		MessageSid: "SM4", At: old, DecidedAt: old, Now: now, Verdict: conversation.Send, To: ann, Texts: 1,
	})
	if wait := late.Pause(ann, now); wait < 6*time.Minute {
		t.Errorf("after a text that was decided about long ago the next one waits for %v", wait)
	}
}

func TestChooseTag(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	var uses []conversation.TagUse
	for digits := 1; digits <= 3; digits++ {
		next, isShort, err := conversation.ChooseTag(uses, now)
		if err != nil || isShort || len(next.Tag) != digits+2 || next.Version != 0 {
			t.Fatalf("with %d tags in use: %+v, %v, %v; want a new one of %d digits", len(uses), next, isShort, err, digits)
		}
		for tag := range conversation.Tags(digits) {
			uses = append(uses, conversation.TagUse{Tag: tag, UsedAt: now.Add(-day), Version: 3})
		}
	}
	if _, _, err := conversation.ChooseTag(uses, now); err != nil {
		t.Errorf("there are longer tags than those in use: %v", err)
	}
	for _, tt := range []struct {
		idle    time.Duration
		isShort bool
	}{{31 * day, false}, {9 * day, true}} {
		rested := append([]conversation.TagUse(nil), uses...)
		rested[200].UsedAt, rested[100].UsedAt = now.Add(-tt.idle), now.Add(-tt.idle-time.Hour)
		if chosen, isShort, err := conversation.ChooseTag(rested, now); err != nil || chosen != rested[100] || isShort != tt.isShort {
			t.Errorf("after %v: %+v, %v, %v; want the longest idle %+v, %v", tt.idle, chosen, isShort, err, rested[100], tt.isShort)
		}
	}
}

// A tag is the customer's until somebody else takes it, which the version of its use shows.
func TestTake(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	c := conversation.Conversation{TwilioNumber: "+18585550100", Customer: customerNumber(1)}
	if !c.NeedsTag(now) {
		t.Error("a new customer needs a tag")
	}
	c, use := c.Take(conversation.TagUse{Tag: "A05", Version: 4}, now)
	use.Version++
	if c.KeptTag() != use || c.NeedsTag(now.Add(time.Hour)) || !c.NeedsTag(now.Add(13*time.Hour)) {
		t.Errorf("kept %+v; want %+v, noted again after half a day", c.KeptTag(), use)
	}
	for _, nobody := range []sms.PhoneNumber{"22395", "QuickDump", ""} {
		if (conversation.Conversation{Customer: nobody}).NeedsTag(now) {
			t.Errorf("%q needs no tag", nobody)
		}
	}
}
