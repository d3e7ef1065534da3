package webfiles

import (
	"bytes"
	"crypto/rand"
	"net/http"

	"github.com/a-h/templ"
)

// Visit is one request for a page.
type Visit struct {
	W http.ResponseWriter
	R *http.Request
	// Nonce is what the page's own scripts carry.
	Nonce string
}

// NewVisit begins a visit: the answer has the headers of all pages.
func NewVisit(w http.ResponseWriter, r *http.Request) Visit {
	v := Visit{W: w, R: r, Nonce: rand.Text()}
	WriteHeaders(w.Header(), v.Nonce)
	return v
}

// Show writes a page, whole or not at all.
func (v Visit) Show(status int, page templ.Component) error {
	var text bytes.Buffer
	if err := page.Render(templ.WithNonce(v.R.Context(), v.Nonce), &text); err != nil {
		return err
	}
	v.W.WriteHeader(status)
	_, _ = v.W.Write(text.Bytes()) // whoever is gone misses nothing.
	return nil
}

// GoTo has the browser show another page.
func (v Visit) GoTo(path string) {
	v.W.Header().Set("Location", path)
	v.W.WriteHeader(http.StatusSeeOther)
}

// MaxForm bounds a form without files, in bytes.
const MaxForm = 64 << 10

// ReadForm reads a form without files.
func (v Visit) ReadForm() error {
	v.R.Body = http.MaxBytesReader(v.W, v.R.Body, MaxForm)
	if err := v.R.ParseForm(); err != nil {
		return Refuse(http.StatusBadRequest, "This form cannot be read.")
	}
	return nil
}

// RefusalError is an answer that says why something was not done.
type RefusalError struct {
	Status int
	Words  string
}

// Refuse returns a RefusalError.
func Refuse(status int, words string) error { return RefusalError{Status: status, Words: words} }

// Error returns the words.
func (r RefusalError) Error() string { return r.Words }

// Loaded are the paths of the files that all pages load.
type Loaded struct{ CSS, Icon, HTMX, Guard, Stream string }

// Loaded returns them.
func (f Files) Loaded() Loaded {
	return Loaded{
		CSS: f.Path("console.css"), Icon: f.Path("favicon.svg"), HTMX: f.Path("htmx.min.js"), Guard: f.Path("hx-csp.min.js"),
		Stream: f.Path("hx-sse.min.js"),
	}
}
