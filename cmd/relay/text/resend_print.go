package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/resend"
)

// printResend says what a resend would come to, or what was done of it.
func (p program) printResend(planned resendPlan, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(p.stdout).Encode(planned)
	}
	if err := p.writeResends(planned.Texts); err != nil {
		return err
	}
	for _, text := range planned.Texts {
		if text.OnPurpose && text.Outlook.Orders() {
			printf(p.stderr, "relay: warning: %s was dropped on purpose (%s). relay explain reason %s says why.\n", text.MessageSid, text.Reason, text.Reason)
		}
	}
	if planned.Intended > 0 {
		printf(p.stdout, "%s dropped on purpose (loop, opt_out, keyword): left out. To have one sent again, name it.\n", were(planned.Intended))
	}
	switch {
	case planned.Applied:
		printf(p.stdout, "%s put on the queue, to be sent again in turn. relay status SID shows what becomes of one.\n", were(planned.Ordered))
	case planned.Orders > 0:
		printf(p.stdout, "%s would be sent again, in %s, about %.2f US dollars at list price.\n",
			plural(planned.Orders, "text"), plural(planned.Segments, "segment"), float64(planned.Segments)*listPrice)
		fmt.Fprintln(p.stdout, "Nothing was sent. The same command with --apply --because WHY sends them.")
	default:
		fmt.Fprintln(p.stdout, "No text would be sent again.")
	}
	return nil
}

// were counts texts as the subject of a sentence in the past.
func were(n int) string {
	if n == 1 {
		return "1 text was"
	}
	return strconv.Itoa(n) + " texts were"
}

func (p program) writeResends(texts []shownResend) error {
	if len(texts) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SID\tSTATE\tREASON\tCODE\tFROM\tTO\tRECEIVED\tSENT AGAIN")
	for _, t := range texts {
		code := ""
		if t.ErrorCode != 0 {
			code = strconv.Itoa(t.ErrorCode)
		}
		printf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", t.MessageSid, t.State, orDash(string(t.Reason)), orDash(code), orDash(string(t.Customer)),
			t.TwilioNumber, t.ReceivedAt.UTC().Format(time.RFC3339), t.outlookLine())
	}
	return table.Flush()
}

// outlookLine says what would become of a text, and whereto or why.
func (t shownResend) outlookLine() string {
	switch t.Outlook {
	case resend.Again:
		return "would go to " + string(t.Destination)
	case resend.DroppedAgain:
		return "would be dropped again: " + string(t.WouldBeDropped)
	case resend.Settles, resend.Answered, resend.Unaddressed, resend.InHand, resend.Taken, resend.InDoubt, resend.Dead:
	}
	return t.Outlook.Meaning()
}
