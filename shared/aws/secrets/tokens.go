package secrets

import (
	"context"
	"log/slog"
	"slices"
	"time"
)

// KeptTokens are Kept Auth Tokens, as a check of signatures wants them.
type KeptTokens struct{ kept *Kept[AuthTokens] }

// KeepAuthTokens reads the token of AWSCURRENT and keeps it, and reads all stages when that proves wrong. Errors are those of
// AuthTokens.
func (v *Vault) KeepAuthTokens(ctx context.Context, now func() time.Time, logger *slog.Logger) (KeptTokens, error) {
	kept, err := Keep(ctx, v.Current().AuthTokens, v.AuthTokens, sameTokens, now, logger)
	return KeptTokens{kept: kept}, err
}

func sameTokens(a, b AuthTokens) bool {
	return a.AccountSid == b.AccountSid && a.Current == b.Current && slices.Equal(a.All, b.All)
}

// Value returns the tokens to accept, newest first, and which reading of them that is.
func (t KeptTokens) Value() (tokens []string, generation int) {
	value, generation := t.kept.Value()
	return value.All, generation
}

// Renew returns a later reading than that one, see Kept.Renew.
func (t KeptTokens) Renew(ctx context.Context, generation int) (tokens []string, later int, changed bool) {
	value, later, changed := t.kept.Renew(ctx, generation)
	return value.All, later, changed
}
