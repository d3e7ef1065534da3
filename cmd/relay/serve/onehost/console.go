package onehost

import (
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/checkup"
	"quickdumpnow.com/smsrelay/cmd/relay/console"
	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/cmd/relay/users"
)

// openConsole makes the pages for people who have no shell, and lets the operators' API work on who may see them. They work on the relay as
// commands do.
func (r *Relay) openConsole() (err error) {
	all := signin.NewUsers(filepath.Join(r.config.Data, datafolder.UsersFolder))
	door, err := signin.Open(signin.Config{
		Users: all, SessionsFile: filepath.Join(r.config.Data, datafolder.SessionsFile), OperatorToken: r.config.OperatorToken, Now: time.Now,
	})
	if err != nil {
		r.config.Logger.LogAttrs(context.Background(), slog.LevelWarn, "nobody is signed in to the console any more",
			slog.String("error", err.Error()))
	}
	r.operations.Users = users.Book{
		Users: all, Actions: r.db.Conversations(), Routes: r.db.Routes(), Now: time.Now,
	}
	opened := target.Of(r.db, r.config.Data)
	var examine func(ctx context.Context) ([]checkup.Finding, error)
	if r.config.Examine != nil {
		examine = func(ctx context.Context) ([]checkup.Finding, error) { return r.config.Examine(ctx, opened) }
	}
	r.console, err = console.New(console.Config{
		Door: door, Relay: opened, API: r.operations, Examine: examine, Problems: func() []string { return r.condition().Problems },
		Live: r.live, PublicBaseURLs: r.config.PublicBaseURLs, Now: time.Now, Logger: r.config.Logger,
	})
	return err
}
