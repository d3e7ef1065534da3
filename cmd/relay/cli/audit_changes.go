package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"quickdumpnow.com/smsrelay/shared/auditlog"
)

// WriteChanges prints the changes of a text, one per line. If an operator decided a change, the line says who and why.
func WriteChanges(out io.Writer, entries []auditlog.Entry) error {
	table := NewTable(out, Column{Title: "TIME"}, Column{Title: "VERSION", Drop: 1}, Column{Title: "STATE"},
		Column{Title: "REASON", Wrapped: true, Drop: 2}, Column{Title: "ATTEMPT", Wrapped: true})
	for _, e := range entries {
		table.Row(Precisely(out, e.Time), strconv.FormatInt(e.Version, 10), traceState(e), tracedReason(e), tracedAttempt(e.Attempt))
	}
	return table.Flush()
}

// traceState says in which state the text was before and after.
func traceState(e auditlog.Entry) string {
	var text string
	switch {
	case e.Change == auditlog.ChangeRemoved, e.Change == auditlog.ChangeExpired:
		text = e.From + " → " + e.Change
	case e.From == "" || e.From == e.To:
		text = e.To
	default:
		text = e.From + " → " + e.To
	}
	if e.Unsealed {
		text += " (changed by something other than the relay)"
	}
	return text
}

// tracedReason says why, and who decided if an operator did.
func tracedReason(e auditlog.Entry) string {
	if e.ReadBy != "" {
		return strings.TrimSpace(e.Reason + " read by " + e.ReadBy)
	}
	if e.Decision == "" {
		return e.Reason
	}
	words := strings.TrimSpace(fmt.Sprintf("%s by %s: %s", e.Reason, e.Actor, e.Decision))
	if e.Note != "" {
		words += " (" + e.Note + ")"
	}
	return words
}

// tracedAttempt says how an attempt went.
func tracedAttempt(a *auditlog.Attempt) string {
	if a == nil {
		return "-"
	}
	said := []string{a.Outcome}
	if a.Outcome == "" {
		said = []string{"no answer yet"}
	}
	add := func(ok bool, format string, args ...any) {
		if ok {
			said = append(said, fmt.Sprintf(format, args...))
		}
	}
	add(a.Status != "", "%s", a.Status)
	add(a.ErrorCode != 0, "code %d", a.ErrorCode)
	add(a.Looks > 0, "Twilio's list read %d times", a.Looks)
	add(a.Found, "found")
	add(a.HopDone, "no further attempt at this phone")
	add(a.OutboundSid != "", "%s", a.OutboundSid)
	return fmt.Sprintf("%d, phone %d, to %s: %s", a.Number, a.Hop+1, a.Destination, strings.Join(said, ", "))
}
