package route

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Phone is a phone of a route that has a name.
type Phone struct {
	// Name is by what people call the phone, as [PhoneName] writes it. It is unique in its route, whatever the case of its letters.
	Name string
	// Number is where the phone gets its texts.
	Number sms.PhoneNumber
	// Also are further numbers of the same person, whose texts count as the phone's. Nothing is sent there.
	Also []sms.PhoneNumber `json:",omitempty"`
}

// MaxPhones is how many named phones a route has at most, MaxAlso how many further numbers one of them has.
const (
	MaxPhones = 50
	MaxAlso   = 5
)

// PhoneName returns the name of a phone as it is kept: as customers' names are, see [sms.FoldName].
func PhoneName(name string) string { return sms.FoldName(name) }

// NameOf returns the name of the phone with that number, or with it among its further numbers; empty if it has none.
func (r Route) NameOf(number sms.PhoneNumber) string {
	for _, p := range r.Phones {
		if sms.Same(p.Number, number) || isAmong(p.Also, number) {
			return p.Name
		}
	}
	return ""
}

// PhoneNamed returns the phone with that name, whatever the case of its letters. The beginning of a name is not a name.
func (r Route) PhoneNamed(name string) (p Phone, ok bool) {
	i := slices.IndexFunc(r.Phones, func(p Phone) bool { return strings.EqualFold(p.Name, name) })
	if i < 0 {
		return Phone{}, false
	}
	return r.Phones[i], true
}

// Resolve returns the number of a phone that a setting names by its name or its number; ok is false if no phone has the name.
func (r Route) Resolve(who string) (number sms.PhoneNumber, ok bool) {
	if strings.HasPrefix(who, "+") {
		return sms.PhoneNumber(who), true
	}
	p, ok := r.PhoneNamed(who)
	return p.Number, ok
}

// OwnerPhone returns the number of the owner's phone, empty if the route has none.
func (r Route) OwnerPhone() sms.PhoneNumber {
	number, _ := r.Resolve(r.Owner)
	return number
}

// Receivers returns the phones that customers' texts may go to, once each: the hops, then those of the schedule.
func (r Route) Receivers() []sms.PhoneNumber {
	all := r.Hops()
	for _, number := range r.numbersOf(r.scheduled()) {
		if !isAmong(all, number) {
			all = append(all, number)
		}
	}
	return all
}

// AllPhones returns every phone that the number may send texts to, once each: the receivers, then the named phones, then the owner's.
func (r Route) AllPhones() []sms.PhoneNumber {
	all := r.Receivers()
	add := func(number sms.PhoneNumber) {
		if number != "" && !isAmong(all, number) {
			all = append(all, number)
		}
	}
	for _, p := range r.Phones {
		add(p.Number)
	}
	add(r.OwnerPhone())
	return all
}

// IsPhone reports whether number is a phone of the route's number, in any spelling: one that it may send texts to, or a further number
// of one. What it writes to the number is an answer.
func (r Route) IsPhone(number sms.PhoneNumber) bool {
	if isAmong(r.AllPhones(), number) {
		return true
	}
	return slices.ContainsFunc(r.Phones, func(p Phone) bool { return isAmong(p.Also, number) })
}

// PhoneOf returns the phone whose text one from number is: the named phone that has it among its further numbers, or number itself.
func (r Route) PhoneOf(number sms.PhoneNumber) sms.PhoneNumber {
	for _, p := range r.Phones {
		if isAmong(p.Also, number) {
			return p.Number
		}
	}
	return number
}

// isAmong reports whether number is one of all, in any spelling.
func isAmong(all []sms.PhoneNumber, number sms.PhoneNumber) bool {
	return slices.ContainsFunc(all, func(other sms.PhoneNumber) bool { return sms.Same(other, number) })
}

