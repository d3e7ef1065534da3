package auditlog

import (
	"context"
	"encoding/json"
	"time"
)

// Trail finds the entries of one text in the log, for operators who ask about it.
type Trail interface {
	// Find returns the entries of that text whose times lie between the two, both included, in any order and each at least
	// once, as far as a bounded search finds them: what lies too far back, what takes too long to find, and what is not
	// written yet is left out. Errors are *fault.Error.
	Find(ctx context.Context, messageSid string, from, to time.Time) ([]Entry, error)
}

// EntryOf reads a line that may be an entry of the text; ok is false if it is none.
func EntryOf(line Line, messageSid string) (entry Entry, ok bool) {
	err := json.Unmarshal(line.Text, &entry)
	return entry, err == nil && entry.MessageSid == messageSid
}
