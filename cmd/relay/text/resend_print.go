package text

import (
	"encoding/json"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/text/resend"
)

// printResend says what a resend would do, or what was done.
func (p program) printResend(planned resendPlan, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(planned)
	}
	if err := p.writeResends(planned.Texts); err != nil {
		return err
	}
	for _, text := range planned.Texts {
		if text.OnPurpose && text.Outlook.Orders() {
			cli.Printf(p.Stderr, "relay: warning: %s was dropped on purpose (%s). relay explain reason %s says why.\n", text.MessageSid,
				text.Reason, text.Reason)
		}
	}
	if planned.Intended > 0 {
		cli.Printf(p.Stdout, "%s dropped on purpose (loop, opt_out, keyword) and left out. To send one again, name its SID.\n",
			cli.Were(planned.Intended))
	}
	switch {
	case planned.Applied:
		cli.Printf(p.Stdout, "%s put on the queue to be sent again. relay status SID shows what happens to each.\n", cli.Were(planned.Ordered))
	case planned.Orders > 0:
		cli.Printf(p.Stdout, "%s would be sent again, in %s, about %.2f US dollars at list price.\n",
			cli.Plural(planned.Orders, "text"), cli.Plural(planned.Segments, "segment"), float64(planned.Segments)*cli.ListPrice)
		fmt.Fprintln(p.Stdout, "Nothing was sent. To send them, add --apply --because WHY.")
	default:
		fmt.Fprintln(p.Stdout, "No text would be sent again.")
	}
	return nil
}

func (p program) writeResends(texts []shownResend) error {
	if len(texts) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(p.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SID\tSTATE\tREASON\tCODE\tFROM\tTO\tRECEIVED\tSENT AGAIN")
	for _, t := range texts {
		code := ""
		if t.ErrorCode != 0 {
			code = strconv.Itoa(t.ErrorCode)
		}
		cli.Printf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", t.MessageSid, t.State, cli.OrDash(string(t.Reason)), cli.OrDash(code),
			cli.OrDash(string(t.Customer)),
			t.TwilioNumber, t.ReceivedAt.UTC().Format(time.RFC3339), t.outlookLine())
	}
	return table.Flush()
}

// outlookLine says what would happen to a text, and to which phone or why.
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
