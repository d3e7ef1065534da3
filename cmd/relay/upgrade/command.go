// Package upgrade is `relay upgrade`: it says what this version of the program would do to the data folder of a relay on one host, or does
// it. relay serve does the same when it starts; what it is, is in package upgrades.
package upgrade

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/cmd/relay/upgrades"
	"quickdumpnow.com/smsrelay/shared/env"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
)

// program is the command line, with the methods of this verb.
type program struct{ cli.Program }

// settings has the folder.
func settings() []cli.Setting {
	return cli.Named(cli.TargetSettings(), cli.EnvData)
}

// Command returns `relay upgrade`.
func Command(base cli.Program) *cobra.Command {
	p := program{base}
	var onlyCheck, asJSON bool
	cmd := &cobra.Command{
		Use:   "upgrade",
		Short: "Bring the database on this host up to date, or say what that would do",
		Long: `upgrade brings the database in the data folder to the version of this relay, as relay serve does by itself at its next start. Stop
relay serve first. Before anything is changed, the database is copied to the folder before-upgrade in the data folder; the newest three
copies are kept. A database that an older release made is then written anew: from then on, relay serve gives the disk the room that it does
not need any more. That takes up to 10 seconds for each 100 MB.

With --check, upgrade changes nothing, and relay serve may be running: it says which version of the schema the database has, what this
relay would do to it, which relays can use it afterwards, and whether there is room for the copy. The exit code is 3 if this relay is too
old for the database, or if there is no room.`,
		Example: `  relay upgrade --check
  relay upgrade --data /var/lib/sms-relay`,
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.upgrade(cmd.Context(), cmd.Flags(), onlyCheck, asJSON)
		},
	}
	cmd.Flags().BoolVar(&onlyCheck, "check", false, "change nothing, and say what upgrade would do")
	cli.AddJSON(cmd.Flags(), &asJSON, "an object with what was done, or with what would be")
	cli.AddTargetFlags(cmd.Flags(), settings())
	return cmd
}

func (p program) upgrade(ctx context.Context, flags *pflag.FlagSet, onlyCheck, asJSON bool) error {
	r := env.New(cli.LookupOf(settings(), flags, p.Lookup))
	data := r.String(cli.EnvData, "")
	if err := r.Err(); err != nil {
		return cli.SettingsError(err)
	}
	report, err := upgrades.Look(ctx, data, datafolder.Space)
	if err != nil {
		return cli.WithTargetHint(err, false)
	}
	if onlyCheck {
		err := p.showReport(report, asJSON)
		if found := report.Err(); err == nil && found != nil {
			err = cli.WithStartHint(cli.Found(found))
		}
		return err
	}
	if err := report.Err(); err != nil {
		return cli.WithStartHint(err)
	}
	db, err := sqlite.Open(ctx, filepath.Join(data, datafolder.DatabaseFile), time.Now)
	if errors.Is(err, sqlite.ErrInUse) {
		return cli.Hinted(err, "relay serve uses this folder: stop it first, or let it do this at its next start")
	}
	if err != nil {
		return cli.WithTargetHint(err, false)
	}
	done := db.Upgraded()
	if err := db.Close(); err != nil {
		return err
	}
	rebuilt, failed := rebuild(ctx, data)
	if err := p.showDone(data, done, rebuilt, asJSON); err != nil {
		return err
	}
	return cli.WithStartHint(failed)
}

// rebuild writes a database anew that does not give room back; the sizes are 0 if there was none to write.
func rebuild(ctx context.Context, data string) (done rebuilt, err error) {
	before, err := upgrades.Look(ctx, data, datafolder.Space)
	if err != nil || before.GivesBack {
		return done, err
	}
	if err := before.RebuildErr(); err != nil {
		return done, err
	}
	if err := sqlite.Rebuild(ctx, filepath.Join(data, datafolder.DatabaseFile)); err != nil {
		return done, err
	}
	after, err := upgrades.Look(ctx, data, datafolder.Space)
	return rebuilt{Before: before.Bytes, After: after.Bytes}, err
}

// rebuilt is how many bytes a database had before and after it was written anew.
type rebuilt struct {
	Before int64 `json:"before_bytes"`
	After  int64 `json:"after_bytes"`
}

func (p program) showReport(r upgrades.Report, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(r)
	}
	cli.Say(p.Stdout, "%s: the database is at version %d of the schema, and this relay knows version %d.", r.Data, r.Version, r.Program)
	switch {
	case !r.Usable:
		return nil
	case r.Version > r.Program:
		cli.Say(p.Stdout, "A newer relay has added to it. This one can use it as it is.")
	case len(r.Steps) == 0 && r.GivesBack:
		cli.Say(p.Stdout, "There is nothing to do.")
	case len(r.Steps) == 0:
	default:
		table := cli.NewTable(p.Stdout, cli.Column{Title: "STEP TO"}, cli.Column{Title: "WHAT IT DOES", Wrapped: true})
		for _, s := range r.Steps {
			table.Row(strconv.Itoa(s.Version), s.What)
		}
		if err := table.Flush(); err != nil {
			return err
		}
		cli.Say(p.Stdout, "Before that, the database is copied to %s: %s, and %d MB are free.", filepath.Join(r.Data, sqlite.CopiesFolder),
			kilobytes(r.CopyBytes), r.FreeBytes/1_000_000)
	}
	if !r.GivesBack {
		cli.Say(p.Stdout, "An older release made the database: its %s do not become less. relay upgrade writes it anew, while relay serve is "+
			"stopped. It needs %d MB for that, and %d MB are free.", kilobytes(r.Bytes), r.RebuildBytes/1_000_000+1, r.FreeBytes/1_000_000)
	}
	cli.Say(p.Stdout, "A relay that knows version %d or later can go on with the folder afterwards.", r.NeedsThen)
	return nil
}

func (p program) showDone(data string, done sqlite.Upgrade, anew rebuilt, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(struct {
			Data    string  `json:"data"`
			From    int     `json:"from"`
			To      int     `json:"to"`
			Copy    string  `json:"copy,omitempty"`
			Rebuilt rebuilt `json:"rebuilt,omitzero"`
		}{data, done.From, done.To, done.Copy, anew})
	}
	if done.From != done.To {
		cli.Say(p.Stdout, "%s: the database was brought from version %d of the schema to version %d. The copy from before is %s.", data,
			done.From, done.To, done.Copy)
	}
	if anew != (rebuilt{}) {
		cli.Say(p.Stdout, "%s: the database was written anew: it had %s, and has %s. relay serve gives back what it does not need.", data,
			kilobytes(anew.Before), kilobytes(anew.After))
	}
	if done.From == done.To && anew == (rebuilt{}) {
		cli.Say(p.Stdout, "%s: the database is at version %d of the schema. There was nothing to do.", data, done.To)
	}
	return nil
}

// kilobytes writes a size as people read it.
func kilobytes(n int64) string {
	if n < 10_000_000 {
		return strconv.FormatInt((n+999)/1000, 10) + " kB"
	}
	return strconv.FormatInt(n/1_000_000, 10) + " MB"
}
