package inert_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"quickdumpnow.com/smsrelay/shared/inert"
)

func TestLine(t *testing.T) {
	const words = "Grüße 👨\u200d👩\u200d👧\u200d👦 نمی\u200cخواهم 🏴\U000e0067\U000e0062\U000e007f"
	for text, want := range map[string]string{
		"":                                      "",
		words:                                   words,
		"a\x1b[2Jb":                             `a\u001b[2Jb`,
		"a\x1b]8;;https://example.com\x07b":     `a\u001b]8;;https://example.com\u0007b`,
		"a\u009b2Jb":                            `a\u009b2Jb`,
		"a\x9bb":                                `a\ufffdb`,
		"a\x7fb\x00":                            `a\u007fb\u0000`,
		"a\r\nb\tc":                             `a\r\nb\tc`,
		"\u202ea\u202a\u2066\u2069\u200e\u200f": `\u202ea\u202a\u2066\u2069\u200e\u200f`,
		"a\u2028b\u2029\u061c\ufeff":            `a\u2028b\u2029\u061c\ufeff`,
	} {
		if got := inert.Line(text); got != want {
			t.Errorf("Line(%+q) = %+q, want %+q", text, got, want)
		}
		if got := inert.Bytes([]byte(text)); string(got) != want {
			t.Errorf("Bytes(%+q) = %+q, want %+q", text, got, want)
		}
	}
	if got := inert.Block("a\nb\r\x1b"); got != "a\nb"+`\r\u001b` {
		t.Errorf("Block = %+q", got)
	}
}

// nasty has one of each kind.
const nasty = "é\x1b\x07\u0085\u009b\x7f\r\u202e\u2066\u2069\u200f\u2028🏳\tend\n"

// TestWriter writes in pieces of any size, also through the middle of a character.
func TestWriter(t *testing.T) {
	want := `é\u001b\u0007\u0085\u009b\u007f\r\u202e\u2066\u2069\u200f\u2028🏳` + "\tend\n"
	var whole, bytewise bytes.Buffer
	if n, err := inert.NewWriter(&whole).Write([]byte(nasty)); err != nil || n != len(nasty) {
		t.Errorf("wrote %d of %d, error %v", n, len(nasty), err)
	}
	one := inert.NewWriter(&bytewise)
	for i := range len(nasty) {
		if _, err := one.Write([]byte{nasty[i]}); err != nil {
			t.Fatal(err)
		}
	}
	if whole.String() != want || bytewise.String() != want {
		t.Errorf("got  %+q\nand  %+q\nwant %+q", whole.String(), bytewise.String(), want)
	}
}

// TestWriterKeepsJSON as valid as it was, and of the same meaning.
func TestWriterKeepsJSON(t *testing.T) {
	var out bytes.Buffer
	w := inert.NewWriter(&out)
	if err := json.NewEncoder(w).Encode(map[string]string{"text": nasty, "other": `\` + "\u202e"}); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(out.String(), "\u202e\u009b\x7f\u200f") {
		t.Errorf("raw: %+q", out.String())
	}
	var back map[string]string
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || back["text"] != nasty || back["other"] != `\`+"\u202e" {
		t.Errorf("back: %+q, error %v", back, err)
	}
}

// TestWriterEnds with what was begun.
func TestWriterEnds(t *testing.T) {
	var out bytes.Buffer
	w := inert.NewWriter(&out)
	if _, err := w.Write([]byte("a\xe2\x80")); err != nil || out.String() != "a" {
		t.Errorf("%+q, error %v", out.String(), err)
	}
	if err := w.Close(); err != nil || out.String() != `a\ufffd\ufffd` {
		t.Errorf("%+q, error %v", out.String(), err)
	}
}
