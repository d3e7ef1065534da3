package iam

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestLike holds the matcher against one of another kind.
func TestLike(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringOf(rapid.SampledFrom([]rune("ab:é*?"))).Draw(t, "pattern")
		text := rapid.StringOf(rapid.SampledFrom([]rune("ab:é*"))).Draw(t, "text")
		form := strings.NewReplacer(`\*`, "(?s:.*)", `\?`, "(?s:.)").Replace(regexp.QuoteMeta(pattern))
		want := regexp.MustCompile("^(?:" + form + ")$").MatchString(text)
		if got := like(pattern, text); got != want {
			t.Errorf("like(%q, %q) is %v, want %v", pattern, text, got, want)
		}
	})
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
