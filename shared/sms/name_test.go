package sms_test

import (
	"testing"
	"unicode/utf8"

	"quickdumpnow.com/smsrelay/shared/sms"
)

func TestFoldName(t *testing.T) {
	for name, want := range map[string]string{
		"Ann Miller":               "Ann Miller",
		"  Ann\n Miller ":          "Ann Miller",
		"José Núñez":               "José Nuñez",
		"Łukasz Żak":               "Lukasz Zak",
		"Anne-Marie O’Neill":       "Anne-Marie O'Neill",
		"Ann: the neighbour":       "Ann the neighbour",
		"A47 Ann":                  "Ann",
		"(a47) Ann":                "Ann",
		"Ann A4":                   "Ann A4",
		"Bartholomew Featherstone": "Bartholomew Feathers",
		"Bartholomewfeathers X":    "Bartholomewfeathers",
		"Анна":                     "",
		"Анна Miller":              "Miller",
		"👍 Ann":                    "Ann",
		"...":                      "",
		"":                         "",
		"Ann\u0007Miller":          "Ann Miller",
		"Ann [home]":               "Ann home",
	} {
		if got := sms.FoldName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// A header never makes a text need the alphabet of 70 characters.
func FuzzFoldName(f *testing.F) {
	f.Add("Łukasz: Żak")
	f.Add("A47")
	f.Fuzz(func(t *testing.T, name string) {
		folded := sms.FoldName(name)
		if utf8.RuneCountInString(folded) > 20 || len(folded) > 40 {
			t.Errorf("%q: %q is too long", name, folded)
		}
		for _, char := range folded {
			if !sms.IsBasic(char) || char == ':' || char == '\n' {
				t.Errorf("%q: %q has %q", name, folded, char)
			}
		}
		if again := sms.FoldName(folded); again != folded {
			t.Errorf("%q: %q, and again %q", name, folded, again)
		}
		if _, _, isTagged := sms.LeadingTag(folded); isTagged {
			t.Errorf("%q: %q looks like a tag", name, folded)
		}
	})
}
