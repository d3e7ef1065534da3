//go:build linux || darwin

package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
)

const (
	// tailKept bounds what is remembered of a process's output, tailShown what of it is shown.
	tailKept  = 64 << 10
	tailShown = 30 // lines
)

// tail remembers the end of what a process prints and passes whole lines on to echo, if there is one.
// It may be written and read from several goroutines.
type tail struct {
	mu     sync.Mutex
	kept   []byte
	echo   io.Writer
	prefix string
	// line is what was written since the last line break.
	line []byte
}

// Write never fails: a process must not end because nobody reads its output.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	if surplus := len(t.kept) - tailKept; surplus > 0 {
		t.kept = append(t.kept[:0], t.kept[surplus:]...)
	}
	if t.echo != nil {
		t.passOn(p)
	}
	return len(p), nil
}

func (t *tail) passOn(p []byte) {
	t.line = append(t.line, p...)
	for {
		line, rest, found := bytes.Cut(t.line, []byte("\n"))
		if !found {
			return
		}
		_, _ = fmt.Fprintf(t.echo, "[%s] %s\n", t.prefix, line)
		t.line = append([]byte(nil), rest...)
	}
}

// contains reports whether what is remembered contains a text.
func (t *tail) contains(text string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Contains(t.kept, []byte(text))
}

// tail is the last lines of the output.
func (t *tail) tail() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.SplitAfter(string(t.kept), "\n")
	return strings.Join(lines[max(0, len(lines)-tailShown-1):], "")
}
