package conversation

import (
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"

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
	if len(t) < 3 || len(t) > 2+MaxTagDigits || !hasTagForm(string(t)) || letterValues[t[0]-'A'] == '-' {
		return false
	}
	last := len(t) - 1
	return checkDigit(string(t[:last])) == t[last]
}

// hasTagForm reports whether a word is a capital letter and two digits or more.
func hasTagForm(word string) bool {
	if len(word) < 3 || word[0] < 'A' || word[0] > 'Z' {
		return false
	}
	return strings.Trim(word[1:], "0123456789") == ""
}

// aroundTag may be around a tag, with blanks, and belongs neither to it nor to the words behind it.
const aroundTag = "#:;,.!-–—()[]*"

// Leading takes a tag off the beginning of what a person wrote: "#a47 - at three" is A47 and "at three". The case of the letter, and
// marks and blanks around the tag, do not matter. isTagged is true if the first word has the form of a tag; it may not be a valid one.
// Without it, tag is empty and words is body.
func Leading(body string) (tag Tag, words string, isTagged bool) {
	rest := trimAround(body)
	end := strings.IndexFunc(rest, func(char rune) bool { return !isASCIIAlphanumeric(char) })
	if end < 0 {
		end = len(rest)
	}
	word := strings.ToUpper(rest[:end])
	if !hasTagForm(word) || !ends(rest[end:]) {
		return "", body, false
	}
	return Tag(word), trimAround(rest[end:]), true
}

// ends reports whether a word may end before rest: what follows neither continues it, as in A47's, nor makes it part of a number,
// as in B12.5.
func ends(rest string) bool {
	first, size := utf8.DecodeRuneInString(rest)
	second, _ := utf8.DecodeRuneInString(rest[size:])
	switch {
	case rest == "":
		return true
	case unicode.IsLetter(first), unicode.IsDigit(first), unicode.IsMark(first):
		return false
	case first == '\'' || first == '’':
		return !unicode.IsLetter(second)
	case first == '.' || first == ',' || first == '/':
		return !unicode.IsDigit(second)
	}
	return true
}

// trimAround takes blanks, marks around a tag, and characters without a shape off both ends of the beginning of a text, and blanks
// off its end.
func trimAround(text string) string {
	text = strings.TrimLeftFunc(text, func(char rune) bool {
		return sms.IsBlank(char) || strings.ContainsRune(aroundTag, char)
	})
	return strings.TrimRightFunc(text, unicode.IsSpace)
}

func isASCIIAlphanumeric(char rune) bool {
	return char < utf8.RuneSelf && (unicode.IsLetter(char) || unicode.IsDigit(char))
}
