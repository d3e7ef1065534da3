package text

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/functions/operator/conversations"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// writeMessages prints texts for people, one per line.
func writeMessages(out io.Writer, list operations.List) error {
	if len(list.Messages) == 0 {
		_, err := fmt.Fprintln(out, "no texts")
		return err
	}
	table := cli.NewTable(out, cli.Column{Title: "SID", ID: true}, cli.Column{Title: "STATE"}, cli.Column{Title: "REASON", Drop: 3},
		cli.Column{Title: "FROM"}, cli.Column{Title: "TO", Drop: 2}, cli.Column{Title: "RECEIVED"}, cli.Column{Title: "ATTEMPTS", Drop: 1},
		cli.Column{Title: "LAST ATTEMPT", Text: true, Drop: 4})
	for _, m := range list.Messages {
		table.Row(m.MessageSid, string(m.State), string(m.Reason), m.Sender(), m.Recipient(), cli.When(out, m.ReceivedAt),
			strconv.Itoa(len(m.Attempts)), lastAttempt(m))
	}
	if err := table.Flush(); err != nil || list.NextCursor == "" {
		return err
	}
	cli.Say(out, "There are more texts: raise --limit, or continue with --cursor %s", list.NextCursor)
	return nil
}

// lastAttempt describes a text's last attempt in a few words.
func lastAttempt(m operations.Message) string {
	if len(m.Attempts) == 0 {
		return ""
	}
	return m.Attempts[len(m.Attempts)-1].InWords()
}

// messageLine describes a text's state in a line.
func messageLine(out io.Writer, m operations.Message) string {
	line := fmt.Sprintf("%s  %s  %s", cli.Clock(out, m.UpdatedAt), m.MessageSid, m.State)
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
			cli.Printf(table, "%s\t%s\n", name, value)
		}
	}
	field("text", m.MessageSid)
	state := string(m.State)
	if m.Reason != "" {
		state += fmt.Sprintf(" (%s)", m.Reason)
	}
	field("state", state)
	field("keyword", m.Keyword)
	field("from", m.Sender())
	field("to", m.Recipient())
	if m.Answer != nil {
		field("answer", string(m.Answer.Verdict))
		field("tag", m.Answer.Tag)
	}
	switch {
	case m.AutoAnswer:
		field("notice", "the relay's own answer to a customer")
	case m.Notice:
		field("notice", "the relay's own, to a phone on duty")
	}
	field("received", cli.At(out, m.ReceivedAt))
	field("changed", cli.At(out, m.UpdatedAt))
	field("held until", heldUntil(out, m))
	field("next", nextAt(out, m))
	if m.NumMedia > 0 {
		field("attachments", fmt.Sprint(m.NumMedia))
	}
	if m.Conversation != (conversations.Standing{}) {
		field("conversation", conversationWords(out, m.Conversation))
	}
	for _, a := range m.Attempts {
		line := cli.At(out, a.StartedAt) + " " + a.InWords()
		if a.OutboundSid != "" {
			line += ", " + a.OutboundSid
		}
		if a.Error != "" {
			line += ", " + a.Error
		}
		field(fmt.Sprintf("attempt %d", a.Number), line)
	}
	for _, one := range m.Phones {
		field("phone", phoneWords(m, one))
	}
	if err := table.Flush(); err != nil || m.Trail == nil {
		return err
	}
	return writeMessageTrail(out, *m.Trail)
}

// phoneWords describes the text to one of its phones.
func phoneWords(m, one operations.Message) string {
	line := strings.TrimPrefix(one.MessageSid, m.MessageSid) + " to " + string(one.Destination) + " " + string(one.State)
	if one.Reason != "" {
		line += fmt.Sprintf(" (%s)", one.Reason)
	}
	if last := lastAttempt(one); last != "" {
		line += fmt.Sprintf(", %s after %s", last, cli.Plural(len(one.Attempts), "attempt"))
	}
	return line
}

// nextAt says when the relay goes on with a text; empty if it does not wait for a time, or is held.
func nextAt(out io.Writer, m operations.Message) string {
	if m.NextAt.IsZero() || !m.HeldUntil.IsZero() {
		return ""
	}
	return cli.At(out, m.NextAt)
}

// heldUntil says until when a text is held; empty if it is not.
func heldUntil(out io.Writer, m operations.Message) string {
	if m.HeldUntil.IsZero() {
		return ""
	}
	why := "because nobody is on duty"
	if m.Reason == ledger.ReasonUnverified {
		why = "or until a phone is verified"
	}
	return cli.At(out, m.HeldUntil) + ", " + why
}

// conversationWords says where the customer's conversation is.
func conversationWords(out io.Writer, c conversations.Standing) string {
	var words []string
	if c.Status != "" {
		words = append(words, string(c.Status))
	}
	if c.Claimer != nil {
		words = append(words, strings.TrimSpace(c.Claimer.Name+" "+string(c.Claimer.Phone))+" has the customer")
	}
	if w := c.Waiting; w != nil {
		words = append(words, "waits since "+cli.When(out, w.Since)+" ("+cli.Plural(w.Texts, "text")+")")
		if w.Unanswered {
			words = append(words, "unanswered")
		}
	}
	if c.Held != nil {
		words = append(words, cli.Plural(c.Held.Texts, "text")+" held until "+cli.When(out, c.Held.Until))
	}
	return strings.Join(words, ", ")
}

// writeMessageTrail prints the trail that a text came with.
func writeMessageTrail(out io.Writer, trail operations.Trail) error {
	entries := make([]auditlog.Entry, len(trail.Entries))
	for i, e := range trail.Entries {
		entries[i] = auditlog.Entry{
			ID: e.ID, Time: e.Time, Change: e.Change, Version: e.Version, From: e.From, To: e.To, Reason: e.Reason,
			Actor: e.Actor, Decision: e.Decision, Note: e.Note, Unsealed: e.Unsealed,
		}
		if e.Attempt != nil {
			attempt := auditlog.Attempt(*e.Attempt)
			entries[i].Attempt = &attempt
		}
	}
	_, err := fmt.Fprintln(out)
	err = errors.Join(err, cli.WriteChanges(out, entries))
	if !trail.Complete {
		_, incomplete := fmt.Fprintln(out, "Some entries may be missing because they are not written yet. relay audit trace reads the whole log.")
		err = errors.Join(err, incomplete)
	}
	return err
}
