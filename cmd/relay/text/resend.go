package text

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/meaning"
	"quickdumpnow.com/smsrelay/cmd/relay/resend"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// resendFlags are the flags of resend.
type resendFlags struct {
	states, reasons []string
	number, since   string
	because, by     string
	asJSON          bool
	consent         cli.Consent
	numbers         cli.NumberFlags
}

// ResendCommand returns `relay resend`.
func ResendCommand(base cli.Program) *cobra.Command {
	p := program{base}
	var f resendFlags
	cmd := &cobra.Command{
		Use:   "resend [SID...]",
		Short: "Send texts again if they reached nobody",
		Long: `resend sends texts again if they reached nobody: undelivered, failed and dropped texts. Without --apply it only says
what would happen to each text. With --apply it puts them on the queue, and the sender tries each again by the route as it is then.
If you run the command twice, each text is sent once. The ledger and the audit log keep who sent it again and why.

Name the texts, or choose them with --state, --reason, --number and --since. A text that was dropped on purpose (such as loop) is
sent again only if you name it and its route accepts it now. A word that Twilio has answered, such as STOP, is never sent again:
use relay send to tell the phone in your own words.

For uncertain texts use relay uncertain, for dead ones relay dlq.`,
		Example: `  relay resend SM0123456789abcdef0123456789abcdef
  relay resend --since 24h
  relay resend --state dropped --reason inactive --number +18585550100 --since 2h --apply --because "the route was off by mistake"`,
		ValidArgsFunction: p.CompleteSIDs(resendable()...),
		RunE:              func(cmd *cobra.Command, sids []string) error { return p.resend(cmd, sids, f) },
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.states, "state", nil, "only texts in this state: undelivered, failed or dropped (default: all three)")
	flags.StringSliceVar(&f.reasons, "reason", nil, "only texts with this reason, such as inactive")
	flags.StringVar(&f.number, "number", "", "only texts from or to this number")
	flags.StringVar(&f.since, "since", "", "only texts that came in after this time: "+cli.MomentHelp)
	f.consent.Add(flags, "send them again; without it, only say what would happen")
	flags.StringVar(&f.because, "because", "", "with --apply: the reason, which is kept with the texts")
	flags.StringVar(&f.by, "by", "", "your name, which is kept with it (default RELAY_OPERATOR, or else the user name on this host)")
	cli.AddJSON(flags, &f.asJSON, "the texts, and what was done")
	cli.CompleteWords(cmd, "reason", meaning.ReasonNames())
	cli.CompleteWords(cmd, "state", []string{string(ledger.Undelivered), string(ledger.Failed), string(ledger.Dropped)})
	f.numbers.Add(flags)
	cli.AddTarget(flags)
	return cmd
}

// resendable lists the states whose texts can be sent again.
func resendable() []ledger.State {
	return []ledger.State{ledger.Undelivered, ledger.Failed, ledger.Dropped}
}

// check refuses a command line that says too little or too much.
func (f resendFlags) check(sids []string) error {
	filtered := len(f.states)+len(f.reasons) > 0 || f.number != "" || f.since != ""
	switch {
	case len(sids) == 0 && !filtered:
		return cli.Usage(errors.New("which texts? Name their SIDs, or choose them with --state, --reason, --number or --since"))
	case len(sids) > 0 && filtered:
		return cli.Usage(errors.New("choose texts by their SIDs or with --state, --reason, --number and --since, not both"))
	case f.consent.Given() && strings.TrimSpace(f.because) == "":
		return cli.Usage(errors.New("--because is missing: say why. The reason is kept with the texts"))
	}
	for _, state := range f.states {
		if !slices.Contains(resendable(), ledger.State(state)) {
			return cli.Usage(fmt.Errorf("--state %s: want undelivered, failed or dropped", state))
		}
	}
	for _, reason := range f.reasons {
		if !slices.Contains(meaning.ReasonNames(), reason) {
			return cli.Usage(fmt.Errorf("--reason: %w", cli.NotAmong("reason", reason, meaning.ReasonNames())))
		}
	}
	return cli.CheckNote(f.because, f.by)
}

