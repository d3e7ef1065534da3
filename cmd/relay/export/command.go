package export

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/shared/aws/sqs"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/env"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/queue"
)

// program is the command line, with the methods of this verb.
type program struct{ cli.Program }

// exportFlags are the flags of export.
type exportFlags struct {
	toAWS, undo, asJSON bool
	operator            string
	consent             cli.Consent
}

// Command returns `relay export`.
func Command(base cli.Program) *cobra.Command {
	p := program{base}
	var f exportFlags
	cmd := &cobra.Command{
		Use:   "export --to-aws",
		Short: "Move the relay on this host to AWS",
		Long: `export copies the relay on this host to a stack on AWS that is deployed: the routes, what is known of customers and phones, the
texts, and what is under way. The stack has the same Twilio account, and no text has gone through it but a canary.

While relay serve runs, export copies ahead: routes, customers and texts. Run it as often as you like. Then stop relay serve and run it
again: it copies what has changed and what was left, moves the messages that are under way, and marks the folder, so that relay serve
does not start on it any more. From then on the relay on AWS goes on with each text where this one stopped. Point the numbers at it, and
run relay sweep --aws --since 1h --apply: it finds the texts that came in between.

A run that was interrupted is repeated. What AWS has already stays. --undo takes the mark away as long as no message was moved.`,
		Example: `  relay export --to-aws
  relay export --to-aws --apply
  relay export --undo`,
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.export(cmd, f) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.toAWS, "to-aws", false, "copy to the stack that the other flags name")
	flags.BoolVar(&f.undo, "undo", false, "let relay serve start again, if no message was moved yet")
	flags.StringVar(&f.operator, "operator", "", "who moves it (default: RELAY_OPERATOR, or the user name)")
	f.consent.Add(flags, "copy; without it, only say what would be copied")
	cli.AddJSON(flags, &f.asJSON, "how many of each were copied")
	cli.AddTargetFlags(flags, settings())
	return cmd
}

// settings are those of a target; that it is both, the one here and the one on AWS, is the point of the command.
func settings() []cli.Setting {
	return slices.DeleteFunc(cli.TargetSettings(), func(s cli.Setting) bool {
		return s.Env == cli.EnvAWS || s.Env == cli.EnvAuditLogGroup || s.Env == cli.EnvRetention
	})
}

func (p program) export(cmd *cobra.Command, f exportFlags) error {
	r := env.New(cli.LookupOf(settings(), cmd.Flags(), p.Lookup))
	data := r.String(cli.EnvData, "")
	if err := r.Err(); err != nil {
		return cli.SettingsError(err)
	}
	switch {
	case f.toAWS == f.undo:
		return cli.Usage(errors.New("say where to: relay export --to-aws, or relay export --undo"))
	case f.undo:
		return p.undo(data)
	default:
		return p.toAWS(cmd, data, r.String(cli.EnvQueue, ""), f)
	}
}

func (p program) undo(data string) error {
	mark, found, err := datafolder.ReadExported(data)
	switch {
	case err != nil:
		return err
	case !found:
		return fmt.Errorf("the relay in %s has not moved", data)
	case !mark.Items.IsZero():
		return cli.Hinted(fmt.Errorf("messages were moved to %s: a relay here would lose those texts, or send them twice", mark.To),
			"end it with relay export --to-aws")
	}
	if err := os.Remove(filepath.Join(data, datafolder.ExportedFile)); err != nil {
		return err
	}
	cli.Say(p.Stdout, "relay serve may start on %s again. What was copied to %s stays there.", data, mark.To)
	return nil
}

