package conversation

import (
	"slices"
	"strings"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Header is what a text to a phone on duty begins with. It says which conversation the text is of:
//
//	A47 Ann Miller +13125550147:
//	A47 +13125550147:
//	A47 Ann:
//	A47:
//
// The brief forms are for a phone that was sent another text of the conversation not long before. name may be empty. A customer
// without a tag, such as a short code, has the header "From 22395:".
func Header(tag Tag, name string, customer sms.PhoneNumber, isBrief bool) string {
	switch {
	case tag == "":
		return "From " + string(customer) + ": "
	case isBrief && name == "":
		return string(tag) + ": "
	case isBrief:
		return string(tag) + " " + firstName(name) + ": "
	case name == "":
		return string(tag) + " " + string(customer) + ": "
	}
	return string(tag) + " " + name + " " + string(customer) + ": "
}

// maxHeader is longer than any header.
const maxHeader = 64

// WithoutHeader takes off a header that a text begins with, whichever conversation it is of.
func WithoutHeader(body string) string {
	header, words, found := strings.Cut(body, ": ")
	if !found || len(header) > maxHeader {
		return body
	}
	if first, _, _ := strings.Cut(header, " "); first != "From" && !Tag(first).IsValid() {
		return body
	}
	return words
}

// ShownBy returns what the header that a text begins with shows of its conversation: the tag, and the customer's number unless it is brief.
// Both are empty if the text has no header.
func ShownBy(body string) (tag Tag, customer sms.PhoneNumber) {
	if WithoutHeader(body) == body {
		return "", ""
	}
	header, _, _ := strings.Cut(body, ": ")
	fields := strings.Fields(header)
	if Tag(fields[0]).IsValid() {
		tag = Tag(fields[0])
	}
	if last := fields[len(fields)-1]; tag == "" || hasNumber(last+":") {
		customer = sms.PhoneNumber(last)
	}
	return tag, customer
}

// hasNumber reports whether words begin like a header that shows a number. A person may have copied it, and its number is none of the
// customer's business.
func hasNumber(words string) bool {
	header, _, found := strings.Cut(words, ":")
	if !found || len(header) > maxHeader {
		return false
	}
	return slices.ContainsFunc(strings.Fields(header), func(field string) bool {
		digits, isNumber := strings.CutPrefix(field, "+")
		return isNumber && len(digits) >= leastDigits && strings.Trim(digits, "0123456789") == ""
	})
}

// leastDigits is how many digits a telephone number has at least, with its country.
const leastDigits = 7

// firstName is the first word of a name.
func firstName(name string) string {
	first, _, _ := strings.Cut(name, " ")
	return first
}

// withoutHeader takes a header of the conversation off what follows its tag in a text of a phone: "Ann: at three" is "at three". A
// person who copies a text of ours into his answer would show the customer our names for him otherwise.
func (e Exchange) withoutHeader(words string) string {
	for _, name := range append([]string{e.Name}, e.Former...) {
		for _, isBrief := range []bool{false, true} {
			_, rest, _ := strings.Cut(Header(e.Tag, name, e.Customer, isBrief), " ")
			rest = strings.TrimSpace(rest)
			if after, found := cutPrefixFold(words, rest); found && rest != "" {
				return strings.TrimSpace(after)
			}
		}
	}
	return words
}

// formerFor returns the former names once the customer is called otherwise.
func (e Exchange) formerFor(name string) []string {
	if e.Name == "" || e.Name == name {
		return e.Former
	}
	former := slices.DeleteFunc(slices.Clone(e.Former), func(old string) bool { return old == e.Name })
	former = slices.Insert(former, 0, e.Name)
	return former[:min(len(former), maxFormer)]
}

// cutPrefixFold is strings.CutPrefix without regard to case.
func cutPrefixFold(text, prefix string) (after string, found bool) {
	if len(text) < len(prefix) || !strings.EqualFold(text[:len(prefix)], prefix) {
		return text, false
	}
	return text[len(prefix):], true
}
