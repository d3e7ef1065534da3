package text

import (
	"encoding/json"
	"fmt"
	"strconv"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
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
		if text.OnPurpose && text.IsOrdered {
			cli.Say(p.Stderr, "relay: warning: %s was dropped on purpose (%s). relay explain reason %s says why.", text.MessageSid, text.Reason,
				text.Reason)
		}
	}
	if planned.Intended > 0 {
		cli.Say(p.Stdout, "%s dropped on purpose (such as loop or auto_reply) and left out. To send one again, name its SID.",
			cli.Were(planned.Intended))
	}
	switch {
	case planned.Applied:
		cli.Say(p.Stdout, "%s put on the queue to be sent again. relay status SID shows what happens to each.", cli.Were(planned.Ordered))
	case planned.Orders > 0:
		cli.Say(p.Stdout, "%s would be sent again, in %s, about %.2f US dollars at list price.",
			cli.Plural(planned.Orders, "text"), cli.Plural(planned.Segments, "segment"), float64(planned.Segments)*cli.ListPrice)
		if !planned.asking {
			cli.Say(p.Stdout, "Nothing was sent. To send them, add --apply --because WHY.")
		}
	default:
		fmt.Fprintln(p.Stdout, "No text would be sent again.")
	}
	return nil
}

func (p program) writeResends(texts []operations.ResendText) error {
	if len(texts) == 0 {
		return nil
	}
	table := cli.NewTable(p.Stdout, cli.Column{Title: "SID", ID: true}, cli.Column{Title: "STATE", Drop: 5},
		cli.Column{Title: "REASON", Drop: 4}, cli.Column{Title: "CODE", Drop: 2}, cli.Column{Title: "FROM"}, cli.Column{Title: "TO", Drop: 3},
		cli.Column{Title: "RECEIVED", Drop: 1},
		cli.Column{Title: "SENT AGAIN", Text: true})
	for _, t := range texts {
		code := ""
		if t.ErrorCode != 0 {
			code = strconv.Itoa(t.ErrorCode)
		}
		table.Row(t.MessageSid, string(t.State), string(t.Reason), code, string(t.Customer), string(t.TwilioNumber),
			cli.When(p.Stdout, t.ReceivedAt), t.Means)
	}
	return table.Flush()
}
