package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"quickdumpnow.com/smsrelay/functions/operator/operations"
)

// writeMessages prints texts one a line, for people.
func writeMessages(out io.Writer, list operations.List) error {
	if len(list.Messages) == 0 {
		_, err := fmt.Fprintln(out, "no texts")
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SID\tSTATE\tREASON\tFROM\tTO\tRECEIVED\tATTEMPTS\tLAST ATTEMPT")
	for _, m := range list.Messages {
		printf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\n", m.MessageSid, m.State, orDash(string(m.Reason)), orDash(string(m.Customer)), m.TwilioNumber,
			m.ReceivedAt.UTC().Format(time.RFC3339), len(m.Attempts), orDash(lastAttempt(m)))
	}
	if err := table.Flush(); err != nil || list.NextCursor == "" {
		return err
	}
	_, err := fmt.Fprintln(out, "There are more: --limit shows them.")
	return err
}

// lastAttempt tells a text's last attempt in a few words.
func lastAttempt(m operations.Message) string {
	if len(m.Attempts) == 0 {
		return ""
	}
	return attemptWords(m.Attempts[len(m.Attempts)-1])
}

func attemptWords(a operations.Attempt) string {
	words := "to " + string(a.Destination)
	switch {
	case a.Status != "":
		words += " " + string(a.Status)
	case a.Outcome != "":
		words += " " + a.Outcome
	default:
		words += " open"
	}
	if a.ErrorCode != 0 {
		words += fmt.Sprintf(" (%d)", a.ErrorCode)
	}
	return words
}

// messageLine tells where a text stands in a line.
func messageLine(m operations.Message) string {
	line := fmt.Sprintf("%s  %s  %s", m.UpdatedAt.UTC().Format("15:04:05.000"), m.MessageSid, m.State)
	if m.Reason != "" {
		line += fmt.Sprintf(" (%s)", m.Reason)
	}
	if last := lastAttempt(m); last != "" {
		line += fmt.Sprintf("  attempt %d %s", m.Attempts[len(m.Attempts)-1].Number, last)
	}
	return line
}

// writeMessage prints one text with its attempts, and its trail if it came with one.
func writeMessage(out io.Writer, m operations.Message) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	field := func(name, value string) {
		if value != "" {
			printf(table, "%s\t%s\n", name, value)
		}
	}
	field("text", m.MessageSid)
	state := string(m.State)
	if m.Reason != "" {
		state += fmt.Sprintf(" (%s)", m.Reason)
	}
	field("state", state)
	field("from", string(m.Customer))
	field("to", string(m.TwilioNumber))
	field("received", m.ReceivedAt.UTC().Format(time.RFC3339))
	field("changed", m.UpdatedAt.UTC().Format(time.RFC3339))
	if m.NumMedia > 0 {
		field("attachments", fmt.Sprint(m.NumMedia))
	}
	for _, a := range m.Attempts {
		line := a.StartedAt.UTC().Format(time.RFC3339) + " " + attemptWords(a)
		if a.OutboundSid != "" {
			line += ", " + a.OutboundSid
		}
		if a.Error != "" {
			line += ", " + a.Error
		}
		field(fmt.Sprintf("attempt %d", a.Number), line)
	}
	if m.Trail != nil {
		for _, e := range m.Trail.Entries {
			field(fmt.Sprintf("version %d", e.Version), trailLine(e))
		}
		if !m.Trail.Complete {
			field("trail", "incomplete: an entry of a moment ago may not be written yet; relay audit reads the whole log")
		}
	}
	return table.Flush()
}

func trailLine(e operations.Entry) string {
	line := e.Time.UTC().Format("2006-01-02T15:04:05.000Z") + " " + e.Change
	if e.From != e.To {
		line += fmt.Sprintf(" %s to %s", orDash(e.From), orDash(e.To))
	}
	if e.Reason != "" {
		line += " (" + e.Reason + ")"
	}
	return line
}
