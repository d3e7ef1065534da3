package conversation_test

import (
	"testing"
	"unicode/utf8"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

func TestHeader(t *testing.T) {
	const customer sms.PhoneNumber = "+13125550147"
	for _, tt := range []struct {
		tag      conversation.Tag
		name     string
		customer sms.PhoneNumber
		brief    bool
		want     string
	}{
		{"A47", "Ann Miller", customer, false, "A47 Ann Miller +13125550147: "},
		{"A47", "", customer, false, "A47 +13125550147: "},
		{"A47", "Ann Miller", customer, true, "A47 Ann: "},
		{"A47", "", customer, true, "A47: "},
		{"", "", "22395", false, "From 22395: "},
		{"", "", "22395", true, "From 22395: "},
	} {
		if got := conversation.Header(tt.tag, tt.name, tt.customer, tt.brief); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt, got, tt.want)
		}
	}
}

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
		if got := conversation.FoldName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// A header never makes a text need the alphabet of 70 characters.
func FuzzFoldName(f *testing.F) {
	f.Add("Łukasz: Żak")
	f.Add("A47")
	f.Fuzz(func(t *testing.T, name string) {
		folded := conversation.FoldName(name)
		if utf8.RuneCountInString(folded) > 20 || len(folded) > 40 {
			t.Errorf("%q: %q is too long", name, folded)
		}
		for _, char := range folded {
			if !sms.IsBasic(char) || char == ':' || char == '\n' {
				t.Errorf("%q: %q has %q", name, folded, char)
			}
		}
		if again := conversation.FoldName(folded); again != folded {
			t.Errorf("%q: %q, and again %q", name, folded, again)
		}
		if _, _, isTagged := conversation.Leading(folded); isTagged {
			t.Errorf("%q: %q looks like a tag", name, folded)
		}
	})
}
