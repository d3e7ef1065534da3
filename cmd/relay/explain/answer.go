package explain

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// answerFlags are the flags of explain answer.
type answerFlags struct {
	from, to, body string
	at             cli.Moment
	asJSON         bool
	numbers        cli.NumberFlags
}

func (p program) answerCommand() *cobra.Command {
	var f answerFlags
	cmd := &cobra.Command{
		Use:   "answer --from PHONE --to NUMBER --body TEXT",
		Short: "What would become of a text that a phone on duty writes",
		Long: `answer says what would become of a text if a phone wrote it to a number: whether a customer gets it, and which words, or whether
the phone is asked whom it is for. The sender's own code decides, from what is kept of the phone now. Nothing is sent or changed.

--at says when the text comes in; what the phone was sent in the meantime counts as it is kept now.`,
		Example: `  relay explain answer --from +16195550123 --to +18585550100 --body "Yes, at three"
  relay explain answer --from +16195550123 --to +18585550100 --body "A05 yes" --json`,
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.explainAnswer(cmd, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.from, "from", "", "the phone that writes")
	flags.StringVar(&f.to, "to", "", "the Twilio number that it writes to")
	flags.StringVar(&f.body, "body", "", "what it writes")
	flags.Var(&f.at, "at", "when the text comes in: "+cli.MomentHelp+" (default now)")
	cli.AddJSON(flags, &f.asJSON, "what would become of the text, and what decides")
	f.numbers.Add(flags)
	cli.AddTarget(flags)
	return cmd
}

// wouldBe is the SID of a text that nobody has sent.
const wouldBe = "SM00000000000000000000000000000000"

func (p program) explainAnswer(cmd *cobra.Command, f answerFlags) error {
	for _, flag := range []string{"from", "to", "body"} {
		if !cmd.Flags().Changed(flag) {
			return cli.Usage(fmt.Errorf("--%s is missing", flag))
		}
	}
	from, err := f.numbers.ReadFlag("from", f.from)
	if err != nil {
		return err
	}
	to, err := f.numbers.ReadFlag("to", f.to)
	if err != nil {
		return err
	}
	at := f.at.At
	if at.IsZero() {
		at = time.Now()
	}
	at = ledger.Stamp(at)
	text := ledger.Record{MessageSid: wouldBe, TwilioNumber: to, Customer: from, Body: f.body, ReceivedAt: at, UpdatedAt: at}
	return p.WithTarget(cmd.Context(), cmd.Flags(), func(d *target.Target) error {
		foreseeing := delivery.Foreseeing{Records: d.Ledger, Routes: route.NewCache(d.Routes, time.Now), Conversations: d.Conversations}
		seen, err := foreseeing.Answer(cmd.Context(), text, at)
		if err != nil {
			return err
		}
		explained := explainedOf(seen, from, to)
		if f.asJSON {
			return json.NewEncoder(p.Stdout).Encode(explained)
		}
		return explained.write(p.Stdout)
	})
}

// explainedAnswer is what would become of a text of a phone, as JSON.
type explainedAnswer struct {
	TwilioNumber sms.PhoneNumber `json:"twilio_number"`
	Phone        sms.PhoneNumber `json:"phone"`
	// OnDuty: the phone is in the route. Left: it is not any more, but was sent texts in the last seven days.
	OnDuty bool `json:"on_duty"`
	Left   bool `json:"left"`
	// Verdict is "sent", "held", "joined", "told", "released" or "dropped"; it is empty for a text that is no answer of a phone.
	Verdict ledger.AnswerVerdict `json:"verdict,omitempty"`
	State   ledger.State         `json:"state,omitempty"`
	Reason  ledger.Reason        `json:"reason,omitempty"`
	// Customer gets Words; Tag is the customer's. OptsOut: the phone opts out (true) or in again.
	Customer sms.PhoneNumber `json:"customer,omitempty"`
	Tag      string          `json:"tag,omitempty"`
	Words    string          `json:"words,omitempty"`
	OptsOut  *bool           `json:"opts_out,omitempty"`
	// Tells is what the phone is told. Ends counts the texts, held until now, that this one would end unsent, Releases those that it
	// would send.
	Tells    string `json:"tells,omitempty"`
	Ends     int    `json:"ends"`
	Releases int    `json:"releases"`
	// InPlay are the customers whom words without a tag may be for.
	InPlay []inPlay `json:"in_play"`
}

// inPlay is a customer whom words without a tag may be for.
type inPlay struct {
	Customer   sms.PhoneNumber  `json:"customer,omitempty"`
	Tag        conversation.Tag `json:"tag,omitempty"`
	Name       string           `json:"name,omitempty"`
	SentAt     time.Time        `json:"sent_at"`
	AnsweredAt time.Time        `json:"answered_at,omitzero"`
}

func explainedOf(seen delivery.Foreseen, from, to sms.PhoneNumber) explainedAnswer {
	r := seen.Text
	e := explainedAnswer{
		TwilioNumber: to, Phone: from, OnDuty: seen.IsOnDuty, Left: seen.HasLeft, Verdict: r.Answer.Verdict, State: r.State,
		Reason: r.Reason, Tag: r.Answer.Tag, OptsOut: seen.Mark, Tells: r.Answer.Tells, Ends: len(r.Answer.Ends),
		Releases: len(r.Answer.Releases), InPlay: []inPlay{},
	}
	if r.Destination != "" {
		e.Customer, e.Words = r.Destination, r.Answer.Words
	}
	for _, x := range seen.InPlay {
		one := inPlay{Customer: x.Customer, Tag: x.Tag, Name: x.Name, SentAt: x.SentAt.UTC()}
		if !x.AnsweredAt.IsZero() {
			one.AnsweredAt = x.AnsweredAt.UTC()
		}
		e.InPlay = append(e.InPlay, one)
	}
	return e
}

// write says it for people.
func (e explainedAnswer) write(out io.Writer) error {
	phone, number := string(e.Phone), string(e.TwilioNumber)
	switch {
	case e.OnDuty:
		cli.Say(out, "%s is on duty for %s.", phone, number)
	case e.Left:
		cli.Say(out, "%s is not on duty for %s any more, so it can answer with tags only.", phone, number)
	case e.State == "":
		cli.Say(out, "%s is no phone of %s: its text would go to the phones on duty, as a customer's.", phone, number)
		return nil
	}
	cli.Say(out, "%s", e.becomes())
	if e.Words != "" {
		cli.Say(out, "The customer would get:")
		for line := range strings.SplitSeq(e.Words, "\n") {
			cli.Say(out, "  %s", line)
		}
	}
	if e.Tells != "" {
		cli.Say(out, "The phone would be told:")
		cli.Say(out, "  %s", e.Tells)
	}
	if e.Ends > 0 {
		cli.Say(out, "%s of the phone held until now would end unsent.", cli.Plural(e.Ends, "text"))
	}
	return e.writeInPlay(out)
}

// becomes says what would become of the text.
func (e explainedAnswer) becomes() string {
	who := e.Tag
	if e.Customer != "" {
		who = strings.TrimSpace(e.Tag + " " + string(e.Customer))
	}
	switch {
	case e.OptsOut != nil && *e.OptsOut:
		return "The phone would opt out: it gets no texts of the number any more until it texts START. Nobody gets the word."
	case e.OptsOut != nil:
		return "The phone would opt in again. Nobody gets the word."
	case e.Reason == ledger.ReasonOptOut:
		return "It would be for " + who + ", who has opted out: it would not be sent, and the phone would be told."
	case e.Verdict == ledger.AnswerSent && e.Reason == ledger.ReasonPingPong:
		return "It would be sent to " + who + " later: so many texts went back and forth that it waits (relay conversation resume)."
	case e.Verdict == ledger.AnswerSent:
		return "It would be sent to " + who + "."
	case e.Verdict == ledger.AnswerHeld:
		return "It would be held, and the phone asked whom it is for."
	case e.Verdict == ledger.AnswerJoined:
		return "It would be held with the words that the phone was asked about before."
	case e.Verdict == ledger.AnswerTold:
		return "Nobody gets it: the phone would be told who " + who + " is."
	case e.Verdict == ledger.AnswerReleased:
		return "Nobody gets it: the words held until now would be sent to " + who + "."
	case e.Reason == ledger.ReasonReaction:
		return "It would be kept as a reaction to a text that the phone was sent. Nobody gets it."
	}
	return fmt.Sprintf("It would be dropped (%s); relay explain reason %s says why.", e.Reason, e.Reason)
}

// writeInPlay lists whom words without a tag may be for.
func (e explainedAnswer) writeInPlay(out io.Writer) error {
	switch {
	case e.Verdict == "":
		return nil
	case len(e.InPlay) == 0:
		cli.Say(out, "No customer is in play on the phone: words without a tag are for nobody.")
		return nil
	case e.Left:
		cli.Say(out, "It was sent texts of:")
	case len(e.InPlay) == 1:
		cli.Say(out, "One customer is in play on the phone, so words without a tag are for that one:")
	default:
		cli.Say(out, "Several customers are in play on the phone, so words without a tag are for nobody, but for a further text within a "+
			"minute:")
	}
	table := cli.NewTable(out, cli.Column{Title: "TAG"}, cli.Column{Title: "NAME", Drop: 1}, cli.Column{Title: "CUSTOMER"},
		cli.Column{Title: "LAST SENT TO IT"}, cli.Column{Title: "LAST ANSWER"})
	for _, one := range e.InPlay {
		answered, customer := "", string(one.Customer)
		if !one.AnsweredAt.IsZero() {
			answered = cli.When(out, one.AnsweredAt)
		}
		if customer == "" {
			customer = "an operator"
		}
		table.Row(string(one.Tag), one.Name, customer, cli.When(out, one.SentAt), answered)
	}
	return table.Flush()
}
