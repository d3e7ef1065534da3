package twiliofake

import (
	"maps"
	"slices"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// OptOut is a phone that one of our numbers may not text any more: Twilio refuses such messages with 21610.
type OptOut struct {
	Number sms.PhoneNumber `json:"number"`
	Phone  sms.PhoneNumber `json:"phone"`
	// Word is what the phone texted, such as STOP, or "" if it was set by hand.
	Word string    `json:"word"`
	At   time.Time `json:"at"`
}

// heed does what Twilio does with its default keywords, alone in a text, in any case: it remembers who has opted out, and replies if
// Config.KeywordReplies says so.
func (s *Server) heed(text Message) {
	word := strings.ToUpper(strings.TrimSpace(text.Body))
	wasOut := s.hasOptedOut(text.To, text.From)
	reply := ""
	switch word {
	case "STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL":
		s.store.setOptOut(OptOut{Number: text.To, Phone: text.From, Word: word, At: s.cfg.Now().UTC()})
		if !wasOut {
			reply = stopReply(text.To, word)
		}
	case "START", "YES", "UNSTOP":
		for _, number := range s.together(text.To) {
			s.OptIn(number, text.From)
		}
		if wasOut {
			reply = startReply(text.To, word)
		}
	case "HELP", "INFO":
		if !wasOut {
			reply = helpReply
		}
	}
	if reply != "" && s.cfg.KeywordReplies {
		s.accept(Message{
			AccountSid: s.cfg.AccountSid, From: text.To, To: text.From, Body: reply, Direction: DirectionOutboundReply,
		})
	}
}

const helpReply = "Reply STOP to unsubscribe. Msg&Data Rates May Apply."

// stopReply is what a phone gets that opts out: of a toll-free number from the network, of others from Twilio.
func stopReply(number sms.PhoneNumber, word string) string {
	if isTollFree(number) && word == "STOP" {
		return `NETWORK MSG: You replied with the word "stop" which blocks all texts sent from this number. Text back "unstop" to receive ` +
			`messages again.`
	}
	return "You have successfully been unsubscribed. You will not receive any more messages from this number. Reply START to resubscribe."
}

// startReply is what a phone gets that opts in again.
func startReply(number sms.PhoneNumber, word string) string {
	if isTollFree(number) && word != "YES" {
		return `NETWORK MSG: You have replied "` + strings.ToLower(word) + `" and will begin receiving messages again from this number.`
	}
	return "You have successfully been re-subscribed to messages from this number. Reply HELP for help. Reply STOP to unsubscribe. " +
		"Msg&Data Rates May Apply."
}

// OptOuts returns the phones that have opted out, by number and phone.
func (s *Server) OptOuts() []OptOut {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	byNumbers := make(map[string]OptOut, len(s.store.optedOut))
	for _, one := range s.store.optedOut {
		byNumbers[string(one.Number+" "+one.Phone)] = one
	}
	all := make([]OptOut, 0, len(byNumbers))
	for _, numbers := range slices.Sorted(maps.Keys(byNumbers)) {
		all = append(all, byNumbers[numbers])
	}
	return all
}

// OptOut has a phone opt out of a number's messages, as if it had texted STOP, without a text.
func (s *Server) OptOut(number, phone sms.PhoneNumber) {
	s.store.setOptOut(OptOut{Number: number, Phone: phone, At: s.cfg.Now().UTC()})
}

// OptIn lets a number text a phone again, and reports whether it could not before.
func (s *Server) OptIn(number, phone sms.PhoneNumber) bool {
	defer s.bell.ring()
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	numbers := pair{ours: number, phone: phone}
	_, found := s.store.optedOut[numbers]
	delete(s.store.optedOut, numbers)
	return found
}

func (st *store) setOptOut(one OptOut) {
	defer st.bell.ring()
	st.mu.Lock()
	defer st.mu.Unlock()
	st.optedOut[pair{ours: one.Number, phone: one.Phone}] = one
}

func (st *store) hasOptedOut(numbers pair) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	_, found := st.optedOut[numbers]
	return found
}
