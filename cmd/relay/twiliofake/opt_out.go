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

// heed remembers what an inbound text means for opting out: Twilio's default keywords, alone in the text, in any case.
func (s *Server) heed(text Message) {
	switch word := strings.ToUpper(strings.TrimSpace(text.Body)); word {
	case "STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL":
		s.store.setOptOut(OptOut{Number: text.To, Phone: text.From, Word: word, At: s.cfg.Now().UTC()})
	case "START", "YES", "UNSTOP":
		s.OptIn(text.To, text.From)
	}
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
