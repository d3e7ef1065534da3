package simulation_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// People read what their phone on duty gets, and answer one customer or another, some of them with a tag. What is assumed of them:
//
//   - A text within a minute of the one before, with nothing new from another customer between them, is for the same customer; who
//     means someone else begins it with a tag.
//   - A customer who has not written for a day, and was not written to, is addressed with a tag; and so is one whose thread is another
//     customer's since almost a day, as the phone shows it. What goes to another customer than the thread's begins with a tag.
//   - A tag alone is an answer to the newest question that was read, if it is written within a minute of that question or after
//     nothing else that the person wrote.
//   - Where clocks jump, nobody has threads, and no clock is ahead by as much as a conversation is in play without a text: with such a
//     clock, the relay cannot know what a person still has in mind.
//   - What is sent to a phone is there within textTransit, and what a phone sends comes in within replyTransit, in order. What comes
//     later than that may mislead the relay: such a person's answers are counted, see [person.isMisled].
const (
	textTransit  = 14 * time.Second
	replyTransit = 5 * time.Second
	bubbleTime   = time.Minute
	inPlayTime   = 24 * time.Hour
)

// person is someone with a phone on duty.
type person struct {
	phone sms.PhoneNumber
	// inbox are the texts of customers that the phone got.
	inbox []arrived
	wrote []*writing
	// talks are by the number of the business that they are with, as the phone shows them.
	talks map[sms.PhoneNumber]*talk
	// isMisled is set once something was on its way for so long that the relay may take it for an answer to something else.
	isMisled bool
}

// arrived is a text of a customer that a phone got.
type arrived struct {
	from sms.PhoneNumber
	// via is the number that the phone got it from.
	via  sms.PhoneNumber
	tag  conversation.Tag
	body string
	at   time.Time
}

// writing is what a phone wrote.
type writing struct {
	n    int
	by   *person
	to   sms.PhoneNumber
	at   time.Time
	body string
	// meant is whom it is for, and words what that customer is to get; empty if nobody may get any of it.
	meant sms.PhoneNumber
	words string
	// isAnswer is set if a person wrote it to a customer, and so may be asked about it.
	isAnswer bool
	// pictures is how many pictures it has.
	pictures int
	// isQueued is set once it is on the queue.
	isQueued bool
}

func (w *writing) sid() string { return relaytest.MessageSid(firstWriting + w.n) }

// firstWriting is above all that customers write.
const firstWriting = 0xa00000

// deed is what somebody does at that time.
type deed struct {
	due time.Time
	do  func()
}

// soon lets somebody do something after a while.
func (s *schedule) soon(after time.Duration, do func()) {
	s.deeds = append(s.deeds, deed{time.Now().Add(after), do})
}

// dueDeeds returns the places of what may be done now.
func (s *schedule) dueDeeds() []int {
	if s.chance.calm {
		s.deeds = nil
	}
	var due []int
	for i, d := range s.deeds {
		if !time.Now().Before(d.due) {
			due = append(due, i)
		}
	}
	return due
}

func (s *schedule) perform(i int) {
	do := s.deeds[i].do
	s.deeds = slices.Delete(s.deeds, i, i+1)
	do()
}

// personWith returns who has the phone, nil if it is not one that was ever on duty.
func (s *schedule) personWith(number sms.PhoneNumber) *person {
	for n := range 4 {
		if number == phone(n) {
			for len(s.people) <= n {
				s.people = append(s.people, &person{phone: phone(len(s.people))})
			}
			return s.people[n]
		}
	}
	return nil
}

// onTheWay lets a message come to the phone that it is for.
func (s *schedule) onTheWay(m *message) {
	if s.Habit == 0 || m.final.Lost() {
		return
	}
	p := s.personWith(m.post.out.To)
	s.deeds = append(s.deeds, deed{m.sentAt, func() {
		switch r := s.current[m.post.ref.RelayID]; {
		case p == nil:
			s.customerReads(r)
		case r.Notice:
			s.readNotice(p, m, r)
		default:
			s.read(p, m, r)
		}
	}})
}

// customerReads lets a customer write again.
func (s *schedule) customerReads(r ledger.Record) {
	if !r.IsAnswer() || len(s.Texts) >= maxPeopleTexts || !s.chance.odds(400) {
		return
	}
	who := slices.IndexFunc([]int{0, 1, 2, 3, 4}, func(n int) bool { return customer(n) == r.Destination })
	if who < 0 {
		return
	}
	s.Texts = append(s.Texts, text{Customer: who, Body: len(s.Texts), Pictures: s.numPictures()})
	s.webhooks = append(s.webhooks, webhookOf{text: len(s.Texts), due: time.Now().Add(s.while())})
}

// maxPeopleTexts bounds what customers write, and maxWritings what phones write.
const (
	maxPeopleTexts = 14
	maxWritings    = 16
)

// while is how long somebody takes to write: a minute mostly, and now and then an hour.
func (s *schedule) while() time.Duration {
	most := one(s.chance, time.Minute, 10*time.Second, 2*time.Minute, 2*time.Minute, 10*time.Minute, time.Hour, 3*time.Hour)
	return most/4 + most*time.Duration(s.chance.of(75))/100
}

