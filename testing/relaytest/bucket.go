package relaytest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Bucket is as much of Amazon S3 as the relay uses for backups: objects that are put whole, read in parts, listed a few at a time and
// removed. It has every bucket, at its path. It is safe for concurrent use.
type Bucket struct {
	mu   sync.Mutex
	kept map[string][]byte
	// failing is how many of the next requests get 503.
	failing int
}

// NewBucket returns an empty service.
func NewBucket() *Bucket { return &Bucket{kept: map[string][]byte{}} }

// Fail lets the next n requests fail with 503.
func (b *Bucket) Fail(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failing = n
}

// listedAtOnce is how many objects a page of a list has: few, so that tests see more than one page.
const listedAtOnce = 2

// ServeHTTP answers as S3 does.
func (b *Bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	b.mu.Lock()
	defer b.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/")
	content, ok := b.kept[path]
	switch {
	case err != nil || !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 "):
		w.WriteHeader(http.StatusForbidden)
	case b.failing > 0:
		b.failing--
		w.WriteHeader(http.StatusServiceUnavailable)
	case r.Method == http.MethodPut:
		b.kept[path] = body
	case r.Method == http.MethodDelete:
		delete(b.kept, path)
		w.WriteHeader(http.StatusNoContent)
	case strings.HasSuffix(path, "/"):
		b.list(w, path, r.URL.Query().Get("prefix"), r.URL.Query().Get("continuation-token"))
	case !ok:
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "<Error><Code>NoSuchKey</Code></Error>")
	default:
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}
}

func (b *Bucket) list(w io.Writer, bucket, prefix, after string) {
	var keys []string
	for path := range b.kept {
		if key, ok := strings.CutPrefix(path, bucket); ok && strings.HasPrefix(key, prefix) && key > after {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	_, _ = fmt.Fprintf(w, "<ListBucketResult><IsTruncated>%t</IsTruncated>", len(keys) > listedAtOnce)
	for i, key := range keys {
		if i == listedAtOnce {
			_, _ = fmt.Fprintf(w, "<NextContinuationToken>%s</NextContinuationToken>", keys[i-1])
			break
		}
		_, _ = fmt.Fprintf(w, "<Contents><Key>%s</Key><Size>%d</Size></Contents>", key, len(b.kept[bucket+key]))
	}
	_, _ = io.WriteString(w, "</ListBucketResult>")
}
