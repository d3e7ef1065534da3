package console

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

// assets are the style, the icon, and htmx 4.0.1 with its extension hx-csp, as they were published.
//
//go:embed assets
var assets embed.FS

// files are the files that pages load, by their paths. A path has the file's hash: a browser keeps it for ever.
type files map[string]file

type file struct {
	name, kind   string
	text, zipped []byte
}

func readFiles() (files, error) {
	entries, err := assets.ReadDir("assets")
	if err != nil {
		return nil, err
	}
	all := files{}
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
		all[Path+"/assets/"+hex.EncodeToString(sum[:8])+"/"+entry.Name()] = file{entry.Name(), kindOf(entry.Name()), text, zipped.Bytes()}
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

// path returns where a file is.
func (f files) path(name string) string {
	for where, one := range f {
		if one.name == name {
			return where
		}
	}
	return ""
}

func (f file) serve(w http.ResponseWriter, r *http.Request) {
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