// read lets a person read a text of a customer, and decide what to do about it.
func (s *schedule) read(p *person, m *message, r ledger.Record) {
	now := time.Now()
	tag, _, _ := conversation.Leading(m.post.out.Body)
	in := arrived{from: r.Customer, via: m.post.out.From, tag: tag, body: m.post.out.Body, at: now}
	t := p.at(in.via)
	p.inbox, t.newSince = append(p.inbox, in), t.newSince || in.from != t.means
	p.isMisled = p.isMisled || now.Sub(s.claimedAt(m.post)) > textTransit
	s.tellf("%s reads %q from %s", plainly([]sms.PhoneNumber{p.phone}), in.body, plainly([]sms.PhoneNumber{in.via}))
	s.chat(p, in)
	if s.Away > 0 && s.chance.odds(s.Away) {
		s.soon(s.while(), func() { s.goOff(p, in.via) })
	}
	if s.AnswerTimeout > 0 && s.chance.odds(s.commanding()) {
		s.soon(s.while(), func() { s.command(p, in) })
		return
	}
	switch s.chance.weighted(60, 20, 6, 5, 5, 4, 1) {
	case 0:
		s.soon(s.while(), func() { s.answer(p, in, false) })
	case 2:
		s.soon(time.Duration(s.chance.of(12))*time.Second, func() { s.replyAlone(p, in) })
	case 3:
		s.soon(s.while(), func() { s.react(p, in.via, in.body) })
	case 4:
		s.soon(s.while(), func() { s.paste(p, in) })
	case 5:
		s.soon(s.while(), func() { s.wonder(p, in) })
	case 6:
		s.soon(s.while(), func() { s.stop(p, in.via) })
	}
}

// answer lets a person answer a customer. isFurther is set of what follows another text to him.
func (s *schedule) answer(p *person, in arrived, isFurther bool) {
	tag, isNeeded := p.tagOf(in), p.needsTag(in.from, in.via)
	if s.Threads > 0 && tag != "" && s.chance.odds(100) {
		// It is written in whichever conversation the phone shows.
		in.via, isNeeded = one(s.chance, slices.Concat([]sms.PhoneNumber{twilioNumber}, s.route().Threads)...), true
	}
	if isNeeded && tag == "" {
		return
	}
	words := one(s.chance, fmt.Sprintf("It is number %d.", len(s.writings)), "Yes", "yes", "Help", "Start", "3 pm", "Not sent")
	w := &writing{by: p, to: in.via, meant: in.from, words: words, body: words, isAnswer: true}
	if tag != "" && (isNeeded || !isFurther && s.chance.odds(s.Habit)) {
		w.body, w.words = s.typed(tag, words)
	}
	if s.writes(w) && s.chance.odds(300) {
		s.soon(time.Duration(2+s.chance.of(56))*time.Second, func() { s.answer(p, in, true) })
	}
}

// typed writes a tag before words. It is not always the right one.
func (s *schedule) typed(tag conversation.Tag, words string) (body, kept string) {
	switch s.chance.weighted(60, 10, 10, 10, 5, 5) {
	case 1:
		return strings.ToLower(string(tag)) + ": " + words, words
	case 2:
		return "#" + string(tag) + ", " + words, words
	case 3:
		return " " + string(tag) + "\n" + words, words
	case 4:
		// One digit is wrong, so that it is no tag.
		wrong := string(tag[:2]) + string('0'+(tag[2]-'0'+1)%10) + string(tag[3:])
		return wrong + " " + words, wrong + " " + words
	case 5:
		// It is a tag, though not of anybody here.
		return string(nobodysTag) + " " + words, words
	}
	return string(tag) + " " + words, words
}

// nobodysTag is a tag that was never given out.
var nobodysTag = func() (last conversation.Tag) {
	for tag := range conversation.Tags(1) {
		last = tag
	}
	return last
}()

// tagOf returns the customer's tag as the person has read it last.
func (p *person) tagOf(in arrived) conversation.Tag {
	for _, a := range slices.Backward(p.inbox) {
		if a.from == in.from && a.tag != "" {
			return a.tag
		}
	}
	return ""
}

// readNotice lets a person read what the relay says, and do what it asks for.
func (s *schedule) readNotice(p *person, m *message, r ledger.Record) {
	s.tellf("%s reads %q", plainly([]sms.PhoneNumber{p.phone}), r.Body)
	if s.readCode(p, m, r) {
		return
	}
	i := slices.IndexFunc(p.wrote, func(w *writing) bool { return noticeSid(p.phone, w.sid()) == r.MessageSid })
	if i >= 0 && strings.Contains(r.Body, " is for?") && p.wrote[i].isAnswer {
		w := p.wrote[i]
		t := p.at(w.to)
		t.asked, t.askedAt = w, time.Now()
		p.isMisled = p.isMisled || time.Since(s.claimedAt(m.post)) > textTransit
		in := arrived{from: w.meant, via: w.to}
		switch s.chance.weighted(60, 20, 20) {
		case 0:
			s.soon(s.while(), func() { s.name(p, w) })
		case 1:
			s.soon(s.while(), func() { s.repeat(p, in, w) })
		}
	}
	switch s.chance.weighted(90, 5, 5) {
	case 1:
		s.soon(s.while(), func() { s.react(p, m.post.out.From, m.post.out.Body) })
	case 2:
		s.soon(s.while(), func() { s.writes(&writing{by: p, to: m.post.out.From, body: m.post.out.Body}) })
	}
}

