// Package forget is `relay forget`: it erases what a relay on one host, and Twilio, have of a customer. How that is done is in package
// forgetting, which relay serve has too.
package forget

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/awsprofile"
	"quickdumpnow.com/smsrelay/cmd/relay/backups"
	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/cmd/relay/forgetting"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/env"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// program is the command line, with the methods of this verb.
type program struct{ cli.Program }

// settings are the folder, where the backups and the replica are, and the access to a bucket.
func settings() []cli.Setting {
	return slices.Concat(
		cli.Named(cli.TargetSettings(), cli.EnvData, cli.EnvProfile, cli.EnvRegion),
		cli.Named(cli.ServeSettings(), cli.EnvBackup, cli.EnvReplicate),
	)
}

// Command returns `relay forget`.
func Command(base cli.Program) *cobra.Command {
	p := program{base}
	var consent cli.Consent
	var numbers cli.NumberFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "forget CUSTOMER",
		Short: "Erase what is kept of a customer, here and at Twilio",
		Long: `forget erases what a customer wrote and was answered, the attachments and the name: in the data folder on this host, at all Twilio
numbers; in backups from then on; and at Twilio. What became of each text stays, with the last digits of the number, as in the audit log,
which has no words and stays as it is. If the customer opted out or is blocked, that stays too, as a hash.

A text that is still under way is erased once it is over. Twilio erases a message only when it is finished, which may take days. relay
serve goes on by itself until nothing is left, and relay forget ls shows what is. The exit code is 3 while something is left.

Older backups still have what they have, and a replica has it for two days. A list beside the backups of relay serve (--backup), and beside
its replica (--replicate), says as hashes who was forgotten: a restore from there erases those customers again. What phones on duty
got is on those phones, and is not taken back.`,
		Example: `  relay forget +13125550147 --dry-run
  relay forget +13125550147
  relay forget ls`,
		SuggestionsMinimumDistance: 2,
		Args:                       cli.Arguments("the customer"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.forget(cmd, args[0], numbers, consent, asJSON)
		},
	}
	consent.Add(cmd.Flags(), "erase it; without it, only show what would be erased")
	numbers.Add(cmd.Flags())
	cli.AddJSON(cmd.Flags(), &asJSON, "what would be erased, or what was and what is left")
	cli.AddTargetFlags(cmd.Flags(), settings())
	cli.AddTwilio(cmd.Flags())
	cmd.AddCommand(p.listCommand())
	return cmd
}

// open opens the database of the data folder.
func (p program) open(ctx context.Context, flags *pflag.FlagSet) (db *sqlite.DB, data string, err error) {
	data, _ = cli.LookupOf(settings(), flags, p.Lookup)(cli.EnvData)
	db, err = sqlite.Attach(ctx, filepath.Join(data, datafolder.DatabaseFile), time.Now)
	return db, data, cli.WithTargetHint(err, false)
}

func (p program) forget(cmd *cobra.Command, typed string, numbers cli.NumberFlags, consent cli.Consent, asJSON bool) (err error) {
	ctx := cmd.Context()
	customer, _, err := numbers.ReadSender(typed)
	if err != nil {
		return err
	}
	mode, err := p.Mode(cmd, consent, asJSON)
	if err != nil {
		return err
	}
	db, data, err := p.open(ctx, cmd.Flags())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := checkCustomer(ctx, db, customer); err != nil {
		return err
	}
	if mode != cli.Do {
		plan, err := forgetting.Look(ctx, db, customer, time.Now())
		if err != nil {
			return err
		}
		if err := p.printPlan(plan, asJSON, mode == cli.Ask); err != nil || mode == cli.Show {
			return err
		}
		if !p.Confirmed(cmd, "Erase it? It cannot be taken back.") {
			return cli.ErrNotConfirmed
		}
	}
	o, err := forgetting.Give(ctx, db, customer, p.Operator(""), time.Now())
	if err != nil {
		return err
	}
	worker, hint, err := p.worker(cmd.Flags(), db, data)
	if err != nil {
		return err
	}
	if o, err = work(ctx, worker, o); err != nil {
		return cli.Interrupted(ctx, err)
	}
	return p.printOrder(o, asJSON, hint)
}

// checkCustomer refuses the numbers of the business, and those of its people: their texts are everybody's.
func checkCustomer(ctx context.Context, db *sqlite.DB, customer sms.PhoneNumber) error {
	routes, _, err := route.Readable(db.Routes().List(ctx))
	if err != nil {
		return err
	}
	for _, r := range routes {
		for _, number := range slices.Concat(r.Numbers(), r.AllPhones()) {
			if sms.Same(number, customer) {
				return cli.Hinted(cli.Usage(fmt.Errorf("%s is a number, or a phone, of the route of %s, and not a customer", string(customer),
					string(r.TwilioNumber))), "relay phone rm takes a phone out of a route")
			}
		}
	}
	return nil
}