// onAWS opens the relay on AWS, with all its queues.
func (p program) onAWS(ctx context.Context, flags *pflag.FlagSet, queueName string) (*target.Target, map[string]queue.Sender, error) {
	there := p.Program
	there.Lookup = func(name string) (string, bool) {
		if name == cli.EnvAWS {
			return "true", true
		}
		return p.Lookup(name)
	}
	d, err := there.OpenTarget(ctx, flags)
	if err != nil {
		return nil, nil, err
	}
	queues := map[string]queue.Sender{datafolder.QueueName: d.Queue, datafolder.DeadLettersName: d.DeadLetters}
	for here, name := range map[string]string{datafolder.TimersName: "-timers", datafolder.DeadTimersName: "-timers-dead"} {
		found, err := sqs.Find(ctx, d.AWSConfig, queueName+name)
		if err != nil {
			return nil, nil, cli.WithTargetHint(err, true)
		}
		queues[here] = found
	}
	return d, queues, nil
}

// openHere opens the folder as relay serve would, or as a command if a relay runs on it.
func openHere(ctx context.Context, data string) (db *sqlite.DB, stopped bool, err error) {
	path := filepath.Join(data, datafolder.DatabaseFile)
	if _, err := os.Stat(path); err != nil {
		return nil, false, err
	}
	if db, err = sqlite.Open(ctx, path, time.Now); err == nil {
		return db, true, nil
	}
	if errors.Is(err, sqlite.ErrInUse) {
		db, err = sqlite.Attach(ctx, path, time.Now)
	}
	return db, false, err
}

func (p program) toAWS(cmd *cobra.Command, data, queueName string, f exportFlags) (err error) {
	ctx := cmd.Context()
	mode, err := p.Mode(cmd, f.consent, f.asJSON)
	if err != nil {
		return err
	}
	mark, marked, err := datafolder.ReadExported(data)
	if err != nil {
		return err
	}
	if marked && !mark.Done.IsZero() {
		return cli.WithStartHint(datafolder.ExportedError{Exported: mark})
	}
	db, stopped, err := openHere(ctx, data)
	if err != nil {
		return cli.WithTargetHint(err, false)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	there, queues, err := p.onAWS(ctx, cmd.Flags(), queueName)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, there.Close()) }()
	to := fmt.Sprintf("%s (queue %s)", there.Where, queueName)
	if marked && mark.To != to {
		return cli.Hinted(fmt.Errorf("this relay is being moved to %s", mark.To), "go on with that, or go back with relay export --undo")
	}
	e := &Export{
		From: db, Stopped: stopped, Now: time.Now, Writers: writers,
		To: Destination{Routes: there.Routes, Ledger: there.Ledger, Conversations: there.Conversations, Queues: queues},
	}
	if err := checked(e.Check(ctx)); err != nil {
		return err
	}
	if goOn, err := p.planned(cmd, e, to, mode, f.asJSON); err != nil || !goOn {
		return err
	}
	if !marked {
		mark = datafolder.Exported{To: to, By: p.Operator(f.operator), Began: time.Now().UTC()}
	}
	return p.move(ctx, e, data, mark, f.asJSON)
}

// writers is how many texts are written to AWS at once.
const writers = 16

// checked adds a hint to why a move cannot begin.
func checked(err error) error {
	switch {
	case errors.Is(err, ErrUnlogged):
		return cli.Hinted(err, "start relay serve once more, and stop it when relay doctor finds nothing: it writes what is missing")
	case errors.Is(err, ErrTags):
		return cli.Hinted(err, "move into a stack whose conversations' table is empty: a phone would answer the wrong customer")
	default:
		return err
	}
}

