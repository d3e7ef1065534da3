// Package backup is `relay backup` and `relay restore`: a backup of a relay on one host while it runs, and the way back. What a backup is,
// is in package backups.
package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/awsprofile"
	"quickdumpnow.com/smsrelay/cmd/relay/backups"
	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/env"
	"quickdumpnow.com/smsrelay/shared/onehost/durable"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// program is the command line, with the methods of these verbs.
type program struct{ cli.Program }

// settings are those of the two commands: the folder, and the access to a bucket.
func settings() []cli.Setting {
	return cli.Named(cli.TargetSettings(), cli.EnvData, cli.EnvProfile, cli.EnvRegion)
}

// open reads the data folder from the settings, and opens the place.
func (p program) open( //nolint:ireturn // There are two kinds of places.
	ctx context.Context, flags *pflag.FlagSet, text string,
) (data string, place backups.Place, err error) {
	r := env.New(cli.LookupOf(settings(), flags, p.Lookup))
	data = r.String(cli.EnvData, "")
	access := awsprofile.Config{Profile: r.String(cli.EnvProfile, ""), Region: r.String(cli.EnvRegion, "")}
	if err := r.Err(); err != nil {
		return "", nil, cli.SettingsError(err)
	}
	place, err = backups.Open(ctx, text, access)
	return data, place, cli.WithTargetHint(err, true)
}

// Command returns `relay backup`.
func Command(base cli.Program) *cobra.Command {
	p := program{base}
	var withSecrets, asJSON bool
	cmd := &cobra.Command{
		Use:   "backup TO",
		Short: "Back up the relay on this host, also while it runs",
		Long: `backup writes everything that the relay on this host has into one file: the database, the audit log, the attachments and the
settings, as they are at one moment. relay serve may be running, and goes on. TO is a folder or s3://bucket/prefix, where each backup has
a name of its own, or a file that ends in .tar or .tar.gz.

Without --with-secrets the settings are kept without their secrets, and the keys of certificates are left out. The backup has what
customers wrote, and their numbers: keep it where only you can read it.

The backup counts only when it is whole: backup unpacks it, compares each file with the manifest, reads the database to its end and
verifies the audit log. The exit code is 3 if the backup was made and the audit log is not sound. relay restore is the way back;
relay serve --backup makes backups by itself.`,
		Example: `  relay backup /srv/backups
  relay backup /mnt/usb/relay.tar.gz --with-secrets
  relay backup s3://my-bucket/relay --json`,
		Args: oneArgument("say where the backup goes, such as relay backup /srv/backups"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.backup(cmd.Context(), cmd.Flags(), args[0], withSecrets, asJSON)
		},
	}
	cmd.Flags().BoolVar(&withSecrets, "with-secrets", false, "keep the Auth Token and the other secrets, and the keys of certificates, too")
	cli.AddJSON(cmd.Flags(), &asJSON, "the backup's manifest, and where it is")
	cli.AddTargetFlags(cmd.Flags(), settings())
	return cmd
}

// oneArgument wants one argument, and says what it is for.
func oneArgument(wanted string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 1 {
			return nil
		}
		return cli.Usage(errors.New(wanted))
	}
}

func (p program) backup(ctx context.Context, flags *pflag.FlagSet, to string, withSecrets, asJSON bool) (err error) {
	data, place, err := p.open(ctx, flags, to)
	if err != nil {
		return err
	}
	db, err := sqlite.Attach(ctx, filepath.Join(data, datafolder.DatabaseFile), time.Now)
	if err != nil {
		return cli.WithTargetHint(err, false)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	source := backups.Source{
		Database: db, Data: data, Settings: p.given(), Secrets: withSecrets, Relay: telemetry.ReadBuild().String(), Now: time.Now,
	}
	if !asJSON {
		bar := cli.NewProgress(p.Stderr, backups.Steps)
		source.Step = bar.Step
		defer bar.Done()
	}
	taken, err := backups.Take(ctx, source, place)
	if err != nil {
		return interrupted(ctx, err)
	}
	if err := remember(data, taken); err != nil {
		return err
	}
	return p.showTaken(taken, asJSON)
}

// interrupted says that a command that was interrupted has changed nothing.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return cli.Hinted(errors.New("interrupted"), "there is no new backup; the old ones are as they were")
	}
	return err
}

// given are the settings that are set, with their values.
func (p program) given() (given []backups.Setting) {
	for _, s := range cli.ServeSettings() {
		if value, ok := p.Lookup(s.Env); ok && value != "" {
			given = append(given, backups.Setting{Name: s.Env, Value: value, Secret: s.Secret})
		}
	}
	return given
}

// remember notes in the folder that there is a backup.
func remember(data string, taken backups.Taken) error {
	state, _, err := backups.ReadState(data)
	if err != nil {
		// What cannot be read is of no use to anybody.
		state = backups.State{}
	}
	if state.Every > 0 {
		// relay serve makes its own, and looks after them.
		return nil
	}
	state.To, state.Last, state.Unsound = taken.Where, taken.TakenAt, !taken.Audit.Sound()
	return state.Write(data, durable.Disk{})
}

func (p program) showTaken(taken backups.Taken, asJSON bool) error {
	if asJSON {
		shown := struct {
			backups.Taken
			AuditSound bool `json:"audit_sound"`
		}{taken, taken.Audit.Sound()}
		if err := json.NewEncoder(p.Stdout).Encode(shown); err != nil {
			return err
		}
	} else {
		cli.Say(p.Stdout, "%s: %s, %s, of %s.", taken.Where, cli.Plural(len(taken.Files), "file"), bytesText(taken.Packed),
			taken.TakenAt.Format(time.RFC3339))
	}
	if !taken.Audit.Sound() {
		return cli.Hinted(cli.Found(errors.New("the backup is whole, and something is wrong with the audit log in it")),
			"relay audit verify says what")
	}
	return nil
}

// bytesText writes a size as people read it.
func bytesText(n int64) string {
	switch {
	case n < 10_000:
		return fmt.Sprintf("%d bytes", n)
	case n < 10_000_000:
		return fmt.Sprintf("%d kB", n/1000)
	default:
		return fmt.Sprintf("%d MB", n/1_000_000)
	}
}
