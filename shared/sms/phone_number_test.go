package sms_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/sms"
)

func TestMask(t *testing.T) {
	tests := []struct {
		name    string
		address sms.PhoneNumber
		want    string
	}{
		{"no address", "", ""},
		{"E.164", "+18585550100", "***0100"},
		{"shortest E.164", "+18585550", "***5550"},
		{"channel", "whatsapp:+18585550100", "whatsapp:***0100"},
		{"channel of names", "rcs:quickdump_agent", "rcs:***gent"},
		{"channel of a short name", "rcs:agent", "rcs:***nt"},
		{"channel alone", "whatsapp:", "whatsapp:***"},
		{"user name with a colon", "sip:user:secret@example.com", "sip:***.com"},
		{"short code of five digits", "24365", "***65"},
		{"short code of six digits", "243651", "***51"},
		{"seven characters", "1234567", "***67"},
		{"eight characters", "12345678", "***5678"},
		{"three characters", "abc", "***bc"},
		{"two characters", "ab", "***"},
		{"one character", "a", "***"},
		{"name", "QuickDump", "***Dump"},
		{"colon alone", ":", ":***"},
		{"wide characters", "Größenwahn", "***wahn"},
		{"four wide characters", "🙂🙃🙂🙃", "***🙂🙃"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.address.Mask(); got != tt.want {
				t.Errorf("Mask() of %q = %q, want %q", string(tt.address), got, tt.want)
			}
		})
	}
}

// TestMaskCountsCharacters: a name is as long as its characters are many, not its bytes.
func TestMaskCountsCharacters(t *testing.T) {
	if got, want := sms.PhoneNumber("äöüäö").Mask(), "***äö"; got != want {
		t.Errorf("Mask() of five characters = %q, want %q: of fewer than eight, two are shown", got, want)
	}
}

// TestMaskTakesNoNumberForAChannel: only the name of a channel stays unmasked before the colon.
func TestMaskTakesNoNumberForAChannel(t *testing.T) {
	for _, address := range []sms.PhoneNumber{"+18585550100:1", "18585550100:", "+1 858 555 0100: call me"} {
		if got := address.Mask(); strings.Contains(got, "858") {
			t.Errorf("Mask() of %q = %q shows the number", string(address), got)
		}
	}
}

func TestMaskHidesAllButFourDigits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		channel := rapid.SampledFrom([]string{"", "whatsapp:", "messenger:"}).Draw(t, "channel")
		digits := rapid.StringMatching(`[1-9][0-9]{7,14}`).Draw(t, "digits")
		got := sms.PhoneNumber(channel + "+" + digits).Mask()
		if want := channel + "***" + digits[len(digits)-4:]; got != want {
			t.Errorf("Mask() = %q, want %q", got, want)
		}
	})
}

func TestMaskOfAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		address := rapid.String().Draw(t, "address")
		got := sms.PhoneNumber(address).Mask()
		if _, plain, found := strings.Cut(address, ":"); !found && address != "" {
			if shown := strings.TrimPrefix(got, "***"); shown == got || len([]rune(shown)) > 4 || !strings.HasSuffix(address, shown) {
				t.Errorf("Mask() of %q = %q, want *** and at most its last four characters", plain, got)
			}
		}
	})
}

// logged returns a log line with the attribute, as JSON and as text.
func logged(t *testing.T, attr slog.Attr) string {
	t.Helper()
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).LogAttrs(t.Context(), slog.LevelInfo, "line", attr)
	slog.New(slog.NewTextHandler(&out, nil)).LogAttrs(t.Context(), slog.LevelInfo, "line", attr)
	return out.String()
}

func TestLogLinesShowTheMask(t *testing.T) {
	number := sms.PhoneNumber("+18585550100")
	tests := []struct {
		name string
		attr slog.Attr
	}{
		{"value", slog.Any("to", number)},
		{"value in a group", slog.Group("message", slog.Any("to", number))},
		{"value made first", slog.Attr{Key: "to", Value: slog.AnyValue(number)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			line := logged(t, tt.attr)
			if strings.Contains(line, "8585550100") || strings.Count(line, "***0100") != 2 {
				t.Errorf("log lines = %s, want the masked number in both", line)
			}
		})
	}
}

// TestLogLinesMaskWithinValues: a message is logged as easily as a number.
func TestLogLinesMaskWithinValues(t *testing.T) {
	number := sms.PhoneNumber("+18585550100")
	tests := []struct {
		name string
		attr slog.Attr
	}{
		{"message", slog.Any("message", sms.Message{From: number, Body: "the body"})},
		{"pointer to a message", slog.Any("message", &sms.Message{From: number, Body: "the body"})},
		{"outbound", slog.Any("outbound", sms.Outbound{To: number, Body: "the body"})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if line := logged(t, tt.attr); strings.Contains(line, "8585550100") || strings.Contains(line, "the body") {
				t.Errorf("log lines show a number or a body: %s", line)
			}
		})
	}
}

func TestTyped(t *testing.T) {
	for text, want := range map[string]sms.PhoneNumber{
		"+18585550100": "+18585550100", " 18585550100": "+18585550100", "18585550100": "18585550100",
		"whatsapp:+18585550100": "whatsapp:+18585550100", "": "", " ": "+",
	} {
		if got := sms.Typed(text); got != want {
			t.Errorf("Typed(%q) = %q, want %q", text, string(got), string(want))
		}
	}
}

func TestIsE164(t *testing.T) {
	tests := []struct {
		name    string
		address sms.PhoneNumber
		want    bool
	}{
		{"North America", "+18585550100", true},
		{"eight digits", "+12345678", true},
		{"fifteen digits", "+123456789012345", true},
		{"no address", "", false},
		{"plus alone", "+", false},
		{"seven digits", "+1234567", false},
		{"sixteen digits", "+1234567890123456", false},
		{"leading zero", "+08585550100", false},
		{"no plus", "18585550100", false},
		{"two plus signs", "++1858555010", false},
		{"plus at the end", "+1858555010+", false},
		{"channel", "whatsapp:+18585550100", false},
		{"hyphens", "+1-858-555-0100", false},
		{"space before", " +18585550100", false},
		{"newline after", "+18585550100\n", false},
		{"letter within", "+1858555o100", false},
		{"other digits", "+1858555٠١٠٠", false},
		{"full-width digits", "+１８５８５", false},
		{"short code", "24365", false},
		{"name", "QuickDump", false},
		{"NUL within", "+1858555\x000100", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.address.IsE164(); got != tt.want {
				t.Errorf("IsE164() of %q = %v, want %v", string(tt.address), got, tt.want)
			}
		})
	}
}
