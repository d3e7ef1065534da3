package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"

	"quickdumpnow.com/smsrelay/shared/inert"
)

// console is a slog.Handler for people: the time, the message in its own column, then the attributes. It leaves out empty and zero
// values, and colours what went wrong.
type console struct {
	out    io.Writer
	colour bool
	mu     *sync.Mutex
	attrs  []slog.Attr
}

// NewConsole returns a [slog.Handler] that writes for people. It colours only if colour is true.
func NewConsole(out io.Writer, colour bool) slog.Handler {
	return &console{out: Own(out), colour: colour, mu: &sync.Mutex{}}
}

// Enabled shows records from Info up.
func (c *console) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// messageWidth is the width of the message's column.
const messageWidth = 22

// Handle writes one line.
func (c *console) Handle(_ context.Context, record slog.Record) error {
	var line strings.Builder
	line.WriteString(c.paint(Grey, record.Time.Format("15:04:05.000")) + " ")
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
	line.WriteString(" " + c.paint(Grey, attr.Key+"=") + text)
}

// WithAttrs returns a handler that adds attrs to each line.
func (c *console) WithAttrs(attrs []slog.Attr) slog.Handler {
	more := *c
	more.attrs = append(append([]slog.Attr{}, c.attrs...), attrs...)
	return &more
}

// WithGroup returns the handler itself: the relay's logs have no groups.
func (c *console) WithGroup(string) slog.Handler { return c }

// The colours, as terminals take them.
const (
	Grey   = "\x1b[90m"
	Green  = "\x1b[32m"
	Yellow = "\x1b[33m"
	Red    = "\x1b[31m"
	Bold   = "\x1b[1m"
	Reset  = "\x1b[0m"
)

func colourOf(level slog.Level) string {
	switch {
	case level >= slog.LevelError:
		return Red
	case level >= slog.LevelWarn:
		return Yellow
	default:
		return Green
	}
}

func (c *console) paint(colour, text string) string {
	if !c.colour {
		return text
	}
	return colour + text + Reset
}

// NewLogger returns the logger for a format.
func NewLogger(format string, out io.Writer) (*slog.Logger, error) {
	switch format {
	case "text":
		return slog.New(NewConsole(out, HasColour(out))), nil
	case "json":
		return slog.New(slog.NewJSONHandler(out, nil)), nil
	case "auto":
		if isTerminal(out) {
			return slog.New(NewConsole(out, HasColour(out))), nil
		}
		return slog.New(slog.NewJSONHandler(out, nil)), nil
	default:
		return nil, fmt.Errorf("RELAY_LOG_FORMAT is %q: want text, json or auto", format)
	}
}
