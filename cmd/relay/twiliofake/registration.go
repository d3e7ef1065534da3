package twiliofake

import (
	"slices"
	"strings"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Registration is what a number is registered as with the carriers of the United States: for A2P 10DLC, or a toll-free number
// as verified. Twilio takes messages of other numbers to phones there, and they are not delivered.
type Registration string

// The registrations, and the error of messages to phones in the United States: for an ordinary number, and for a toll-free one.
const (
	// RegistrationVerified: the campaign, or the toll-free number, is verified. Messages are delivered. The default.
	RegistrationVerified Registration = "verified"
	// RegistrationNone: it is in no campaign. 30034, toll-free 30032.
	RegistrationNone Registration = "none"
	// RegistrationInProgress: the campaign is looked at. 30034, toll-free 30032.
	RegistrationInProgress Registration = "in_progress"
	// RegistrationConfiguring: the campaign is verified, and the carriers do not know the number yet. 30035, toll-free 30032.
	RegistrationConfiguring Registration = "configuring"
	// RegistrationFailed: the campaign was refused. 30034, toll-free 30032.
	RegistrationFailed Registration = "failed"
	// RegistrationSuspended: the campaign was suspended. 30033, toll-free 30032.
	RegistrationSuspended Registration = "suspended"
)

// Registrations returns all there are.
func Registrations() []Registration {
	return []Registration{
		RegistrationVerified, RegistrationNone, RegistrationInProgress, RegistrationConfiguring, RegistrationFailed, RegistrationSuspended,
	}
}

// IsKnown reports whether there is such a registration.
func (r Registration) IsKnown() bool { return slices.Contains(Registrations(), r) }

// Twilio's error codes of messages from numbers that are not registered.
const (
	codeTollFree     = 30032
	codeSuspended    = 30033
	codeUnregistered = 30034
	codeConfiguring  = 30035
)

// refusalOf returns the error of a message, 0 if it is delivered as far as the registration goes.
func (r Registration) refusalOf(from, to sms.PhoneNumber) int {
	switch {
	case r == RegistrationVerified || !isAmerican(from) || !isAmerican(to):
		return 0
	case isTollFree(from):
		return codeTollFree
	case r == RegistrationSuspended:
		return codeSuspended
	case r == RegistrationConfiguring:
		return codeConfiguring
	default:
		return codeUnregistered
	}
}

func isAmerican(number sms.PhoneNumber) bool {
	return strings.HasPrefix(string(number), "+1") && number.IsE164()
}

// isTollFree reports whether a number has one of the area codes that nobody pays to call.
func isTollFree(number sms.PhoneNumber) bool {
	free := []string{"800", "833", "844", "855", "866", "877", "888"}
	return len(number) == len("+18005550100") && slices.Contains(free, string(number[2:5]))
}

// registrationOf returns what a number is registered as.
func (n *numbers) registrationOf(number sms.PhoneNumber) Registration {
	n.mu.Lock()
	defer n.mu.Unlock()
	if found := n.of(number); found != nil {
		return found.Registration
	}
	return RegistrationVerified
}

// Numbers returns the account's numbers. An account without a list of numbers has those that anybody asked for.
func (s *Server) Numbers() []Number { return s.numbers.list("") }

// Register sets what a number is registered as, and reports whether the account has the number.
func (s *Server) Register(number sms.PhoneNumber, as Registration) (Number, bool) {
	defer s.bell.ring()
	s.numbers.mu.Lock()
	defer s.numbers.mu.Unlock()
	found := s.numbers.of(number)
	if found == nil {
		return Number{}, false
	}
	found.Registration = as
	return *found, true
}
