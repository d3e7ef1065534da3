package sms_test

import (
	"strings"
	"testing"

	"quickdumpnow.com/smsrelay/shared/sms"
)

func TestSegments(t *testing.T) {
	tests := []struct {
		name string
		body string
		want int
	}{
		{"empty", "", 1},
		{"GSM-7 of 160", strings.Repeat("a", 160), 1},
		{"GSM-7 of 161", strings.Repeat("a", 161), 2},
		{"GSM-7 of 306", strings.Repeat("a", 306), 2},
		{"GSM-7 of 307", strings.Repeat("a", 307), 3},
		{"every basic character", "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ " +
			"!\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà", 1},
		{"every extended character", "\f^{}\\[~]|€" + strings.Repeat("a", 140), 1},
		{"and one more septet", "\f^{}\\[~]|€" + strings.Repeat("a", 141), 2},
		{"80 euro signs fill 160 septets", strings.Repeat("€", 80), 1},
		{"81 euro signs do not", strings.Repeat("€", 81), 2},
		{"no escape is cut from its character", strings.Repeat("€", 153), 3},
		{"the backtick is not in GSM-7", "`" + strings.Repeat("a", 70), 2},
		{"the tab is not in GSM-7", "\t" + strings.Repeat("a", 70), 2},
		{"small c with cedilla is not in GSM-7", strings.Repeat("ç", 70), 1},
		{"UCS-2 of 71", strings.Repeat("ç", 71), 2},
		{"UCS-2 of 134", strings.Repeat("ç", 134), 2},
		{"UCS-2 of 135", strings.Repeat("ç", 135), 3},
		{"an emoji is two units", strings.Repeat("👍", 35), 1},
		{"36 of them are 72", strings.Repeat("👍", 36), 2},
		{"no emoji is cut in two", strings.Repeat("👍", 67), 3},
		{"a typographic quote makes it UCS-2", "’" + strings.Repeat("a", 69), 1},
		{"and counts all in UTF-16", "’" + strings.Repeat("a", 70), 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := sms.Segments(test.body); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

// FuzzSegments holds the count against the bounds that any body has.
func FuzzSegments(f *testing.F) {
	f.Add("hello")
	f.Add(strings.Repeat("👍€", 100))
	f.Fuzz(func(t *testing.T, body string) {
		got, runes := sms.Segments(body), len([]rune(body))
		if got < 1 || got > 1+runes/33 {
			t.Errorf("%d segments for %d characters", got, runes)
		}
		if longer := sms.Segments(body + "a"); longer < got || longer > got+1 {
			t.Errorf("%d segments, and %d with one letter more", got, longer)
		}
	})
}

func BenchmarkSegments(b *testing.B) {
	for name, body := range map[string]string{
		"ascii": strings.Repeat("From +16195550123: sofa. ", 10),
		"ucs2":  strings.Repeat("Диван и холодильник. ", 10),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				sms.Segments(body)
			}
		})
	}
}
