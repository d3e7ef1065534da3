package dlq

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/deadletters"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// dropFlags are the flags of dlq drop.
type dropFlags struct {
	wanted        filterFlags
	settled       bool
	consent       cli.Consent
	asking        bool
	because, save string
	by            string
	asJSON        bool
}

func (p program) dlqDropCommand() *cobra.Command {
	var f dropFlags
	cmd := &cobra.Command{
		Use:     "drop [SID…]",
		Aliases: []string{"rm", "remove", "delete"},
		Short:   "Delete dead letters that should not be sent",
		Long: `drop deletes dead letters. Their texts stay in the ledger as they are: a dead text stays dead, and nobody gets it. Without
--apply it only says which letters it would delete.

--settled chooses letters that are no longer needed: Twilio has the text, or the text died again later. drop writes each letter to
a file before it deletes it, with who dropped it and why; relay dlq restore puts the letters back from that file.`,
		Example: `  relay dlq drop --settled
  relay dlq drop --settled --because "delivered after all" --apply
  relay dlq drop SM0123456789abcdef0123456789abcdef --because "a test" --apply`,
		ValidArgsFunction: p.CompleteSIDs(ledger.Dead),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.wanted.sids = append(f.wanted.sids, args...)
			return p.drop(cmd, f)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.settled, "settled", false, "only letters that are no longer needed")
	f.consent.Add(flags, "delete the letters; without it, only show them")
	flags.StringVar(&f.because, "because", "", "the reason, which is kept with the letters")
	flags.StringVar(&f.by, "by", "", "your name, which is kept with it (default RELAY_OPERATOR, or else the user name on this host)")
	flags.StringVar(&f.save, "save", "", "write the letters to this file first, one line of JSON each (default dead-letters-<time>.jsonl "+
		"in this folder)")
	cli.AddJSON(flags, &f.asJSON, "the letters, and whether they were deleted")
	f.wanted.add(cmd, p.CompleteSIDs(ledger.Dead))
	cli.AddTarget(flags)
	return cmd
}

// filter reads which letters to drop. It refuses to drop all letters unless a flag says so.
func (f *dropFlags) filter(now time.Time) (deadletters.Filter, error) {
	filter, err := f.wanted.filter(now)
	if err != nil {
		return filter, err
	}
	if f.settled {
		for _, o := range deadletters.Outlooks() {
			if o.Settled() {
				filter.Outlooks = append(filter.Outlooks, o)
			}
		}
	}
	if filter.IsZero() {
		return filter, cli.Usage(errors.New("which letters? Name their SIDs, or choose them with --settled, --reason, --number, --since or " +
			"--until"))
	}
	if f.consent.Given() && strings.TrimSpace(f.because) == "" {
		return filter, cli.Usage(errors.New("--because is missing: say why they are dropped. The reason is kept with the letters"))
	}
	if err := cli.CheckNote(f.because, f.by); err != nil {
		return filter, err
	}
	return filter, nil
}

func (p program) drop(cmd *cobra.Command, f dropFlags) (err error) {
	ctx := cmd.Context()
	filter, err := f.filter(time.Now())
	if err != nil {
		return err
	}
	mode, err := p.Mode(cmd, f.consent, f.asJSON)
	if err != nil {
		return err
	}
	d, err := p.OpenTarget(ctx, cmd.Flags())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if f.asking = mode == cli.Ask; mode != cli.Do {
		listed, err := deadletters.List(ctx, d.DeadLetters, d.Ledger, filter)
		if err != nil {
			return err
		}
		if err := p.printDrop(listed, f, ""); err != nil || mode == cli.Show || len(listed.Letters) == 0 {
			return err
		}
		if !p.Confirmed(cmd, "Delete them?") {
			return cli.ErrNotConfirmed
		}
		f.consent.Yes, f.because = true, p.Reason(cmd, f.because)
		if filter, err = f.filter(time.Now()); err != nil {
			return err
		}
	}
	return p.applyDrop(ctx, d, filter, f)
}

// applyDrop deletes the letters.
func (p program) applyDrop(ctx context.Context, d *target.Target, filter deadletters.Filter, f dropFlags) (err error) {
	file := &letterFile{path: f.path(time.Now()), by: p.Operator(f.by), because: f.because, now: time.Now}
	defer func() { err = errors.Join(err, file.close()) }()
	decision := ledger.Decision{By: file.by, Note: f.because}
	dropped, err := deadletters.Drop{
		From: d.DeadLetters, Records: d.Ledger, Filter: filter, Save: file.save,
		Note: func(ctx context.Context, l deadletters.Letter) error { return noteDrop(ctx, d, l, decision) },
	}.Run(ctx)
	listed := deadletters.Found{Letters: dropped}
	if err == nil && len(dropped) == 0 {
		listed, err = deadletters.List(ctx, d.DeadLetters, d.Ledger, filter)
	}
	return errors.Join(p.printDrop(listed, f, file.path), cli.Interrupted(ctx, err))
}

