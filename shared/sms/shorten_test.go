package sms_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// wholes are what a reader sees as one character each, made of several.
var wholes = map[string]string{
	"family":                "👨‍👩‍👧‍👦",
	"skin tone":             "👍🏽",
	"flag":                  "🇺🇸",
	"flag by tags":          "🏴󠁧󠁢󠁳󠁣󠁴󠁿",
	"keycap":                "1️⃣",
	"variation selector":    "❤️",
	"combining marks":       "e\u0301\u0323",
	"Hangul jamo":           "\u1112\u1161\u11ab",
	"syllable and its end":  "\uac00\u11a8",
	"CR LF":                 "\r\n",
	"Devanagari vowel sign": "\u0915\u093f",
	"Devanagari conjunct":   "\u0915\u094d\u0937",
	"Thai AM":               "\u0e19\u0e33",
	"half-width voice mark": "\uff76\uff9e",
	"Arabic number sign":    "\u0600\u0661",
}

func TestShortenKeepsCharactersWhole(t *testing.T) {
	for name, whole := range wholes {
		t.Run(name, func(t *testing.T) {
			text := "ab" + whole + strings.Repeat("z", 30)
			for limit := 4; limit < 4+sms.Length(whole)-1; limit++ {
				if got := sms.Shorten(text, limit); got != "ab…" {
					t.Errorf("%d: %+q, want the cut before the character", limit, got)
				}
			}
			if got := sms.Shorten(text, 3+sms.Length(whole)); got != "ab"+whole+"…" {
				t.Errorf("with room: %+q", got)
			}
		})
	}
}

func TestShortenOfFlags(t *testing.T) {
	flags := strings.Repeat("🇺🇸", 40)
	for limit := range 160 {
		kept := strings.TrimSuffix(sms.Shorten(flags, limit), "…")
		if want := max(limit-1, 0) / 4; strings.Count(kept, "🇺🇸") != want || len(kept) != want*len("🇺🇸") {
			t.Errorf("%d: %+q, want %d flags", limit, kept, want)
		}
	}
}

func TestShortenOfOneEndlessCharacter(t *testing.T) {
	for name, text := range map[string]string{
		"accents": "e" + strings.Repeat("\u0301", 70_000),
		"joiners": strings.Repeat("👩\u200d", 20_000) + "👩",
		"jamo":    strings.Repeat("\u1100", 20_000),
	} {
		if got := sms.Shorten(text, sms.MaxBody); got != "…" {
			t.Errorf("%s: %d bytes left, want the ellipsis alone", name, len(got))
		}
		if got, want := sms.Shorten("Gate "+text, sms.MaxBody), "Gate …"; got != want {
			t.Errorf("%s after a word: %d bytes left, want %q", name, len(got), want)
		}
	}
}

func TestShortenWithoutRoom(t *testing.T) {
	for limit, want := range map[int]string{-1: "", 0: "", 1: "…", 2: "a…", 3: "abc"} {
		if got := sms.Shorten("abc", limit); got != want {
			t.Errorf("%d: %q, want %q", limit, got, want)
		}
	}
}

// odd are characters whose neighbours matter; every rune of Unicode is drawn besides.
var odd = []rune("\r\n\u200d\u200c\ufe0f\u20e3🇺🇸👩👍🏽❤\u0301\u1100\u1161\u11a8\uac00\uac01" +
	"\u0915\u094d\u093c\u093f\u0600\u0d4e\u0e33\U000e0067a1 ")

func TestShortenEndsWhereACharacterDoes(t *testing.T) {
	char := rapid.OneOf(rapid.SampledFrom(odd), rapid.Rune())
	rapid.Check(t, func(t *rapid.T) {
		text, limit := string(rapid.SliceOfN(char, 0, 60).Draw(t, "text")), rapid.IntRange(0, 60).Draw(t, "limit")
		got := sms.Shorten(text, limit)
		if sms.Length(got) > limit || !utf8.ValidString(got) {
			t.Fatalf("%d units of %d, valid %v", sms.Length(got), limit, utf8.ValidString(got))
		}
		if got == text {
			return
		}
		kept, cut := strings.CutSuffix(got, "…")
		if limit > 0 && (!cut || !strings.HasPrefix(text, kept) || sms.Length(text) <= limit) {
			t.Fatalf("%+q became %+q", text, got)
		}
		if !endsCharacter(text, kept) {
			t.Fatalf("%+q was cut inside a character, to %+q", text, kept)
		}
	})
}

// TestShortenAgainstEveryCharacter holds the cut's small tables against Unicode's, of the planes that have characters.
func TestShortenAgainstEveryCharacter(t *testing.T) {
	for char := rune(1); char <= 0xe0fff; char++ {
		if char == 0x20000 {
			char = 0xe0000
		}
		if !utf8.ValidRune(char) {
			continue
		}
		for _, text := range []string{"x" + string(char) + "zz", "\u0915\u094d" + string(char) + "z", "\u1100" + string(char) + "z"} {
			for limit := 2; limit < sms.Length(text); limit++ {
				if kept := strings.TrimSuffix(sms.Shorten(text, limit), "…"); !endsCharacter(text, kept) {
					t.Fatalf("U+%04X: %+q was cut inside a character, to %+q", char, text, kept)
				}
			}
		}
	}
}

// endsCharacter reports whether kept, a start of text, ends where one of its grapheme clusters does.
func endsCharacter(text, kept string) bool {
	at := 0
	for clusters := uniseg.NewGraphemes(text); at < len(kept) && clusters.Next(); {
		_, at = clusters.Positions()
	}
	return at == len(kept)
}

func TestShortenTakesNoMoreThanItMust(t *testing.T) {
	plain := rapid.SampledFrom([]rune("abc XYZ.,!?@[]{}\nédñüжλ北京日本🙂🚚🎉"))
	rapid.Check(t, func(t *rapid.T) {
		text, limit := string(rapid.SliceOfN(plain, 10, 200).Draw(t, "text")), rapid.IntRange(2, 220).Draw(t, "limit")
		got := sms.Shorten(text, limit)
		if sms.Length(text) <= limit {
			if got != text {
				t.Fatalf("%q became %q, though it fits into %d", text, got, limit)
			}
			return
		}
		if sms.Length(got) < limit-1 {
			t.Fatalf("%d of %d units are used by %q", sms.Length(got), limit, got)
		}
	})
}
