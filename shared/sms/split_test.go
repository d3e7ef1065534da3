package sms_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/rivo/uniseg"
	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/sms"
)

func TestSplit(t *testing.T) {
	for name, tt := range map[string]struct {
		text          string
		limit         int
		first, second string
	}{
		"it fits":                    {"one two", 7, "one two", ""},
		"at a blank":                 {"one two three", 9, "one two", "three"},
		"a blank just behind":        {"one two three", 7, "one two", "three"},
		"a blank too far before":     {"one twothreefour", 12, "one twothree", "four"},
		"a long word":                {"abcdefgh", 5, "abcde", "fgh"},
		"several blanks":             {"one two   three", 9, "one two", "three"},
		"a line":                     {"one two\nthree", 10, "one two", "three"},
		"no character is cut in two": {"abc👨‍👩‍👧‍👦d", 5, "abc", "👨‍👩‍👧‍👦d"},
	} {
		if first, second := sms.Split(tt.text, tt.limit); first != tt.first || second != tt.second {
			t.Errorf("%s: %q and %q, want %q and %q", name, first, second, tt.first, tt.second)
		}
	}
}

// Nothing but blanks is lost between the parts, the first part fits, and no character is cut in two.
func TestSplitLosesNothing(t *testing.T) {
	piece := rapid.OneOf(
		rapid.SampledFrom([]string{" ", "\n", "a", "word", "👍🏽", "👨‍👩‍👧‍👦", "🇺🇸", "e\u0301", "漢"}), rapid.StringN(0, 5, -1),
	)
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(piece, 0, 60).Draw(t, "text"), "")
		limit := rapid.IntRange(8, 80).Draw(t, "limit")
		first, second := sms.Split(text, limit)
		if sms.Length(first) > limit {
			t.Errorf("the first part is %d long, the limit %d: %q", sms.Length(first), limit, first)
		}
		gap := strings.TrimSuffix(strings.TrimPrefix(text, first), second)
		if !strings.HasPrefix(text, first) || !strings.HasSuffix(text, second) || second != "" && strings.TrimFunc(gap, unicode.IsSpace) != "" {
			t.Fatalf("%q is %q and %q", text, first, second)
		}
		if second == "" {
			return
		}
		cut := len(text) - len(second)
		for graphemes := uniseg.NewGraphemes(text); graphemes.Next(); {
			if from, to := graphemes.Positions(); from < cut && cut < to && from > 0 {
				t.Errorf("%q is cut in two", graphemes.Str())
			}
		}
	})
}
