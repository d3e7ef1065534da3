package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/backups"
	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
)

// RestoreCommand returns `relay restore`.
func RestoreCommand(base cli.Program) *cobra.Command {
	p := program{base}
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "restore FROM",
		Short: "Restore a backup, or a replica, into an empty folder",
		Long: `restore puts a backup into the data folder of this host, which has to be empty: it replaces nothing. FROM is what relay backup
wrote: a file, or a folder or s3://bucket/prefix with backups, of which restore takes the newest. Or it is where relay serve --replicate
keeps a replica: restore takes what is newer.

restore compares each file with the backup's manifest and reads the database to its end before anything is in the folder. The settings
are in settings.env then; no program reads that file by itself. Stop the old relay for good before you start one on the restored folder. It
knows that it is a copy: it asks Twilio what was received and sent since then, and sends nothing twice.`,
		Example: `  relay restore /srv/backups
  relay restore /srv/backups/sms-relay-20261130T060000Z.tar.gz --data /var/lib/sms-relay
  relay restore s3://my-bucket/relay --data ./drill`,
		Args: oneArgument("say what to restore, such as relay restore /srv/backups"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.restore(cmd.Context(), cmd.Flags(), args[0], asJSON)
		},
	}
	cli.AddJSON(cmd.Flags(), &asJSON, "the backup's manifest, and where it was")
	cli.AddTargetFlags(cmd.Flags(), settings())
	return cmd
}

func (p program) restore(ctx context.Context, flags *pflag.FlagSet, from string, asJSON bool) error {
	data, place, err := p.open(ctx, flags, from)
	if err != nil {
		return err
	}
	manifest, where, err := backups.Restore(ctx, place, data, time.Now())
	if err != nil {
		return withRestoreHint(err, data)
	}
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(struct {
			backups.Manifest
			From string `json:"from"`
			Data string `json:"data"`
		}{manifest, where, data})
	}
	cli.Say(p.Stdout, "%s: restored from %s %s, %s: %s.", data, manifest.What(), manifest.TakenAt.Format(time.RFC3339), where,
		cli.Plural(len(manifest.Files), "file"))
	if manifest.Forgotten > 0 {
		cli.Say(p.Stdout, "%s forgotten since the backup: what it had of them is erased again.", cli.Plural(manifest.Forgotten, "customer"))
	}
	cli.Say(p.Stdout, "Before relay serve starts on it, stop the old relay for good. It asks Twilio what was received and sent since then.")
	return nil
}

func withRestoreHint(err error, data string) error {
	switch {
	case errors.Is(err, backups.ErrNotEmpty):
		return cli.Hinted(err, "restore into an empty folder with --data, or move the old one away")
	case errors.Is(err, sqlite.ErrInUse):
		return cli.Hinted(fmt.Errorf("%s: %w", data, err), "stop relay serve, and restore into an empty folder")
	case errors.Is(err, backups.ErrNone), errors.Is(err, fs.ErrNotExist):
		return cli.Hinted(err, "name a backup, or the folder or s3://bucket/prefix where relay backup or relay serve --replicate puts it")
	default:
		return fmt.Errorf("nothing was restored: %w", err)
	}
}
