package sms

import (
	"slices"
	"strings"
	"unicode"
)

// maxName is how many characters of a name a header shows.
const maxName = 20

// folded are letters that an SMS would need another alphabet for, each with what it is written as.
const folded = "áa âa ãa āa ăa ąa ćc čc ĉc ďd đd êe ëe ēe ėe ęe ěe ğg ģg ĝg ĥh íi îi ïi īi įi ıi ĵj ķk ĺl ļl ľl łl ńn ņn ňn óo " +
	"ôo õo ōo őo ŕr řr śs şs šs șs ţt ťt țt ûu úu ūu ůu űu ųu ŵw ýy ÿy źz żz žz çc ÁA ÂA ÃA ÀA ĀA ĂA ĄA ĆC ČC ĎD ĐD " +
	"ÊE ËE ÈE ĒE ĖE ĘE ĚE ĞG ĢG ÍI ÎI ÏI ÌI İI ĪI ĶK ĹL ĻL ĽL ŁL ŃN ŅN ŇN ÓO ÔO ÕO ÒO ŌO ŐO ŔR ŘR ŚS ŞS ŠS ȘS ŢT ŤT " +
	"ȚT ÛU ÚU ÙU ŪU ŮU ŰU ŲU ŴW ÝY ŸY ŹZ ŻZ ŽZ ‘' ’' ‐- ‑- –-"

// FoldName returns a name as headers show it: in the alphabet of an SMS of 160 characters, with at most 20 of them, on one line,
// without colons, and without words that look like tags. It is empty if nothing is left.
func FoldName(name string) string {
	isBetween := func(char rune) bool { return unicode.IsSpace(char) || char == ':' }
	letters := []rune(strings.Join(nameWords(strings.FieldsFunc(strings.Map(foldLetter, name), isBetween)), " "))
	return strings.Join(nameWords(strings.Fields(string(letters[:min(len(letters), maxName)]))), " ")
}

// nameWords are those words that can be in a name.
func nameWords(words []string) []string {
	return slices.DeleteFunc(words, func(word string) bool {
		_, _, isTag := LeadingTag(word)
		return isTag || strings.Trim(word, ".,;-'") == ""
	})
}

// foldLetter writes a letter in the alphabet of an SMS; -1 if it cannot be written there.
func foldLetter(char rune) rune {
	switch {
	case unicode.IsSpace(char), unicode.IsControl(char):
		return ' '
	case IsBasic(char):
		return char
	}
	if at := strings.Index(folded, string(char)); at >= 0 {
		return rune(folded[at+len(string(char))])
	}
	return -1
}
