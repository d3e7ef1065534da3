package twiliofake

import (
	"slices"
	"strings"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// MessageFilter says which messages are wanted. The zero value wants all.
type MessageFilter struct {
	// From and To are the two sides, Phone is either of them.
	From, To, Phone sms.PhoneNumber
	// Direction is "inbound", or "outbound" for both kinds of it.
	Direction string
	Status    sms.Status
	// Text is anywhere in the words, the numbers or the SID, in any case.
	Text string
	// Before and After are SIDs: only messages that were made before the one, and after the other. Limit is how many, the newest of them.
	// Zero is no limit.
	Before, After string
	Limit         int
}

func (f MessageFilter) matches(m *Message) bool {
	if f.From != "" && m.From != f.From || f.To != "" && m.To != f.To || f.Status != "" && m.Status != f.Status ||
		f.Phone != "" && m.From != f.Phone && m.To != f.Phone || !strings.HasPrefix(string(m.Direction), f.Direction) {
		return false
	}
	text := strings.ToLower(f.Text)
	return text == "" || slices.ContainsFunc([]string{m.Body, string(m.From), string(m.To), m.Sid}, func(part string) bool {
		return strings.Contains(strings.ToLower(part), text)
	})
}

// FindMessages returns copies of the messages that the filter matches, the oldest first, and whether there are older ones.
func (s *Server) FindMessages(wanted MessageFilter) (found []Message, more bool) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	waiting := wanted.Before != ""
	for _, message := range slices.Backward(s.store.messages) {
		if wanted.After != "" && message.Sid == wanted.After {
			break
		}
		if waiting {
			waiting = message.Sid != wanted.Before
			continue
		}
		if !wanted.matches(message) {
			continue
		}
		if wanted.Limit > 0 && len(found) == wanted.Limit {
			more = true
			break
		}
		found = append(found, message.clone())
	}
	slices.Reverse(found)
	return found, more
}

// Phones returns everybody who has texted one of our numbers or was texted by one, in the order in which they appeared, and our
// numbers that they had to do with.
func (s *Server) Phones() (phones, numbers []sms.PhoneNumber) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	enter := func(list []sms.PhoneNumber, one sms.PhoneNumber) []sms.PhoneNumber {
		if one == "" || slices.Contains(list, one) {
			return list
		}
		return append(list, one)
	}
	for _, message := range s.store.messages {
		phones, numbers = enter(phones, message.Phone()), enter(numbers, message.Ours())
	}
	return phones, numbers
}