// noteDrop writes into the ledger who dropped the letter of a dead text, and why. It writes nothing if the text is not dead, or
// if the letter is from an earlier death: then the letter is not needed.
func noteDrop(ctx context.Context, d *target.Target, l deadletters.Letter, decision ledger.Decision) error {
	if l.Record.State != ledger.Dead || l.Outlook == deadletters.Stale {
		return nil
	}
	_, err := auditlog.Change(ctx, d.Ledger, l.Record, func(r ledger.Record) (ledger.Record, bool, error) {
		r, changed := r.DropLetter(decision, time.Now())
		return r, changed, nil
	})
	return err
}

// path returns the file that the letters are written to.
func (f *dropFlags) path(now time.Time) string {
	if f.save != "" {
		return f.save
	}
	return "dead-letters-" + now.UTC().Format("20060102T150405Z") + ".jsonl"
}

func (p program) printDrop(listed deadletters.Found, f dropFlags, path string) error {
	if f.asJSON {
		return json.NewEncoder(p.Stdout).Encode(struct {
			shownLetterList

			Applied bool   `json:"applied"`
			Saved   string `json:"saved,omitempty"`
		}{shownLetters(listed, false), f.consent.Given(), path})
	}
	if err := writeLetters(p.Stdout, listed); err != nil || len(listed.Letters) == 0 {
		return err
	}
	if lost := unsent(listed.Letters); lost > 0 {
		cli.Say(p.Stdout, "relay dlq redrive would send %d of them; if they are dropped, nobody gets those texts.", lost)
	}
	if f.consent.Given() {
		cli.Printf(p.Stdout, "Deleted. relay dlq restore %s puts them back.\n", path)
	} else if !f.asking {
		fmt.Fprintln(p.Stdout, "Nothing was deleted. To delete them, add --apply --because WHY.")
	}
	return nil
}

// unsent counts the letters whose texts a redrive would send.
func unsent(all []deadletters.Letter) (n int) {
	for _, l := range all {
		if l.Outlook.Sends() {
			n++
		}
	}
	return n
}

func (p program) dlqRestoreCommand() *cobra.Command {
	var consent cli.Consent
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put dropped letters back on the dead-letter queue",
		Long: `restore puts the letters in a file of relay dlq drop back on the dead-letter queue, as they were. If you restore a letter
twice, its text is still sent only once: the ledger makes sure of it.`,
		Example: `  relay dlq restore dead-letters-20261124T080000Z.jsonl`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return cli.Usage(errors.New("name one file that relay dlq drop wrote"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return p.restore(cmd, args[0], consent, asJSON) },
	}
	consent.Add(cmd.Flags(), "")
	cli.AddJSON(cmd.Flags(), &asJSON, "an object with how many letters were put back")
	cli.AddTarget(cmd.Flags())
	return cmd
}

func (p program) restore(cmd *cobra.Command, path string, consent cli.Consent, asJSON bool) (err error) {
	mode, err := p.Mode(cmd, consent, asJSON)
	if err != nil {
		return err
	}
	file, err := os.Open(path) //nolint:gosec // the operator names the file.
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // it was only read.
	kept, err := readLetterFile(file)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if mode != cli.Do && !asJSON {
		cli.Printf(p.Stdout, "%s would be put back.\n", cli.Plural(len(kept), "letter"))
	}
	switch {
	case mode == cli.Show && asJSON:
		return json.NewEncoder(p.Stdout).Encode(restored{DryRun: true, Letters: len(kept)})
	case mode == cli.Show:
		return nil
	case mode == cli.Ask && !p.Confirmed(cmd, "Put them back?"):
		return cli.ErrNotConfirmed
	}
	return p.putBack(cmd, kept, asJSON)
}

// restored is what came of a restore, as JSON.
type restored struct {
	Letters int  `json:"letters"`
	DryRun  bool `json:"dry_run"`
}

// putBack puts the letters on the dead-letter queue.
func (p program) putBack(cmd *cobra.Command, kept []keptLetter, asJSON bool) (err error) {
	d, err := p.OpenTarget(cmd.Context(), cmd.Flags())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	for i, one := range kept {
		if err := d.DeadLetters.Send(cmd.Context(), one.outgoing(time.Now())); err != nil {
			return fmt.Errorf("put letter %d of %d back: %w", i+1, len(kept), err)
		}
	}
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(restored{Letters: len(kept)})
	}
	cli.Printf(p.Stdout, "%s put back.\n", cli.Plural(len(kept), "letter"))
	return nil
}
