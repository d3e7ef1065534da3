package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"

	"quickdumpnow.com/smsrelay/shared/inert"
)

// console is a slog.Handler for people: the time, the message in a column of its own, then what is set. Empty and zero
// values are left out, and what went wrong stands out where there is colour.
type console struct {
	out    io.Writer
	colour bool
	mu     *sync.Mutex
	attrs  []slog.Attr
}

func newConsole(out io.Writer, colour bool) *console {
	return &console{out: own(out), colour: colour, mu: &sync.Mutex{}}
}

// Enabled shows everything from Info on.
func (c *console) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// messageWidth is the width of the message's column.
const messageWidth = 22

// Handle writes one line.
func (c *console) Handle(_ context.Context, record slog.Record) error {
	var line strings.Builder
	line.WriteString(c.paint(grey, record.Time.Format("15:04:05.000")) + " ")
	line.WriteString(c.paint(colourOf(record.Level), fmt.Sprintf("%-*s", messageWidth, inert.Line(record.Message))))
	for _, attr := range c.attrs {
		c.write(&line, attr)
	}
	record.Attrs(func(attr slog.Attr) bool {
		c.write(&line, attr)
		return true
	})
	line.WriteByte('\n')
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := io.WriteString(c.out, line.String())
	return err
}

func (c *console) write(line *strings.Builder, attr slog.Attr) {
	text := attr.Value.Resolve().String()
	if text == "" || text == "0" {
		return
	}
	if strings.ContainsAny(text, " \"") || inert.Line(text) != text {
		text = fmt.Sprintf("%q", text)
	}
	line.WriteString(" " + c.paint(grey, attr.Key+"=") + text)
}

// WithAttrs returns a handler whose lines carry attrs, too.
func (c *console) WithAttrs(attrs []slog.Attr) slog.Handler {
	more := *c
	more.attrs = append(append([]slog.Attr{}, c.attrs...), attrs...)
	return &more
}

// WithGroup returns the handler itself: the relay's logs have no groups.
func (c *console) WithGroup(string) slog.Handler { return c }

// The colours, as terminals take them.
const (
	grey   = "\x1b[90m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	red    = "\x1b[31m"
	bold   = "\x1b[1m"
	reset  = "\x1b[0m"
)

func colourOf(level slog.Level) string {
	switch {
	case level >= slog.LevelError:
		return red
	case level >= slog.LevelWarn:
		return yellow
	default:
		return green
	}
}

func (c *console) paint(colour, text string) string {
	if !c.colour {
		return text
	}
	return colour + text + reset
}
