package simulation_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// trace notes what became of a call.
func (s *schedule) trace(a *actor, c call, what string) {
	if s.told == nil {
		return
	}
	s.tellf("%-16s %-22s %s: %s", a.name, c.op, c.what(), what)
}

// tellf adds a line to the trace, if one is kept.
func (s *schedule) tellf(format string, args ...any) {
	if s.told == nil {
		return
	}
	fmt.Fprintf(s.told, "%12.3f  ", time.Since(s.began).Seconds())
	fmt.Fprintf(s.told, format, args...)
	s.told.WriteByte('\n')
}

// traceLog puts the handlers' own log lines into the trace.
type traceLog struct{ s *schedule }

// Enabled reports whether there is a trace.
func (l traceLog) Enabled(context.Context, slog.Level) bool { return l.s.told != nil }

// Handle adds the line's message, and the error that it has.
func (l traceLog) Handle(ctx context.Context, r slog.Record) error {
	var more strings.Builder
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "message_sid":
			more.WriteString(" " + nameOf(a.Value.String()))
		case "error", "state", "verdict", "wait_ms", "problem":
			more.WriteString(" " + a.Key + "=" + a.Value.String())
		}
		return true
	})
	name := ""
	if a, ok := ctx.Value(actorKey{}).(*actor); ok {
		name = a.name
	}
	l.s.tellf("%-16s   log: %s%s", name, r.Message, more.String())
	return nil
}

// WithAttrs is not used by the handlers.
func (l traceLog) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup is not used by the handlers.
func (l traceLog) WithGroup(string) slog.Handler { return l }
