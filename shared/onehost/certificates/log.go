package certificates

import (
	"context"
	"log/slog"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// bridge writes what certmagic logs into the relay's own log.
func bridge(logger *slog.Logger) *zap.Logger { return zap.New(core{logger}) }

// core is a zapcore.Core that writes to a slog.Logger.
type core struct{ logger *slog.Logger }

// Enabled reports whether the log wants that level. What certmagic calls information is detail to an operator.
func (c core) Enabled(level zapcore.Level) bool {
	return c.logger.Enabled(context.Background(), levelOf(level))
}

func levelOf(level zapcore.Level) slog.Level {
	switch {
	case level >= zapcore.ErrorLevel:
		return slog.LevelError
	case level == zapcore.WarnLevel:
		return slog.LevelWarn
	default:
		return slog.LevelDebug
	}
}

// With adds fields to all that follows.
func (c core) With(fields []zapcore.Field) zapcore.Core { //nolint:ireturn // the interface wants it.
	return core{c.logger.With(attributes(fields)...)}
}

// Check says that this core writes the entry, if its level is wanted.
func (c core) Check(e zapcore.Entry, to *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return to.AddCore(e, c)
	}
	return to
}

// Write writes an entry.
func (c core) Write(e zapcore.Entry, fields []zapcore.Field) error {
	said := append([]any{slog.String("said", e.Message)}, attributes(fields)...)
	c.logger.Log(context.Background(), levelOf(e.Level), "certificates", said...)
	return nil
}

// Sync has nothing to do: nothing is held back.
func (core) Sync() error { return nil }

// attributes are the fields as slog takes them.
func attributes(fields []zapcore.Field) []any {
	encoder := zapcore.NewMapObjectEncoder()
	for _, f := range fields {
		f.AddTo(encoder)
	}
	var all []any
	for _, f := range fields {
		if value, ok := encoder.Fields[f.Key]; ok {
			all = append(all, slog.Any(f.Key, value))
		}
	}
	return all
}