// planned shows what there is to copy, and asks.
func (p program) planned(cmd *cobra.Command, e *Export, to string, mode cli.Mode, asJSON bool) (goOn bool, err error) {
	if mode == cli.Do {
		return true, nil
	}
	here, err := e.From.Count(cmd.Context())
	if err != nil {
		return false, err
	}
	messages := 0
	for _, n := range here.Queues {
		messages += n
	}
	counts := map[string]int{
		Routes: here.Routes, Customers: here.Kinds[conversation.PrefixConversation], Phones: here.Kinds[conversation.PrefixPhone],
		Actions: here.Kinds[conversation.PrefixAction], Texts: here.Texts, Messages: messages,
	}
	if asJSON {
		return false, json.NewEncoder(p.Stdout).Encode(map[string]any{"to": to, "relay_serve_runs": !e.Stopped, "dry_run": true, "here": counts})
	}
	for _, kind := range Kinds() {
		cli.Say(p.Stdout, "%s: %s", kind, cli.Grouped(counts[kind]))
	}
	cli.Say(p.Stdout, "They would be copied to %s.", to)
	if !e.Stopped {
		cli.Say(p.Stdout, "relay serve runs: phones and messages wait until it is stopped.")
	}
	if mode == cli.Show {
		return false, nil
	}
	if !p.Confirmed(cmd, "Copy them?") {
		return false, cli.ErrNotConfirmed
	}
	return true, nil
}

// move copies, and marks the folder before and after.
func (p program) move(ctx context.Context, e *Export, data string, mark datafolder.Exported, asJSON bool) error {
	if e.Stopped {
		if err := mark.Write(data); err != nil {
			return err
		}
	}
	rate := cli.NewRate(p.Stderr, 0)
	e.Progress = func(kind string, done int) {
		if kind == Texts {
			rate.Show(done)
		}
	}
	err := e.steps(ctx, data, &mark)
	rate.End()
	if err != nil {
		if fault.Of(err).Kind == fault.Fatal {
			err = cli.WithTargetHint(err, true)
		}
		return cli.WithHint(cli.Interrupted(ctx, err), "run the same command again: it goes on from there")
	}
	return p.show(e, mark, asJSON)
}

// steps copies what is not there yet.
func (e *Export) steps(ctx context.Context, data string, mark *datafolder.Exported) error {
	if mark.Items.IsZero() {
		if err := e.Items(ctx); err != nil {
			return err
		}
	}
	if !e.Stopped {
		return nil
	}
	if mark.Items.IsZero() {
		mark.Items = e.Now().UTC()
		if err := mark.Write(data); err != nil {
			return err
		}
	}
	if err := e.Queued(ctx); err != nil {
		return err
	}
	mark.Done = e.Now().UTC()
	return mark.Write(data)
}

// shownExport is what was done, as JSON.
type shownExport struct {
	To      string                `json:"to"`
	Running bool                  `json:"relay_serve_runs"`
	Done    bool                  `json:"done"`
	Counts  map[string]shownCount `json:"counts"`
}

type shownCount struct {
	Copied int `json:"copied"`
	There  int `json:"there_already"`
	Kept   int `json:"kept_as_on_aws"`
	Left   int `json:"expired"`
}

func (p program) show(e *Export, mark datafolder.Exported, asJSON bool) error {
	shown := shownExport{To: mark.To, Running: !e.Stopped, Done: !mark.Done.IsZero(), Counts: map[string]shownCount{}}
	for _, kind := range Kinds() {
		c := e.Counts()[kind]
		shown.Counts[kind] = shownCount{Copied: c[Copied], There: c[There], Kept: c[Kept], Left: c[Left]}
	}
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(shown)
	}
	table := cli.NewTable(p.Stdout, cli.Column{Title: "WHAT"}, cli.Column{Title: "COPIED"}, cli.Column{Title: "THERE ALREADY"},
		cli.Column{Title: "KEPT AS ON AWS"}, cli.Column{Title: "EXPIRED"})
	for _, kind := range Kinds() {
		c := shown.Counts[kind]
		table.Row(kind, cli.Grouped(c.Copied), cli.Grouped(c.There), cli.Grouped(c.Kept), cli.Grouped(c.Left))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if !shown.Done {
		cli.Say(p.Stdout, "Copied ahead to %s. Stop relay serve, and run the same command again.", shown.To)
		return nil
	}
	cli.Say(p.Stdout, "This relay has moved to %s. relay serve does not start on this folder any more. Next: point each number at the stack "+
		"(relay number configure), and run relay sweep --aws --since 1h --apply.", shown.To)
	return nil
}
