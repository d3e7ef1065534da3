package onehost

import (
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/console"
	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
)

// openConsole makes the pages for people who have no shell. They work on the relay as commands do.
func (r *Relay) openConsole(ctx context.Context) (*console.Console, error) {
	door, err := signin.Open(signin.Config{
		Users:         signin.NewUsers(filepath.Join(r.config.Data, datafolder.UsersFolder)),
		SessionsFile:  filepath.Join(r.config.Data, datafolder.SessionsFile),
		OperatorToken: r.config.OperatorToken, Now: time.Now,
	})
	if err != nil {
		r.config.Logger.LogAttrs(ctx, slog.LevelWarn, "nobody is signed in to the console any more",
			slog.String("error", err.Error()))
	}
	return console.New(console.Config{
		Door:           door,
		Relay:          &target.Target{Routes: r.db.Routes(), Ledger: r.db.Ledger(), Conversations: r.db.Conversations(), Where: r.config.Data},
		PublicBaseURLs: r.config.PublicBaseURLs, Now: time.Now, Logger: r.config.Logger,
	})
}
