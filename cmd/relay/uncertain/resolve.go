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
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/cmd/relay/typed"
	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/reconcile"
	"quickdumpnow.com/smsrelay/shared/sms"
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
	r, err := uncertainText(ctx, d, sid)
	if err != nil {
		return err
	}
	decision := ledger.Decision{By: p.Operator(f.by), Note: f.because}
	if f.resend {
		if goOn, err := p.permitted(cmd, r, f, mode, shownOrder{MessageSid: r.MessageSid, Ordered: "resend", DryRun: true}); err != nil || !goOn {
			return err
		}
		return p.orderResend(ctx, d, r, decision, f.asJSON)
	}
	edit, err := f.edit(ctx, d, client, r, decision)
	if err != nil {
		return err
	}
	decided, err := edited(r, edit)
	if err != nil {
		return err
	}
	planned := shownDoubtOf(decided)
	planned.DryRun = true
	if goOn, err := p.permitted(cmd, r, f, mode, planned); err != nil || !goOn {
		return err
	}
	return p.writeDecision(ctx, d, r, edit, f.asJSON)
}

// edit is a change of a record, see [auditlog.Change].
type edit = func(ledger.Record) (ledger.Record, bool, error)

// edit returns what --give-up or --sent changes in the text's record. It asks Twilio about the message of --sent if there is a client.
func (f resolveFlags) edit(
	ctx context.Context, d *target.Target, client *twilio.Client, r ledger.Record, decision ledger.Decision,
) (edit, error) {
	if f.giveUp {
		return func(r ledger.Record) (ledger.Record, bool, error) {
			r, changed := r.Abandon(decision, time.Now())
			return r, changed, nil
		}, nil
	}
	receipt, err := f.receipt(ctx, d, client, r)
	if err != nil {
		return nil, err
	}
	return func(r ledger.Record) (ledger.Record, bool, error) {
		r, changed := r.Attest(receipt, decision, time.Now())
		return r, changed, nil
	}, nil
}

// edited returns the text as it would be after the decision. The error says why the decision cannot be made.
func edited(r ledger.Record, edit edit) (ledger.Record, error) {
	after, changed, err := edit(r)
	if err == nil && !changed {
		err = undecided(r)
	}
	return after, err
}

// undecided says why a decision changed nothing.
func undecided(r ledger.Record) error {
	if r.State == ledger.Uncertain {
		return fmt.Errorf("%s is already %s", r.MessageSid, cli.StateLine(r))
	}
	return notUncertain(r)
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
	decision := "be given up: it stays uncertain, and relay uncertain ls no longer shows it"
	switch {
	case f.resend:
		decision = "be sent again; if Twilio has the first message after all, the phone gets both"
	case f.sent != "":
		decision = "be recorded as sent, as Twilio's message " + f.sent
	}
	cli.Say(p.Stdout, "%s would %s.", r.MessageSid, decision)
	if mode == cli.Show {
		return false, nil
	}
	if !p.Confirmed(cmd, "Record this decision?") {
		return false, cli.ErrNotConfirmed
	}
	return true, nil
}

// writeDecision writes the decision into the ledger, unless the text has reached its end meanwhile.
func (p program) writeDecision(
	ctx context.Context, d *target.Target, r ledger.Record, edit edit, asJSON bool,
) error {
	decided := false
	stored, err := auditlog.Change(ctx, d.Ledger, r, func(r ledger.Record) (_ ledger.Record, _ bool, err error) {
		r, decided, err = edit(r)
		return r, decided, err
	})
	switch {
	case err != nil:
		return fmt.Errorf("write the decision about %s: %w", r.MessageSid, err)
	case !decided:
		return undecided(stored)
	}
	if err := settleRing(ctx, d, stored); err != nil {
		return fmt.Errorf("write what follows for %s: %w", stored.ParentSid, err)
	}
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(shownDoubtOf(stored))
	}
	cli.Printf(p.Stdout, "%s is %s.\n", stored.MessageSid, cli.StateLine(stored))
	return nil
}

