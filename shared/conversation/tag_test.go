package conversation_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"quickdumpnow.com/smsrelay/shared/conversation"
)

// A typo must not address another customer.
func TestNoTypoGivesAnotherTag(t *testing.T) {
	near := neighbours()
	for digits := 1; digits <= 3; digits++ {
		for tag := range conversation.Tags(digits) {
			if !tag.IsValid() {
				t.Fatalf("%s is not valid", tag)
			}
			for i := 1; i < len(tag); i++ {
				for digit := byte('0'); digit <= '9'; digit++ {
					if typo := tag[:i] + conversation.Tag(digit) + tag[i+1:]; typo != tag && typo.IsValid() {
						t.Errorf("%s is valid as well as %s", typo, tag)
					}
				}
			}
			for _, letter := range near[tag[0]] {
				if typo := conversation.Tag(letter) + tag[1:]; typo.IsValid() {
					t.Errorf("%s is valid as well as %s", typo, tag)
				}
			}
		}
	}
}

// neighbours are the letters next to each, on keyboards, on the keys of a phone, and in the alphabet.
func neighbours() map[byte]string {
	near := map[byte]string{}
	link := func(a, b byte) {
		if a != b {
			near[a], near[b] = near[a]+string(b), near[b]+string(a)
		}
	}
	const rows = "ABCDEFGHIJKLMNOPQRSTUVWXYZ QWERTYUIOP ASDFGHJKL ZXCVBNM QWERTZUIOP YXCVBNM AZERTYUIOP QSDFGHJKLM WXCVBN"
	for _, row := range strings.Fields(rows) {
		for i := range len(row) - 1 {
			link(row[i], row[i+1])
		}
	}
	for _, key := range strings.Fields("ABC DEF GHI JKL MNO PQRS TUV WXYZ QA WAS ESD RDF TFG YGH UHJ JK KL AZ SZX DXC FCV GVB HBN JNM KM") {
		for i := range len(key) {
			for j := range i {
				link(key[i], key[j])
			}
		}
	}
	return near
}

func TestTags(t *testing.T) {
	for digits, want := range map[int]int{1: 240, 2: 2400} {
		seen := map[conversation.Tag]bool{}
		for tag := range conversation.Tags(digits) {
			seen[tag] = true
		}
		if len(seen) != want {
			t.Errorf("%d tags of %d digits, want %d", len(seen), digits, want)
		}
	}
	for tag, want := range map[conversation.Tag]bool{
		"A47": true, "B73": true, "A48": false, "I47": false, "O47": false, "a47": false, "A4": false, "": false,
		"A4x": false, "47A": false, "A47 ": false,
		"A1234567": false, "Ä47": false,
	} {
		if tag.IsValid() != want {
			t.Errorf("%q is valid: %v, want %v", tag, !want, want)
		}
	}
}

func TestLeading(t *testing.T) {
	for body, want := range map[string]struct {
		tag   conversation.Tag
		words string
	}{
		"A47 at three":         {"A47", "at three"},
		"a47: at three":        {"A47", "at three"},
		"#A47 at three":        {"A47", "at three"},
		" (A47) - at three ":   {"A47", "at three"},
		"A47\nat three":        {"A47", "at three"},
		"A47,at three":         {"A47", "at three"},
		"A47":                  {"A47", ""},
		"A47!":                 {"A47", ""},
		"A47?":                 {"A47", "?"},
		"A47 $50":              {"A47", "$50"},
		"A47 👍":                {"A47", "👍"},
		"\u200eA47 at three":   {"A47", "at three"},
		"A99 at three":         {"A99", "at three"},
		"I25 is closed":        {"I25", "is closed"},
		"A47 A47":              {"A47", "A47"},
		"A47.":                 {"A47", ""},
		"A47. At three":        {"A47", "At three"},
		"A47's gate":           {"", "A47's gate"},
		"A47.5 tons":           {"", "A47.5 tons"},
		"B12/14 is the door":   {"", "B12/14 is the door"},
		"A4 paper":             {"", "A4 paper"},
		"A47x":                 {"", "A47x"},
		"At three, A47":        {"", "At three, A47"},
		"1400 Elm St":          {"", "1400 Elm St"},
		"Yes":                  {"", "Yes"},
		"":                     {"", ""},
		"  Yes":                {"", "  Yes"},
		"A 47":                 {"", "A 47"},
		"A47é":                 {"", "A47é"},
		strings.Repeat("A", 9): {"", strings.Repeat("A", 9)},
	} {
		tag, words, isTagged := conversation.Leading(body)
		if tag != want.tag || words != want.words || isTagged != (want.tag != "") {
			t.Errorf("%q: %q, %q, %v; want %q, %q", body, tag, words, isTagged, want.tag, want.words)
		}
	}
}

func FuzzLeading(f *testing.F) {
	f.Add("#A47: at three")
	f.Add("\u200e(a4")
	f.Fuzz(func(t *testing.T, body string) {
		tag, words, isTagged := conversation.Leading(body)
		switch {
		case !isTagged && (tag != "" || words != body):
			t.Errorf("%q: %q, %q without a tag", body, tag, words)
		case isTagged && !strings.HasSuffix(strings.TrimRight(body, " "), words) && utf8.ValidString(body) && !strings.Contains(body, words):
			t.Errorf("%q: words %q are not in it", body, words)
		}
	})
}