// name lets a person answer a question with a tag alone, if it is the newest.
func (s *schedule) name(p *person, w *writing) {
	tag := p.tagOf(arrived{from: w.meant})
	t := p.at(w.to)
	isLast := t.wrote[len(t.wrote)-1] == w
	if t.asked != w || tag == "" || !isLast && time.Since(t.askedAt) > bubbleTime {
		return
	}
	if s.writes(&writing{by: p, to: w.to, body: string(tag)}) {
		t.means = w.meant
	}
}

// repeat lets a person write words again, with the tag.
func (s *schedule) repeat(p *person, in arrived, w *writing) {
	if tag := p.tagOf(in); tag != "" {
		s.writes(&writing{by: p, to: in.via, body: string(tag) + " " + w.words, meant: w.meant, words: w.words, isAnswer: true})
	}
}

// wonder lets a person ask whose a tag is, if no words are to be asked about.
func (s *schedule) wonder(p *person, in arrived) {
	t := p.at(in.via)
	isAddressed := len(t.wrote) == 0 || t.wrote[len(t.wrote)-1].isTagged()
	if in.tag == "" || !isAddressed || !strings.HasPrefix(in.body, string(in.tag)) {
		return
	}
	if s.writes(&writing{by: p, to: in.via, body: string(in.tag)}) {
		t.means = in.from
	}
}

// isTagged reports whether a text begins with a customer's tag. One with a tag of nobody's is asked about.
func (w *writing) isTagged() bool {
	tag, _, isTagged := conversation.Leading(w.body)
	return isTagged && tag.IsValid() && tag != nobodysTag
}

// replyAlone lets the phone answer by itself.
func (s *schedule) replyAlone(p *person, in arrived) {
	if p.needsTag(in.from, in.via) {
		return
	}
	words := one(s.chance, "I'm driving with Focus turned on. I'll see your message when I get where I'm going.",
		"Sorry, I am out on a job right now.")
	s.writes(&writing{by: p, to: in.via, meant: in.from, body: words, words: words})
}

// react lets a person react to what the phone got, as apps write it.
func (s *schedule) react(p *person, via sms.PhoneNumber, to string) {
	quoted := one(s.chance, to, sms.Shorten(to, 30))
	s.sends(&writing{by: p, to: via, body: one(s.chance, "Liked “", "Loved \u200b“", "Reacted 👍 to “") + quoted + "”"})
}

// paste lets a person copy what the phone got into an answer.
func (s *schedule) paste(p *person, in arrived) {
	w := &writing{by: p, to: in.via, body: in.body + " Yes."}
	_, words, found := strings.Cut(in.body, ": ")
	switch others := s.othersThan(p, in); {
	case in.tag == "":
	case len(others) > 0 && s.chance.of(2) == 1:
		// Another customer's header is in the middle.
		w.body = string(in.tag) + " " + one(s.chance, others...)
	case found:
		w.meant, w.words, w.isAnswer = in.from, words+" Yes.", true
	}
	s.writes(w)
}

func (s *schedule) othersThan(p *person, in arrived) []string {
	var all []string
	for _, a := range p.inbox {
		if a.from != in.from && a.tag != "" {
			all = append(all, a.body)
		}
	}
	return all
}

// stop lets a person opt out. Twilio sends nothing to the phone any more.
func (s *schedule) stop(p *person, via sms.PhoneNumber) {
	if s.writes(&writing{by: p, to: via, body: "STOP"}) {
		s.optedOut = append(s.optedOut, p.phone)
	}
}

// writes lets a person write a text.
func (s *schedule) writes(w *writing) bool {
	if !s.sends(w) {
		return false
	}
	t := w.by.at(w.to)
	t.means, t.wroteAt, t.newSince = w.meant, w.at, false
	return true
}

// sends lets a phone send a text, be it that a person wrote it or not.
func (s *schedule) sends(w *writing) bool {
	if len(s.writings) >= maxWritings+s.Chatter.Answers {
		return false
	}
	w.n, w.at = len(s.writings)+1, time.Now()
	if w.isAnswer {
		w.pictures = s.numPictures()
	}
	t := w.by.at(w.to)
	s.writings, w.by.wrote, t.wrote = append(s.writings, w), append(w.by.wrote, w), append(t.wrote, w)
	s.tellf("%s writes %q, %s for %s", plainly([]sms.PhoneNumber{w.by.phone}), w.body, nameOf(w.sid()), string(w.meant))
	s.call(webhookOf{writing: w})
	return true
}
