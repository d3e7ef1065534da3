package uncertain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/doubts"
	"quickdumpnow.com/smsrelay/cmd/relay/typed"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

// resolveFlags are the flags of uncertain resolve.
type resolveFlags struct {
	sent           string
	resend, giveUp bool
	because, by    string
	attempt        int
	force, asJSON  bool
	consent        cli.Consent
}

func (p program) uncertainResolveCommand() *cobra.Command {
	var f resolveFlags
	cmd := &cobra.Command{
		Use:   "resolve SID",
		Short: "Decide what to do with an uncertain text",
		Long: `resolve records your decision about a text that may or may not have been sent. The ledger and the audit log keep who decided
what, and why.

--sent says that Twilio has the message; give its MessageSid from Twilio's log. resolve asks Twilio whether the message exists and
belongs to this text, unless you add --force.

--resend sends the text again, once. If Twilio has the first message after all, the phone gets both.

--give-up leaves the text alone. It stays uncertain, but relay uncertain ls no longer shows it.`,
		Example: `  relay uncertain resolve SM0123… --sent SM4567… --because "it is in the log"
  relay uncertain resolve SM0123… --resend --because "it is not in the log"
  relay uncertain resolve SM0123… --give-up --because "we called the customer"`,
		Args:              cli.OneSID,
		ValidArgsFunction: p.CompleteSIDs(ledger.Uncertain),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			sids, err := cli.ReadSIDs(args)
			if err != nil {
				return err
			}
			return p.resolve(cmd, sids[0], f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.sent, "sent", "", "it was sent: the MessageSid of the message in Twilio's log")
	flags.BoolVar(&f.resend, "resend", false, "send it again")
	flags.BoolVar(&f.giveUp, "give-up", false, "leave it alone")
	flags.StringVar(&f.because, "because", "", "the reason, which is kept with the text")
	flags.StringVar(&f.by, "by", "", "your name, which is kept with it (default RELAY_OPERATOR, or else the user name on this host)")
	flags.IntVar(&f.attempt, "attempt", 0, "with --sent: the attempt that sent the message (default: the last one in doubt)")
	flags.BoolVar(&f.force, "force", false, "with --sent: do not ask Twilio")
	f.consent.Add(flags, "")
	cli.AddJSON(flags, &f.asJSON, "the text after the decision")
	cli.AddTarget(flags)
	cli.AddTwilio(flags)
	return cmd
}

func (f resolveFlags) check() error {
	decisions := 0
	for _, said := range []bool{f.sent != "", f.resend, f.giveUp} {
		if said {
			decisions++
		}
	}
	switch {
	case decisions != 1:
		return cli.Usage(errors.New("what did you decide? Use one of --sent MESSAGE_SID, --resend and --give-up"))
	case strings.TrimSpace(f.because) == "":
		return cli.Usage(errors.New("--because is missing: say why. The reason is kept with the text"))
	}
	if f.sent != "" {
		if _, err := typed.SID(f.sent); err != nil {
			return cli.Usage(fmt.Errorf("--sent: %w", err))
		}
	}
	return cli.CheckNote(f.because, f.by)
}

func (p program) resolve(cmd *cobra.Command, sid string, f resolveFlags) (err error) {
	ctx := cmd.Context()
	mode, err := p.Mode(cmd, f.consent, f.asJSON)
	if err != nil {
		return err
	}
	var client *twilio.Client
	if f.sent != "" && !f.force {
		client, err = p.OpenTwilio(cmd.Flags())
		if errors.Is(err, cli.ErrNoTwilio) {
			return cli.Hinted(cli.ErrNoTwilio, "set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN to ask Twilio for the message, or add --force to "+
				"skip that")
		}
		if err != nil {
			return err
		}
	}
	d, err := p.OpenTarget(ctx, cmd.Flags())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	desk := doubts.Desk{Ledger: d.Ledger, Queue: d.Queue, Now: time.Now}
	if client != nil {
		desk.Twilio = client
	}
	return hinted(p.decide(cmd, desk, sid, f, mode))
}

// hinted adds the hint of a refusal.
func hinted(err error) error {
	if refused, ok := errors.AsType[doubts.RefusedError](err); ok && refused.Hint != "" {
		return cli.Hinted(err, refused.Hint)
	}
	return err
}

// order is what the flags say.
func (f resolveFlags) order() doubts.Order {
	o := doubts.Order{What: ledger.VerdictGiveUp, Sent: f.sent, Attempt: f.attempt}
	switch {
	case f.resend:
		o.What = ledger.VerdictResend
	case f.sent != "":
		o.What = ledger.VerdictSent
	}
	return o
}

func (p program) decide(cmd *cobra.Command, desk doubts.Desk, sid string, f resolveFlags, mode cli.Mode) error {
	ctx := cmd.Context()
	r, err := desk.Find(ctx, sid)
	if err != nil {
		return err
	}
	decision := ledger.Decision{By: p.Operator(f.by), Note: f.because}
	if f.resend {
		if goOn, err := p.permitted(cmd, r, f, mode, shownOrder{MessageSid: r.MessageSid, Ordered: "resend", DryRun: true}); err != nil || !goOn {
			return err
		}
		return p.orderResend(ctx, desk, r, decision, f.asJSON)
	}
	edit, err := desk.Edit(ctx, r, f.order(), decision)
	if err != nil {
		return err
	}
	decided, err := edit.Of(r)
	if err != nil {
		return err
	}
	planned := shownDoubtOf(decided)
	planned.DryRun = true
	if goOn, err := p.permitted(cmd, r, f, mode, planned); err != nil || !goOn {
		return err
	}
	stored, err := desk.Write(ctx, r, edit)
	if err != nil {
		return err
	}
	if f.asJSON {
		return json.NewEncoder(p.Stdout).Encode(shownDoubtOf(stored))
	}
	cli.Printf(p.Stdout, "%s is %s.\n", stored.MessageSid, cli.StateLine(stored))
	return nil
}

// permitted shows the decision and asks whether it is meant, if somebody is to be asked. In a dry run goOn is false; with JSON, it
// prints planned.
func (p program) permitted(cmd *cobra.Command, r ledger.Record, f resolveFlags, mode cli.Mode, planned any) (goOn bool, err error) {
	switch {
	case mode == cli.Do:
		return true, nil
	case f.asJSON:
		return false, json.NewEncoder(p.Stdout).Encode(planned)
	}
	cli.Say(p.Stdout, "%s %s.", r.MessageSid, f.order().Means())
	if mode == cli.Show {
		return false, nil
	}
	if !p.Confirmed(cmd, "Record this decision?") {
		return false, cli.ErrNotConfirmed
	}
	return true, nil
}

// shownOrder is the order to send a text again, as JSON.
type shownOrder struct {
	MessageSid string `json:"message_sid"`
	Ordered    string `json:"ordered"`
	// DryRun: nothing was ordered.
	DryRun bool `json:"dry_run,omitempty"`
}

// orderResend puts the order on the queue, for the sender.
func (p program) orderResend(ctx context.Context, desk doubts.Desk, r ledger.Record, decision ledger.Decision, asJSON bool) error {
	if err := desk.Resend(ctx, r, decision); err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(shownOrder{MessageSid: r.MessageSid, Ordered: "resend"})
	}
	cli.Say(p.Stdout, "%s is on the queue and will be sent again. relay status %s shows what happens to it.", r.MessageSid,
		r.MessageSid)
	return nil
}