// phoneProblems finds what is wrong with the names and the number of named phones, and with the owner.
func (r Route) phoneProblems() []error {
	var problems []error
	if len(r.Phones) > MaxPhones {
		problems = append(problems, fmt.Errorf("%s has %d phones, at most %d", "Phones", len(r.Phones), MaxPhones))
	}
	names := map[string]bool{}
	for i, p := range r.Phones {
		if problem := nameProblem(p.Name); problem != "" {
			problems = append(problems, fmt.Errorf("Phones[%d].Name %s", i, problem))
		}
		if len(p.Also) > MaxAlso {
			problems = append(problems, fmt.Errorf("Phones[%d].Also has %d numbers, at most %d", i, len(p.Also), MaxAlso))
		}
		if folded := strings.ToLower(p.Name); names[folded] {
			problems = append(problems, fmt.Errorf("Phones[%d].Name is the name of another phone, too", i))
		} else {
			names[folded] = true
		}
	}
	if _, ok := r.Resolve(r.Owner); r.Owner != "" && !ok {
		problems = append(problems, errors.New("Owner is neither a number nor the name of one of Phones")) //nolint:staticcheck // a field's name.
	}
	return problems
}

// nameProblem says what is wrong with a phone's name, without the name.
func nameProblem(name string) string {
	switch {
	case name == "":
		return "is missing"
	case strings.HasPrefix(name, "/"):
		return "begins with /, as a command does"
	case PhoneName(name) != name:
		return "is not written as a text shows it: at most 20 letters of a short text message, no colon, no word that looks like a tag"
	case !strings.ContainsFunc(name, unicode.IsLetter):
		return "has no letter"
	}
	return ""
}

// phoneRepeats finds numbers that two phones have, and those that cannot be a phone.
func (r Route) phoneRepeats() []error {
	var problems []error
	seen := map[sms.PhoneNumber]bool{}
	for _, p := range r.Phones {
		for _, number := range append([]sms.PhoneNumber{p.Number}, p.Also...) {
			switch {
			case number == "":
				continue
			case sms.Same(number, r.TwilioNumber):
				problems = append(problems, fmt.Errorf("phone %s is the Twilio number itself: texts would go round in a loop", number))
			case seen[number.Key()]:
				problems = append(problems, fmt.Errorf("phone %s is listed twice", number))
			}
			seen[number.Key()] = true
		}
	}
	for _, number := range r.AllPhones() {
		if main := r.PhoneOf(number); main != number {
			problems = append(problems, fmt.Errorf("%s is a further number of %s: texts go to %s", number, r.NameOf(number), main))
		}
	}
	for _, number := range append(r.numbersOf(r.scheduled()), r.OwnerPhone()) {
		if number != "" && sms.Same(number, r.TwilioNumber) {
			problems = append(problems, fmt.Errorf("phone %s is the Twilio number itself: texts would go round in a loop", number))
			break
		}
	}
	return problems
}

// everyNumber returns the phones of the route and their further numbers.
func (r Route) everyNumber() []sms.PhoneNumber {
	all := r.AllPhones()
	for _, p := range r.Phones {
		all = append(all, p.Also...)
	}
	return all
}

// Renamed returns the route in which all that names a phone by its old name does so by the new one.
func (r Route) Renamed(from, to string) Route {
	rename := func(whos []string) []string {
		renamed := slices.Clone(whos)
		for i, who := range whos {
			if strings.EqualFold(who, from) {
				renamed[i] = to
			}
		}
		return renamed
	}
	if r.Owner != "" {
		r.Owner = rename([]string{r.Owner})[0]
	}
	r.Schedule, r.Overrides, r.NightPhones = slices.Clone(r.Schedule), slices.Clone(r.Overrides), rename(r.NightPhones)
	for i, s := range r.Schedule {
		r.Schedule[i].Phones = rename(s.Phones)
	}
	for i, o := range r.Overrides {
		r.Overrides[i].Phones = rename(o.Phones)
	}
	return r
}

// GetsTexts reports whether customers' texts may go to the phone: it is a hop, or in the schedule.
func (r Route) GetsTexts(number sms.PhoneNumber) bool { return isAmong(r.Receivers(), number) }

// Without returns the route without the name of a phone. The error says what still needs the name.
func (r Route) Without(name string) (Route, error) {
	if r.Owner != "" && strings.EqualFold(r.Owner, name) {
		return r, fmt.Errorf("%s is the owner", name)
	}
	if slices.ContainsFunc(r.scheduled(), func(who string) bool { return strings.EqualFold(who, name) }) {
		return r, fmt.Errorf("%s is in the schedule", name)
	}
	r.Phones = slices.DeleteFunc(slices.Clone(r.Phones), func(p Phone) bool { return strings.EqualFold(p.Name, name) })
	return r, nil
}
