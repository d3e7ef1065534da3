package conversation_test

import (
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

const (
	ourNumber sms.PhoneNumber = "+18585550100"
	threadOne sms.PhoneNumber = "+18585550120"
	threadTwo sms.PhoneNumber = "+18585550121"
	dutyPhone sms.PhoneNumber = "+16195550123"
)

// threadOf is a thread of the phone, given to the customer with that exchange, long ago if it was anybody's before.
func threadOf(number sms.PhoneNumber, exchanges ...conversation.Exchange) conversation.Phone {
	p := conversation.Phone{PhoneKey: conversation.PhoneKey{TwilioNumber: ourNumber, SendingNumber: number, Phone: dutyPhone}}
	p.Exchanges = exchanges
	if len(exchanges) > 0 {
		p.Owner, p.OwnedSince = exchanges[0].Customer, noon.Add(-90*day)
	}
	return p
}

func TestChooseThread(t *testing.T) {
	main := conversation.Phone{PhoneKey: conversation.PhoneKey{TwilioNumber: ourNumber, Phone: dutyPhone}}
	main.Exchanges = all(sent(ann, 2*day, 0))
	holding := threadOf(threadOne, sent(bob, 2*day, 0))
	holding.Held = conversation.Held{MessageSids: []string{"SM1"}}
	writing := threadOf(threadOne, sent(bob, 2*day, 0))
	writing.LastAt = noon.Add(-time.Hour)
	for name, tt := range map[string]struct {
		threads []conversation.Phone
		want    sms.PhoneNumber
	}{
		"none":                        {nil, ""},
		"never used":                  {[]conversation.Phone{threadOf(threadOne)}, threadOne},
		"his own, though it was used": {[]conversation.Phone{threadOf(threadOne), threadOf(threadTwo, sent(ann, minute, 0))}, threadTwo},
		"used within a day":           {[]conversation.Phone{threadOf(threadOne, sent(bob, day-second, 0))}, ""},
		"used a day ago":              {[]conversation.Phone{threadOf(threadOne, sent(bob, day, 0))}, threadOne},
		"answered within a day":       {[]conversation.Phone{threadOf(threadOne, sent(bob, 2*day, hour))}, ""},
		"the phone wrote to nobody":   {[]conversation.Phone{writing}, ""},
		"words are held":              {[]conversation.Phone{holding}, ""},
		"idle longest": {
			[]conversation.Phone{threadOf(threadOne, sent(bob, 2*day, 0)), threadOf(threadTwo, sent(cy, 3*day, 0))}, threadTwo,
		},
		"never used first": {[]conversation.Phone{threadOf(threadOne, sent(bob, 9*day, 0)), threadOf(threadTwo)}, threadTwo},
	} {
		t.Run(name, func(t *testing.T) {
			got := conversation.ChooseThread(main, tt.threads, customerOf(ann), noon)
			if got.SendingNumber != tt.want {
				t.Errorf("thread %q, want %q", got.SendingNumber, tt.want)
			}
		})
	}
}

// Each case is a text without a tag that comes in at noon at a thread that Ann has.
func TestAddressInAThread(t *testing.T) {
	wrote := func(to conversation.Tag, before time.Duration) func(*conversation.Phone) {
		return func(p *conversation.Phone) { p.LastTo, p.LastAt = customerOf(to), noon.Add(-before) }
	}
	reassigned := func(before time.Duration) func(*conversation.Phone) {
		return func(p *conversation.Phone) { p.OwnedSince, p.Reassigned, p.Confirmed = noon.Add(-before), true, true }
	}
	unsent := func(tag conversation.Tag, before time.Duration) func(*conversation.Phone) {
		return func(p *conversation.Phone) { p.LastTag, p.LastAt = tag, noon.Add(-before) }
	}
	unconfirmed := func(p *conversation.Phone) { p.OwnedSince, p.Reassigned = noon.Add(-3*day), true }
	for name, tt := range map[string]struct {
		anns time.Duration
		edit func(*conversation.Phone)
		want conversation.Verdict
	}{
		"at once":                         {minute, nil, conversation.Send},
		"after three weeks":               {21 * day, nil, conversation.Send},
		"after more than a month":         {31 * day, nil, conversation.Ask},
		"given from Bob just now":         {minute, reassigned(minute), conversation.Ask},
		"given from Bob 24 hours ago":     {minute, reassigned(day), conversation.Ask},
		"given from Bob long before":      {minute, reassigned(day + minute), conversation.Send},
		"given from Bob, and never named": {3 * day, unconfirmed, conversation.Ask},
		"given from Bob after it came in": {-minute, reassigned(-minute), conversation.Ask},
		"first given after it came in":    {-minute, func(p *conversation.Phone) { p.OwnedSince = noon.Add(minute) }, conversation.Ask},
		"newest text after it came in":    {-minute, nil, conversation.Send},
		"wrote to Bob from here":          {minute, wrote(bob, 30*second), conversation.Ask},
		"wrote to Bob before":             {minute, wrote(bob, 2*minute), conversation.Send},
		"wrote to Ann":                    {minute, wrote(ann, 30*second), conversation.Send},
		"unsent words for Bob":            {minute, unsent(bob, 30*second), conversation.Ask},
		"unsent words for nobody known":   {minute, unsent("A46", 30*second), conversation.Ask},
		"unsent words for Bob, before":    {minute, unsent(bob, day), conversation.Ask},
		"unsent words, the day before":    {minute, unsent(bob, day+minute), conversation.Send},
		"unsent words for Ann":            {minute, unsent(ann, 30*second), conversation.Send},
	} {
		t.Run(name, func(t *testing.T) {
			p := threadOf(threadOne, sent(ann, tt.anns, 0), sent(bob, 2*day, 0))
			if tt.edit != nil {
				tt.edit(&p)
			}
			got := conversation.Answer{
				Body: "Yes, at three", ReceivedAt: noon, DecidedAt: noon, View: p.View, Elsewhere: all(sent(cy, minute, 0), sent(dee, minute, 0)),
			}.Address()
			if got.Verdict != tt.want || tt.want == conversation.Send && got.To.Tag != ann {
				t.Errorf("verdict %v, to %s, want %v", got.Verdict, got.To.Tag, tt.want)
			}
		})
	}
}

// A tag addresses whomever the phone was sent, whichever number it writes to, and a header of another number is not passed on.
func TestAddressElsewhere(t *testing.T) {
	elsewhere := sent(cy, minute, 0)
	elsewhere.Name = "Cyril Moss"
	for body, want := range map[string]conversation.Addressed{
		"c00 on my way":       {Verdict: conversation.Send, To: elsewhere, Words: "on my way"},
		"C00 Cyril: about it": {Verdict: conversation.Send, To: elsewhere, Words: "about it"},
		"C00":                 {Verdict: conversation.Tell, To: elsewhere},
	} {
		got := conversation.Answer{
			Body: body, ReceivedAt: noon, DecidedAt: noon, View: threadOf(threadOne, sent(ann, hour, 0)).View, Elsewhere: all(elsewhere),
		}.Address()
		if got.Verdict != want.Verdict || got.To.Customer != want.To.Customer || got.Words != want.Words {
			t.Errorf("%q: %+v, want %+v", body, got, want)
		}
	}
}

// On the number that the customers text, what follows a text to a customer of a thread may be for that one, too.
func TestWroteToAThreadFromTheNumber(t *testing.T) {
	view := conversation.View{Exchanges: all(sent(ann, hour, 0)), LastTo: customerOf(bob)}
	for before, want := range map[time.Duration]conversation.Verdict{30 * second: conversation.Ask, 2 * minute: conversation.Send} {
		view.LastAt = noon.Add(-before)
		got := conversation.Answer{
			Body: "the left one", ReceivedAt: noon, DecidedAt: noon, View: view, Elsewhere: all(sent(bob, hour, 0)),
		}.Address()
		if got.Verdict != want {
			t.Errorf("%v after a text to Bob: %v, want %v", before, got.Verdict, want)
		}
	}
}

// Whoever the phone wrote to from a number is in play there, though his texts come from another one.
func TestWroteByTagIsInPlay(t *testing.T) {
	p := conversation.Phone{PhoneKey: conversation.PhoneKey{TwilioNumber: ourNumber, Phone: dutyPhone}}
	p = p.Receive(sent(ann, hour, 0), "SM1")
	w := conversation.Writing{MessageSid: "SM2", At: noon.Add(-10 * minute), DecidedAt: noon, Now: noon, Verdict: conversation.Send}
	w.To, w.Tag, w.Texts = customerOf(bob), bob, 1
	p, _ = p.Wrote(w)
	if p.Knows(customerOf(bob)) {
		t.Error("the phone was sent nothing of Bob from here")
	}
	got := conversation.Answer{Body: "the left one", ReceivedAt: noon, DecidedAt: noon, View: p.View, Elsewhere: all(sent(bob, hour, 0))}
	if v := got.Address().Verdict; v != conversation.Ask {
		t.Errorf("verdict %v, want a question: it may be for Ann or Bob", v)
	}
	p = p.Receive(sent(bob, 0, 0), "SM3")
	if !p.Knows(customerOf(bob)) || len(p.Exchanges) != 2 || p.Exchanges[0].AnsweredAt.IsZero() {
		t.Errorf("exchanges %+v", p.Exchanges)
	}
}

// A thread that goes to another customer remembers since when, and one that is given for the first time does not.
func TestThreadIsGiven(t *testing.T) {
	p := threadOf(threadOne).Receive(sent(bob, 2*day, 0), "SM1")
	if p.Owner != customerOf(bob) || p.Reassigned {
		t.Errorf("first given to %s, reassigned %t", p.Owner, p.Reassigned)
	}
	p = p.Receive(sent(ann, hour, 0), "SM2").Receive(sent(ann, minute, 0), "SM3")
	if p.Owner != customerOf(ann) || !p.Reassigned || !p.OwnedSince.Equal(noon.Add(-hour)) {
		t.Errorf("then given to %s, reassigned %t since %v", p.Owner, p.Reassigned, p.OwnedSince)
	}
	named := conversation.Writing{MessageSid: "SM9", At: noon, DecidedAt: noon, Verdict: conversation.Release, To: customerOf(ann), Texts: 1}
	if q, _ := p.Wrote(named); !q.Confirmed {
		t.Error("the phone has named the new one, and it is not noted")
	}
	for _, other := range []conversation.Writing{
		{MessageSid: "SM9", At: noon, DecidedAt: noon, Verdict: conversation.Release, To: customerOf(bob), Texts: 1},
		{MessageSid: "SM9", At: noon, DecidedAt: noon, Verdict: conversation.Send, To: customerOf(ann), Texts: 1},
	} {
		if q, _ := p.Wrote(other); q.Confirmed {
			t.Errorf("the phone did not name the new one: %+v", other)
		}
	}
	// An operator's text in it changes nothing.
	if q := p.Receive(conversation.Exchange{SentAt: noon}, "SM4"); q.Owner != p.Owner || !q.OwnedSince.Equal(p.OwnedSince) {
		t.Errorf("an operator's text: given to %q, since %v", q.Owner, q.OwnedSince)
	}
	main := conversation.Phone{PhoneKey: conversation.PhoneKey{TwilioNumber: ourNumber, Phone: dutyPhone}}
	if main = main.Receive(sent(ann, minute, 0), "SM5"); main.Owner != "" {
		t.Errorf("the main number is %s's", main.Owner)
	}
}

// What a phone writes to a customer of another thread counts there, once.
func TestAnsweredElsewhere(t *testing.T) {
	to := func(tag conversation.Tag) conversation.Writing {
		return conversation.Writing{
			MessageSid: "SM1", At: noon, DecidedAt: noon, Now: noon, Verdict: conversation.Send, To: customerOf(tag), Texts: 1,
		}
	}
	p := threadOf(threadOne, sent(ann, hour, 0))
	p, changed := p.Answered(to(ann))
	if !changed || !p.Exchanges[0].AnsweredAt.Equal(noon) || p.Exchanges[0].Texts.Until.IsZero() {
		t.Errorf("changed %t: %+v", changed, p.Exchanges[0])
	}
	if _, changed := p.Answered(to(ann)); changed {
		t.Error("it counts twice")
	}
	if _, changed := p.Answered(to(bob)); changed {
		t.Error("it counts for a customer whom the thread does not know")
	}
}
