package iam

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// filled draws a text that has the form of a pattern, or nearly: two drawn apart would hardly ever agree.
func filled(t *rapid.T, pattern string) string {
	letter := rapid.SampledFrom([]rune("ab:é€*"))
	var text []rune
	for _, r := range pattern {
		switch r {
		case '*':
			text = append(text, rapid.SliceOfN(letter, 0, 3).Draw(t, "any text")...)
		case '?':
			text = append(text, letter.Draw(t, "one character"))
		default:
			text = append(text, r)
		}
	}
	if len(text) > 0 && rapid.Bool().Draw(t, "nearly") {
		text[rapid.IntRange(0, len(text)-1).Draw(t, "where")] = letter.Draw(t, "another")
	}
	return string(text)
}

// TestLike holds the matcher against one of another kind.
func TestLike(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringOfN(rapid.SampledFrom([]rune("ab:é€*?*?*?")), 0, 8, -1).Draw(t, "pattern")
		text := filled(t, pattern)
		form := strings.NewReplacer(`\*`, "(?s:.*)", `\?`, "(?s:.)").Replace(regexp.QuoteMeta(pattern))
		want := regexp.MustCompile("^(?:" + form + ")$").MatchString(text)
		if got := like(pattern, text); got != want {
			t.Errorf("like(%q, %q) is %v, want %v", pattern, text, got, want)
		}
	})
}

// TestLikeHalvesNoCharacter: going on behind a *, too, each character is one.
func TestLikeHalvesNoCharacter(t *testing.T) {
	if like("*??b*", "€ba") {
		t.Error("€ was counted as two characters")
	}
}

func BenchmarkAllows(b *testing.B) {
	statement := Statement{
		Effect: "Allow", Action: oneOrMore{"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem"},
		Resource: oneOrMore{table + "/index/ByCustomer", table},
	}
	policy := make([]Statement, 10)
	for i := range policy {
		policy[i] = statement
	}
	for b.Loop() {
		if !allows(policy, "dynamodb:PutItem", table) {
			b.Fatal("not allowed")
		}
	}
}
