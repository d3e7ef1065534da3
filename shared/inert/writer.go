package inert

import (
	"io"
	"sync"
	"unicode/utf8"
)

// Writer passes on what is written to it with Line's escapes, except that newlines and tabs stay: they are the layout. A
// character may come in several writes. It is safe for concurrent use.
type Writer struct {
	mu  sync.Mutex
	out io.Writer
	// begun is the start of a character whose rest was not written yet.
	begun []byte
}

// NewWriter returns a Writer to out.
func NewWriter(out io.Writer) *Writer { return &Writer{out: out} }

// Raw returns what the Writer writes to. What goes there is not escaped.
func (w *Writer) Raw() io.Writer { return w.out }

// Write writes text with its escapes. It counts the bytes of text itself.
func (w *Writer) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	whole := text
	if len(w.begun) > 0 {
		whole = append(w.begun, text...)
		w.begun = nil
	}
	whole, w.begun = cutBegun(whole)
	if _, err := w.out.Write(shown(whole)); err != nil {
		return 0, err
	}
	return len(text), nil
}

// Close writes what is left: the start of an incomplete character. It does not close the underlying writer.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.begun) == 0 {
		return nil
	}
	_, err := w.out.Write(appendLine(nil, string(w.begun)))
	w.begun = nil
	return err
}

// cutBegun splits off an incomplete character at the end of a text.
func cutBegun(text []byte) (whole, begun []byte) {
	for back := 1; back < utf8.UTFMax && back <= len(text); back++ {
		at := len(text) - back
		if utf8.RuneStart(text[at]) {
			if !utf8.FullRune(text[at:]) {
				return text[:at], append([]byte(nil), text[at:]...)
			}
			break
		}
	}
	return text, nil
}

// shown returns text with its escapes, and text itself if it needs none.
func shown(text []byte) []byte {
	from, out := 0, []byte(nil)
	for at := 0; at < len(text); {
		r, size := rune(text[at]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(text[at:])
		}
		if invalid := r == utf8.RuneError && size == 1; invalid || r != '\n' && r != '\t' && isLively(r) {
			out = append(out, text[from:at]...)
			out = appendLine(out, string(text[at:at+size]))
			from = at + size
		}
		at += size
	}
	if from == 0 {
		return text
	}
	return append(out, text[from:]...)
}
