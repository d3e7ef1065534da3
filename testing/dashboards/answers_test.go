package dashboards

import (
	"fmt"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// The number whose phone answers, and two customers of it.
const (
	numberE sms.PhoneNumber = "+18585550140"
	phoneE  sms.PhoneNumber = "+16195550141"
	annE    sms.PhoneNumber = "+13125550141"
	bobE    sms.PhoneNumber = "+13125550142"
	// Number F wants its customers answered.
	numberF sms.PhoneNumber = "+18585550150"
	phoneF  sms.PhoneNumber = "+16195550151"
	secondF sms.PhoneNumber = "+16195550152"
	thirdF  sms.PhoneNumber = "+16195550153"
	ownerF  sms.PhoneNumber = "+16195550154"
	annF    sms.PhoneNumber = "+13125550151"
	bobF    sms.PhoneNumber = "+13125550152"
)

// answers is what the phone of number E writes, and what is written to it.
func answers() []happening {
	writes := func(from sms.PhoneNumber, words string) func(*stage) {
		return func(s *stage) { s.text(from, numberE, words, "") }
	}
	return []happening{
		{30, writes(annE, plain)},
		{31, writes(phoneE, "Yes")},
		{32, writes(bobE, plain)},
		// He is asked which of the two, goes on writing, and says it.
		{33, func(s *stage) {
			s.text(phoneE, numberE, "At three", "")
			s.textIn(20*time.Second, phoneE, numberE, "or at four", "")
			s.textIn(40*time.Second, phoneE, numberE, s.tag(annE), "")
		}},
		// Then he does not say it, and writes something else.
		{35, func(s *stage) {
			s.text(phoneE, numberE, "Hm", "")
			s.textIn(20*time.Second, phoneE, numberE, s.tag(bobE)+" Yes", "")
		}},
		{36, writes(phoneE, "Liked an image")},
		{37, func(s *stage) {
			s.text(annE, numberE, plain, "")
			s.textIn(4*time.Second, phoneE, numberE, "I am driving.", "")
		}},
		// The phone asks who is who so often that it is not answered any more.
		{38, func(s *stage) {
			for i := range 20 {
				s.textIn(time.Duration(i)*time.Second, phoneE, numberE, s.tag(annE), "")
			}
		}},
		// Somebody's machine writes on and on.
		{46, func(s *stage) {
			for i := range 45 {
				s.text(bobE, numberE, fmt.Sprintf("%s (%d)", plain, i), "")
			}
		}},
		{97, func(s *stage) {
			c, err := s.conversations.Get(s.t.Context(), numberE, bobE)
			s.must(err)
			c, _ = c.Block(conversation.Blocked{On: true, By: "ann", Since: s.clock.Now()})
			_, err = s.conversations.Put(s.t.Context(), c)
			s.must(err)
		}},
		{98, writes(bobE, plain)},
		// A customer of two phones and an owner is answered late, and another one not at all.
		{20, func(s *stage) { s.text(annF, numberF, plain, "") }},
		{21, func(s *stage) { s.text(phoneF, numberF, "/open", "") }},
		{22, func(s *stage) { s.text(phoneF, numberF, s.tagAt(numberF, annF)+" Yes", "") }},
		{23, func(s *stage) { s.text(bobF, numberF, plain, "") }},
		{99, func(s *stage) { s.reroute(numberE, func(r *route.Route) { r.DestinationCarrier = phoneB }) }},
		{100, writes(phoneE, "Yes")},
	}
}

// tag returns the tag of a customer of number E.
func (s *stage) tag(customer sms.PhoneNumber) string { return s.tagAt(numberE, customer) }

func (s *stage) tagAt(number, customer sms.PhoneNumber) string {
	c, err := s.conversations.Get(s.t.Context(), number, customer)
	s.must(err)
	return string(c.Tag)
}

// reroute changes a number's route.
func (s *stage) reroute(number sms.PhoneNumber, edit func(r *route.Route)) {
	found, err := s.routes.Lookup(s.t.Context(), number)
	s.must(err)
	r := found[number]
	edit(&r)
	_, err = s.routes.Put(s.t.Context(), r)
	s.must(err)
}
