// Package webfiles is what pages of relay have in common in a browser: the style, htmx, the headers that let a page run its own scripts
// and otherwise have to do with its own host alone, how a visit begins and a page is shown, and the connection on which a page hears of
// changes.
package webfiles

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strings"
)

// assets are the styles, the icon, and htmx 4.0.1 with its extensions hx-csp and hx-sse, as they were published.
//
//go:embed assets
var assets embed.FS

// Files are the files that pages load, by their paths. A path has the file's hash: a browser keeps it for ever.
type Files map[string]File

// File is one of them.
type File struct {
	name, kind   string
	text, zipped []byte
}

// Read returns the files with their paths below the folder of pages that is named, such as /console. The error says that one is damaged.
func Read(under string) (Files, error) {
	entries, err := assets.ReadDir("assets")
	if err != nil {
		return nil, err
	}
	all := Files{}
	for _, entry := range entries {
		text, err := assets.ReadFile("assets/" + entry.Name())
		if err != nil {
			return nil, err
		}
		var zipped bytes.Buffer
		to, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
		if err != nil {
			return nil, err
		}
		if _, err = to.Write(text); err != nil {
			return nil, err
		}
		if err := to.Close(); err != nil {
			return nil, err
		}
		sum := sha256.Sum256(text)
		all[under+"/assets/"+hex.EncodeToString(sum[:8])+"/"+entry.Name()] = File{
			name: entry.Name(), kind: kindOf(entry.Name()), text: text, zipped: zipped.Bytes(),
		}
	}
	return all, nil
}

func kindOf(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".js":
		return "text/javascript; charset=utf-8"
	default:
		return "text/plain; charset=utf-8"
	}
}

// Path returns where a file is, empty if there is none of that name.
func (f Files) Path(name string) string {
	for where, one := range f {
		if one.name == name {
			return where
		}
	}
	return ""
}

// Serve answers a request for the file.
func (f File) Serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", http.MethodGet)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Vary", "Accept-Encoding")
	text := f.text
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		text = f.zipped
	}
	_, _ = w.Write(text) // whoever is gone misses nothing.
}

// WriteHeaders says what a browser may do with a page: run the scripts that carry the nonce, and otherwise have to do with this host
// alone. Nobody keeps the page.
func WriteHeaders(h http.Header, nonce string) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'nonce-"+nonce+"'; style-src 'self'; img-src 'self'; "+
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "+
		"trusted-types htmx")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
}
