package onehost

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/backups"
	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/cmd/relay/forgetting"
	"quickdumpnow.com/smsrelay/shared/onehost/durable"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/sweep"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

// forgetInterval is how often the relay looks whether a customer is to be forgotten, and goes on with those that are not done.
const forgetInterval = time.Minute

// forgetAgain makes what forgets customers, and erases those who were forgotten after the backup that the folder was restored from, if the
// restore left that to the relay.
func (r *Relay) forgetAgain(ctx context.Context) error {
	messages, err := twilio.New(r.twilioConfig())
	if err != nil {
		return err
	}
	r.forget = forgetting.Worker{
		DB: r.db, Messages: messages, RemoveFile: r.media.Remove, Now: time.Now,
		Share: func(ctx context.Context, list forgetting.List) error {
			return shareForgotten(ctx, r.config, list)
		},
	}
	file := filepath.Join(r.config.Data, datafolder.ForgottenFile)
	var list forgetting.List
	found, err := durable.ReadJSON(file, &list)
	if err != nil || !found {
		return err
	}
	customers, err := r.forget.Restored(ctx, list)
	if err != nil {
		return fmt.Errorf("erase the customers who were forgotten since the backup: %w", err)
	}
	r.config.Logger.LogAttrs(ctx, slog.LevelInfo, "customers who were forgotten since the backup are erased again",
		slog.Int("customers", customers))
	return os.Remove(file)
}

// shareForgotten keeps the list where the backups are, and where the replica is, if the relay makes them.
func shareForgotten(ctx context.Context, config Config, list forgetting.List) error {
	return backups.ShareForgotten(ctx, []string{config.Backup.To, config.Replica.To}, config.Backup.Access, list)
}

// forgetCustomers carries out orders to forget customers, until ctx ends.
func (r *Relay) forgetCustomers(ctx context.Context) error {
	ticker := time.NewTicker(forgetInterval)
	defer ticker.Stop()
	for {
		if _, err := r.forget.All(ctx); err != nil && ctx.Err() == nil {
			r.config.Logger.LogAttrs(ctx, slog.LevelWarn, "customers not forgotten yet", slog.String("error", err.Error()))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// remembered is Twilio's list without what customers wrote before they were forgotten: a folder that came back with an older backup does
// not have these texts, and is not to get them again.
type remembered struct {
	sweep.Messages
	forget forgetting.Worker
}

// List returns messages, see sweep.Messages.
func (m remembered) List(ctx context.Context, filter sms.ListFilter) ([]sms.Listed, error) {
	found, err := m.Messages.List(ctx, filter)
	if err != nil {
		return nil, err
	}
	list, err := forgetting.ListOf(ctx, m.forget.DB)
	if err != nil || len(list.Customers) == 0 {
		return found, err
	}
	var kept []sms.Listed
	for _, one := range found {
		// Twilio leaves fractions of a second out.
		if !list.Has(one.From, one.DateCreated.Add(time.Second)) {
			kept = append(kept, one)
			continue
		}
		err = errors.Join(err, m.forget.Seen(ctx, one.From))
	}
	return kept, err
}