// worker makes what carries the order out. Without a Twilio account here, hint says that relay serve asks Twilio.
func (p program) worker(flags *pflag.FlagSet, db *sqlite.DB, data string) (w forgetting.Worker, hint string, err error) {
	w = forgetting.Worker{DB: db, RemoveFile: forgetting.RemoveFrom(data), Now: time.Now}
	switch client, err := p.OpenTwilio(flags); {
	case errors.Is(err, cli.ErrNoTwilio):
		hint = "Twilio is not asked from here, because no account is set: relay serve does that."
	case err != nil:
		return w, "", err
	default:
		w.Messages = client
	}
	r := env.New(cli.LookupOf(settings(), flags, p.Lookup))
	places := []string{r.String(cli.EnvBackup, ""), r.String(cli.EnvReplicate, "")}
	access := awsprofile.Config{Profile: r.String(cli.EnvProfile, ""), Region: r.String(cli.EnvRegion, "")}
	w.Share = func(ctx context.Context, list forgetting.List) error {
		return backups.ShareForgotten(ctx, places, access, list)
	}
	return w, hint, r.Err()
}

// patience is for how long the command waits for the audit log of a relay that runs, and pause how often it looks.
const (
	patience = 5 * time.Second
	pause    = 200 * time.Millisecond
)

// work carries the order out. What a relay that runs does at the same time is left to it.
func work(ctx context.Context, w forgetting.Worker, o forgetting.Order) (forgetting.Order, error) {
	for until := time.Now().Add(patience); ; {
		done, err := w.Work(ctx, o)
		switch {
		case errors.Is(err, conversation.ErrConflict):
			orders, err := forgetting.Orders(ctx, w.DB)
			if err != nil {
				return o, err
			}
			o = orders[slices.IndexFunc(orders, func(other forgetting.Order) bool { return other.Hash == o.Hash })]
		case err != nil:
			return done, err
		default:
			o = done
		}
		waitsForAudit := slices.ContainsFunc(o.Waits, func(wait forgetting.Wait) bool { return wait.Why == forgetting.WaitsForAudit })
		if !waitsForAudit && err == nil || time.Now().After(until) {
			return o, nil
		}
		select {
		case <-ctx.Done():
			return o, ctx.Err()
		case <-time.After(pause):
		}
	}
}

func (p program) listCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List the customers who were forgotten, and what is left to do",
		Long: `ls lists the customers who were forgotten, by the last digits of their numbers, and what is left to do. relay serve does it. The
exit code is 3 while something is left.`,
		Example: `  relay forget ls
  relay forget ls --json | jq '.[] | select(.done_at == null)'`,
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			db, _, err := p.open(cmd.Context(), cmd.Flags())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, db.Close()) }()
			orders, err := forgetting.Orders(cmd.Context(), db)
			if err != nil {
				return err
			}
			return p.printOrders(orders, asJSON)
		},
	}
	cli.AddJSON(cmd.Flags(), &asJSON, "an array of the orders, with what was erased and what is left")
	cli.AddTargetFlags(cmd.Flags(), settings())
	return cmd
}

// printPlan says what would be erased.
func (p program) printPlan(plan forgetting.Plan, asJSON, isAsking bool) error {
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(struct {
			forgetting.Plan
			DryRun bool `json:"dry_run"`
		}{plan, true})
	}
	cli.Say(p.Stdout, "%s: %s and %s here would be erased, and %s at Twilio, with those that only Twilio has.", string(plan.Customer),
		cli.Plural(plan.Texts, "text"), cli.Plural(plan.Files, "attachment"), cli.Plural(plan.Messages, "message"))
	for _, name := range plan.Names {
		cli.Say(p.Stdout, "The name %q would be erased.", name)
	}
	switch {
	case plan.OptedOut && plan.Blocked:
		cli.Say(p.Stdout, "That the customer opted out, and is blocked, stays, as a hash.")
	case plan.OptedOut:
		cli.Say(p.Stdout, "That the customer opted out stays, as a hash.")
	case plan.Blocked:
		cli.Say(p.Stdout, "That the customer is blocked stays, as a hash.")
	}
	p.printWaits(plan.Waits)
	if !isAsking {
		cli.Say(p.Stdout, "Nothing was erased. To erase it, add --apply.")
	}
	return nil
}
