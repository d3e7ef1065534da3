package conversation_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// person is someone on duty with a phone. He reads what it was sent, and answers one customer or another. He keeps two rules: a text
// that he sends within a minute of the one before, with nothing new from another customer between them, is to the same one; and whom
// nobody could guess (a customer who has not written for long) he addresses with a tag.
type person struct {
	t     *rapid.T
	now   time.Time
	phone conversation.Phone
	// means is whom he wrote to last, by his own mind; empty if he has not written.
	means sms.PhoneNumber
	// newSince is set if something of another customer was sent to the phone since then.
	newSince bool
	// heldFor is whom each of the held words is for.
	heldFor []sms.PhoneNumber
	// texts counts the texts in both directions.
	texts, sends, asks int
}

// Whatever people mean, no answer goes to another customer.
func TestNoAnswerToTheWrongPerson(t *testing.T) {
	sends, asks := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		p := &person{t: t, now: noon}
		for range rapid.IntRange(2, 40).Draw(t, "steps") {
			if rapid.IntRange(0, 9).Draw(t, "what") < 4 {
				p.isSent(rapid.SampledFrom([]conversation.Tag{ann, bob, cy, dee}).Draw(t, "from"))
			} else {
				p.writes()
			}
			p.now = p.now.Add(time.Millisecond + p.draw("pause", second, 20*second, 50*second, 2*minute, hour, 9*hour, 30*hour, 80*hour))
		}
		sends, asks = sends+p.sends, asks+p.asks
	})
	if sends == 0 || asks == 0 {
		t.Errorf("%d answers were sent, and %d asked about", sends, asks)
	}
}

// draw draws a time up to one of those.
func (p *person) draw(name string, most ...time.Duration) time.Duration {
	bound := rapid.SampledFrom(most).Draw(p.t, name+", at most")
	return time.Duration(rapid.Int64Range(0, int64(bound/time.Millisecond)).Draw(p.t, name)) * time.Millisecond
}

// isSent has a text of a customer sent to the phone. The clock that says when may be four seconds off.
func (p *person) isSent(tag conversation.Tag) {
	at := p.now.Add(time.Duration(rapid.IntRange(-4, 4).Draw(p.t, "off")) * time.Second)
	p.newSince = p.newSince || customerOf(tag) != p.means
	p.texts++
	p.phone = p.phone.Receive(conversation.Exchange{Customer: customerOf(tag), Tag: tag, SentAt: at}, fmt.Sprint("SM", p.texts))
}

// writes lets him write, and the relay decide, maybe later, when more was sent to the phone.
func (p *person) writes() {
	received := p.now
	to, isBubble := p.chooses()
	if to.Customer == "" {
		return
	}
	body := "Yes, at three"
	isGuessable := received.Sub(to.SentAt) < 24*time.Hour || !to.AnsweredAt.IsZero() && received.Sub(to.AnsweredAt) < 24*time.Hour ||
		to.AnsweredAt.Before(to.SentAt) && received.Sub(to.SentAt) < conversation.AddressTime
	if !isBubble && (!isGuessable || rapid.IntRange(0, 9).Draw(p.t, "tags") < 3) {
		body = string(to.Tag) + " " + body
	}
	p.means, p.newSince = to.Customer, false
	if late := p.draw("late", time.Second, time.Second, 10*time.Minute); late > time.Minute {
		p.now = p.now.Add(late)
		p.isSent(rapid.SampledFrom([]conversation.Tag{ann, bob}).Draw(p.t, "meanwhile"))
	}
	answer := conversation.Answer{Body: body, ReceivedAt: received, DecidedAt: p.now, View: p.phone.View}
	p.decided(answer, answer.Address(), to)
}

// chooses returns whom he writes to.
func (p *person) chooses() (to conversation.Exchange, isBubble bool) {
	if len(p.phone.Exchanges) == 0 {
		return conversation.Exchange{}, false
	}
	to = rapid.SampledFrom(p.phone.Exchanges).Draw(p.t, "to")
	if p.means != "" && !p.newSince && p.now.Sub(p.phone.LastAt) <= time.Minute {
		for _, e := range p.phone.Exchanges {
			if e.Customer == p.means {
				return e, true
			}
		}
	}
	return to, false
}

// ended are the words that a decision ends.
func ended(p conversation.Phone, d conversation.Addressed) []string {
	if !d.EndsHeld {
		return nil
	}
	return p.Held.MessageSids
}

// decided carries out the decision, and holds it against what he meant.
func (p *person) decided(a conversation.Answer, d conversation.Addressed, meant conversation.Exchange) {
	p.texts++
	w := conversation.Writing{
		MessageSid: fmt.Sprint("SM", p.texts), At: a.ReceivedAt, DecidedAt: a.DecidedAt, Verdict: d.Verdict, Ends: ended(p.phone, d),
	}
	switch d.Verdict {
	case conversation.Send:
		p.sends++
		if w.To = d.To.Customer; w.To != meant.Customer {
			p.t.Fatalf("%q at %v, meant for %s, goes to %s; the phone has %+v", a.Body, a.ReceivedAt, meant.Tag, d.To.Tag, a.View)
		}
	case conversation.Ask:
		p.asks++
		for _, e := range d.Named {
			w.Named = append(w.Named, e.Tag)
		}
		p.heldFor = []sms.PhoneNumber{meant.Customer}
	case conversation.Join:
		p.heldFor = append(p.heldFor, meant.Customer)
		for _, customer := range p.heldFor {
			if customer != p.heldFor[0] {
				p.t.Fatalf("words for %v are held as one", p.heldFor)
			}
		}
	case conversation.Tell, conversation.Release, conversation.Refuse, conversation.Ignore:
		p.t.Fatalf("%q: verdict %v", a.Body, d.Verdict)
	}
	p.phone, _ = p.phone.Wrote(w)
}
