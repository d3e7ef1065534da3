package onehost

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

const (
	// accountTimeout limits one request for the account.
	accountTimeout = 10 * time.Second
	// accountPause is the pause after Twilio could not be reached or refused: someone may fix the problem meanwhile.
	accountPause = time.Minute
	// accountInterval is the pause while all is well.
	accountInterval = time.Hour
)

// AccountReader asks Twilio for the account. Errors are *fault.Error.
type AccountReader interface {
	Account(ctx context.Context) (twilio.Account, error)
}

// problems is what is wrong with the relay as a whole, for the health check. The zero value means no problems.
type problems struct {
	mu      sync.Mutex
	account string
	moved   string
	catchUp string
}

func (p *problems) setCatchUp(problem string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.catchUp = problem
}

func (p *problems) setMoved(problem string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.moved = problem
}

func (p *problems) isMoved() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.moved != ""
}

func (p *problems) setAccount(problem string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.account = problem
}

// The kinds of problems of the relay as a whole.
const (
	problemDatabase    = "database"
	problemCertificate = "certificate"
	problemAccount     = "account"
	problemMoved       = "folder_moved"
	problemBackup      = "backup"
)

// problem is something that is wrong with the relay as a whole: its kind, and words for the health check.
type problem struct{ kind, words string }

// found lists what is wrong now.
func (r *Relay) found() []problem {
	var all []problem
	if r.db.Malformed() {
		all = append(all, problem{problemDatabase, "the database is damaged: stop relay serve and restore the folder from the backup; " +
			"docs/runbook.md, database-integrity"})
	}
	for _, s := range r.door.certificates() {
		all = append(all, problem{problemCertificate, s.Problem(time.Now())})
	}
	r.problems.mu.Lock()
	all = append(all, problem{problemAccount, r.problems.account}, problem{problemMoved, r.problems.moved},
		problem{problemMoved, r.problems.catchUp})
	r.problems.mu.Unlock()
	all = append(all, problem{problemBackup, r.backups.State().Problem(time.Now())},
		problem{problemBackup, r.replica.State().Problem(time.Now())})
	return slices.DeleteFunc(all, func(p problem) bool { return p.words == "" })
}

// condition is what the health check shows.
func (r *Relay) condition() webhook.Condition {
	var c webhook.Condition
	for _, p := range r.found() {
		c.Failing = c.Failing || p.kind == problemDatabase
		c.Problems = append(c.Problems, p.words)
	}
	return c
}

// checkAccount asks Twilio for the account, with the Auth Token that checks webhooks, each minute until Twilio answers that all is well,
// and each hour then: that also shows whether the clock is right. Nothing waits for it: even if Twilio cannot be reached,
// texts are accepted.
func (r *Relay) checkAccount(ctx context.Context) error {
	told := ""
	for {
		pause := accountPause
		problem, answered := r.askAccount(ctx)
		if answered {
			r.problems.setAccount(problem)
			r.tellAccount(ctx, problem, told)
			if told = problem; problem == "" {
				pause = accountInterval
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// tellAccount logs a result once.
func (r *Relay) tellAccount(ctx context.Context, problem, told string) {
	switch {
	case problem != "" && problem != told:
		r.config.Logger.LogAttrs(ctx, slog.LevelError, "THE RELAY CANNOT WORK with this account", slog.String("problem", problem),
			slog.String("account_sid", r.config.AccountSid))
	case problem == "" && told != "":
		r.config.Logger.LogAttrs(ctx, slog.LevelInfo, "Twilio now accepts the account's credentials",
			slog.String("account_sid", r.config.AccountSid))
	}
}

// askAccount asks once. answered is false if Twilio could not be reached, or could not say at the moment.
func (r *Relay) askAccount(ctx context.Context) (problem string, answered bool) {
	ctx, cancel := context.WithTimeout(ctx, accountTimeout)
	defer cancel()
	account, err := r.account.Account(ctx)
	if r.findings != nil {
		r.findings.clock(account.Date, time.Now())
	}
	return accountProblem(account, err)
}

// accountProblem says what an answer means, in words for people. The problem is empty if all is well.
func accountProblem(account twilio.Account, err error) (problem string, answered bool) {
	if err == nil {
		if account.Status == "active" {
			return "", true
		}
		return "the Twilio account is " + account.Status + ": no text is sent. Twilio's console says why", true
	}
	f := fault.Of(err)
	switch {
	case slices.Contains(twilio.SuspendedCodes(), f.Code):
		return "the Twilio account is suspended: no text is sent. Twilio's console says why", true
	case f.Kind == fault.Fatal && f.HTTPStatus == http.StatusUnauthorized:
		return "Twilio refuses TWILIO_AUTH_TOKEN for TWILIO_ACCOUNT_SID: Twilio signs webhooks with another token, so the relay refuses every " +
			"customer's text with 403, and Twilio does not send it again. Copy both from Twilio's console and start relay serve again", true
	default:
		return "", false
	}
}

// checkDatabase reads the whole database once, to find damage before a text does.
func (r *Relay) checkDatabase(ctx context.Context) error {
	findings, err := r.db.QuickCheck(ctx)
	switch {
	case len(findings) > 0:
		r.config.Logger.LogAttrs(ctx, slog.LevelError, "THE DATABASE IS DAMAGED: stop relay serve and restore the folder from the backup",
			slog.Int("findings", len(findings)), slog.String("first", findings[0]))
	case err != nil && ctx.Err() == nil:
		r.config.Logger.LogAttrs(ctx, slog.LevelWarn, "database not checked", slog.String("error", err.Error()))
	}
	return nil
}
