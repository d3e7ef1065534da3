package conversation

import (
	"iter"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Tag is how a person on duty addresses a conversation: a letter, one digit or more, and a check digit, such as A47. The letters I and
// O are not used, because they look like digits. No single wrong digit, and no letter next to the right one, gives another valid tag.
type Tag string

// MaxTagDigits bounds the digits of a tag, without its check digit.
const MaxTagDigits = 5

// letterValues are what the letters count in the check digit, from A to Z. Letters that are neighbours in the alphabet, on a keyboard,
// or on one key of a phone differ.
const letterValues = "52056416-71239-04827831390"

// weights are what the digits count in the check digit, from the first. Each has an inverse modulo 10, so that one wrong digit always
// shows.
const weights = "37937"

// Tags yields all tags of that many digits, without the check digit: 24 times ten to the power of digits.
func Tags(digits int) iter.Seq[Tag] {
	return func(yield func(Tag) bool) {
		for letter := 'A'; letter <= 'Z'; letter++ {
			if letterValues[letter-'A'] == '-' {
				continue
			}
			for n := range pow10(digits) {
				written := make([]byte, digits)
				for i := digits - 1; i >= 0; i-- {
					written[i], n = byte('0'+n%10), n/10
				}
				head := string(letter) + string(written)
				if !yield(Tag(head + string(checkDigit(head)))) {
					return
				}
			}
		}
	}
}

func pow10(n int) int {
	power := 1
	for range n {
		power *= 10
	}
	return power
}

// checkDigit returns the check digit of a tag's letter and digits, which must have the form of a tag's.
func checkDigit(head string) byte {
	sum := int(letterValues[head[0]-'A'] - '0')
	for i, digit := range []byte(head[1:]) {
		sum += int(digit-'0') * int(weights[i]-'0')
	}
	return byte('0' + sum%10)
}

// IsValid reports whether the tag is one that can be given out.
func (t Tag) IsValid() bool {
	if len(t) < 3 || len(t) > 2+MaxTagDigits || !sms.HasTagForm(string(t)) || letterValues[t[0]-'A'] == '-' {
		return false
	}
	last := len(t) - 1
	return checkDigit(string(t[:last])) == t[last]
}

// Leading takes a tag off the beginning of what a person wrote, as [sms.LeadingTag] does: "#a47 - at three" is A47 and "at three". The
// tag may not be a valid one.
func Leading(body string) (tag Tag, words string, isTagged bool) {
	word, words, isTagged := sms.LeadingTag(body)
	return Tag(word), words, isTagged
}