// shownOrder is the order to send a text again, as JSON.
type shownOrder struct {
	MessageSid string `json:"message_sid"`
	Ordered    string `json:"ordered"`
	// DryRun: nothing was ordered.
	DryRun bool `json:"dry_run,omitempty"`
}

// orderResend puts the order on the queue, for the sender.
func (p program) orderResend(ctx context.Context, d *target.Target, r ledger.Record, decision ledger.Decision, asJSON bool) error {
	order, err := delivery.ResendOrder(r, decision)
	if err == nil {
		err = d.Queue.Send(ctx, order)
	}
	if err != nil {
		return fmt.Errorf("order %s to be sent again: %w", r.MessageSid, err)
	}
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(shownOrder{MessageSid: r.MessageSid, Ordered: "resend"})
	}
	cli.Say(p.Stdout, "%s is on the queue and will be sent again. relay status %s shows what happens to it.", r.MessageSid,
		r.MessageSid)
	return nil
}

// receipt turns what the operator says about the message into a receipt of the attempt in doubt. Without --force it asks Twilio.
func (f resolveFlags) receipt(ctx context.Context, d *target.Target, client *twilio.Client, r ledger.Record) (sms.Receipt, error) {
	attempt, err := f.doubtful(r)
	if err != nil {
		return sms.Receipt{}, err
	}
	receipt := sms.Receipt{
		Sid: f.sent, Status: sms.StatusQueued,
		CallbackRef: sms.CallbackRef{RelayID: r.MessageSid, Hop: attempt.Hop, Attempt: attempt.Number},
	}
	if client == nil {
		return receipt, nil
	}
	found, err := client.Fetch(ctx, f.sent)
	if refused, ok := errors.AsType[*fault.Error](err); ok && refused.HTTPStatus == 404 {
		return receipt, cli.Hinted(fmt.Errorf("twilio has no message %s", f.sent),
			"check that the message belongs to the account in TWILIO_ACCOUNT_SID")
	}
	if err != nil {
		return receipt, fmt.Errorf("ask Twilio about %s: %w", f.sent, err)
	}
	if problem := notOf(found, r, attempt); problem != "" {
		return receipt, cli.Hinted(fmt.Errorf("%s is not this text's message: %s", f.sent, problem), "if you are sure, add --force")
	}
	owner, err := reconcile.Owner(ctx, d.Ledger, r, attempt, f.sent)
	if err != nil {
		return receipt, fmt.Errorf("read the conversation: %w", err)
	}
	if owner != "" {
		return receipt, cli.Hinted(
			fmt.Errorf("according to the ledger, %s is the message of %s", f.sent, owner),
			"two texts with the same words have one message each: look for the other one",
		)
	}
	receipt.Status, receipt.ErrorCode = found.Status, found.ErrorCode
	return receipt, nil
}

// doubtful returns the attempt in doubt that the message belongs to.
func (f resolveFlags) doubtful(r ledger.Record) (ledger.Attempt, error) {
	for i := len(r.Attempts) - 1; i >= 0; i-- {
		if a := r.Attempts[i]; a.Unknown() && (f.attempt == 0 || f.attempt == a.Number) {
			return a, nil
		}
	}
	if len(r.Ring.Phones) > 0 {
		return ledger.Attempt{}, cli.Hinted(fmt.Errorf("%s goes to several phones at the same time", r.MessageSid),
			"decide about the text to the phone in doubt: relay status "+r.MessageSid+" shows its id")
	}
	return ledger.Attempt{}, fmt.Errorf("%s has no attempt %d in doubt", r.MessageSid, f.attempt)
}

// notOf says why a message cannot belong to the attempt, "" if it can. It quotes neither numbers nor words.
func notOf(found sms.Listed, r ledger.Record, a ledger.Attempt) string {
	switch {
	case found.Direction != sms.DirectionAPI:
		return "the API did not send it"
	case !sms.Same(found.From, r.SentFrom(a)):
		return "it is from another number"
	case !sms.Same(found.To, a.To):
		return "it went to another phone"
	case !reconcile.Same(found.Body, plan.TextOf(r.AsSent(a), a.Header)):
		return "it says something else"
	}
	return ""
}