func (p program) resend(cmd *cobra.Command, sids []string, f resendFlags) (err error) {
	ctx := cmd.Context()
	named := sids
	if err := f.check(named); err != nil {
		return err
	}
	mode, err := p.Mode(cmd, f.consent, f.asJSON)
	if err != nil {
		return err
	}
	query := ledger.Query{}
	if query.Since, err = cli.ReadMoment(f.since, time.Now()); err != nil {
		return cli.Usage(fmt.Errorf("--since: %w", err))
	}
	if f.number != "" {
		if query.Number, _, err = f.numbers.ReadSender(f.number); err != nil {
			return err
		}
	}
	if sids, err = cli.ReadSIDs(sids); err != nil {
		return err
	}
	d, err := p.OpenTarget(ctx, cmd.Flags())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	planned, err := f.plan(ctx, d, sids, query)
	if err != nil {
		return err
	}
	if planned.asking = mode == cli.Ask; mode != cli.Do {
		if err := p.printResend(planned, f.asJSON); err != nil || mode == cli.Show || planned.Orders == 0 {
			return err
		}
		if !p.Confirmed(cmd, "Send them again?") {
			return cli.ErrNotConfirmed
		}
		f.consent.Yes, f.because = true, p.Reason(cmd, f.because)
		if err := f.check(named); err != nil {
			return err
		}
	}
	planned.Applied = true
	planned.Ordered, err = resend.Order(ctx, d.Queue, planned.texts, ledger.Decision{By: p.Operator(f.by), Note: f.because})
	err = errors.Join(cli.Interrupted(ctx, err), p.printResend(planned, f.asJSON))
	if left := len(planned.texts) - planned.Ordered; err == nil && len(sids) > 0 && left > 0 {
		return fmt.Errorf("%s not sent again; the list above says why", cli.Plural(left, "text"))
	}
	return err
}

// resendPlan is what a resend would do, and what was done.
type resendPlan struct {
	operations.Resending

	// Intended is how many more were left out because they were dropped on purpose.
	Intended int  `json:"dropped_on_purpose"`
	Applied  bool `json:"applied"`

	texts  []resend.Text
	asking bool
}

// plan reads the texts and says what would happen to each.
func (f resendFlags) plan(ctx context.Context, d *target.Target, sids []string, query ledger.Query) (resendPlan, error) {
	planned := resendPlan{Resending: resend.Show(nil)}
	records, err := namedTexts(ctx, d, sids)
	if err == nil && len(sids) == 0 {
		records, planned.Intended, err = f.list(ctx, d, query)
	}
	if err != nil {
		return planned, err
	}
	if planned.texts, err = resend.Foresee(ctx, d.Routes, records, time.Now()); err != nil {
		return planned, err
	}
	planned.Resending = resend.Show(planned.texts)
	return planned, nil
}

// namedTexts reads the texts of these SIDs, each once.
func namedTexts(ctx context.Context, d *target.Target, sids []string) ([]ledger.Record, error) {
	var records []ledger.Record
	for _, sid := range slices.Compact(slices.Sorted(slices.Values(sids))) {
		r, err := d.Ledger.Get(ctx, sid)
		if errors.Is(err, ledger.ErrNotFound) {
			return nil, cli.Hinted(fmt.Errorf("the ledger has no text %s", sid),
				"relay status lists texts; use the SID of the customer's text, not that of the message Twilio sent on")
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", sid, err)
		}
		records = append(records, r)
	}
	return records, nil
}

// list reads the texts that the filter chooses, and counts those that it leaves out because they were dropped on purpose: the operator
// must name them.
func (f resendFlags) list(ctx context.Context, d *target.Target, query ledger.Query) (records []ledger.Record, intended int, err error) {
	for _, state := range resendable() {
		if len(f.states) > 0 && !slices.Contains(f.states, string(state)) {
			continue
		}
		query.State = state
		all, err := cli.AllOf(ctx, d.Ledger, query)
		if err != nil {
			return nil, 0, err
		}
		for _, r := range all {
			switch {
			case len(f.reasons) > 0 && !slices.Contains(f.reasons, string(r.Reason)):
			case state == ledger.Dropped && r.Reason.Intended():
				intended++
			default:
				records = append(records, r)
			}
		}
	}
	return records, intended, nil
}
