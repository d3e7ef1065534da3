package signature

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// Tokens are auth tokens that may be replaced while they are in use.
type Tokens interface {
	// Value returns the tokens and which reading of them that is.
	Value() (tokens []string, generation int)
	// Renew returns newer tokens than that reading; changed is false if there are none.
	Renew(ctx context.Context, generation int) (tokens []string, later int, changed bool)
}

// renewTimeout bounds the wait for newer tokens: Twilio waits for the webhook's answer.
const renewTimeout = 3 * time.Second

// Rotating checks as a Validator does, with tokens that may be replaced. A signature that matches none of them may come from a
// newer token: then the tokens are read again, and if they have changed, the request is checked once more.
type Rotating struct {
	baseURLs []string
	tokens   Tokens
	current  atomic.Pointer[generation]
}

// generation is a Validator with one reading of the tokens.
type generation struct {
	*Validator

	number int
}

// NewRotating returns a check with the tokens as they are now. Errors are those of NewValidator.
func NewRotating(baseURLs []string, tokens Tokens) (*Rotating, error) {
	now, number := tokens.Value()
	validator, err := NewValidator(baseURLs, now)
	if err != nil {
		return nil, err
	}
	r := &Rotating{baseURLs: baseURLs, tokens: tokens}
	r.current.Store(&generation{Validator: validator, number: number})
	return r, nil
}

// Validate returns what Validator.Validate does, by the latest tokens.
func (r *Rotating) Validate(request Request) error {
	current := r.current.Load()
	err := current.Validate(request)
	if !errors.Is(err, ErrMismatch) {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), renewTimeout)
	defer cancel()
	tokens, number, changed := r.tokens.Renew(ctx, current.number)
	if !changed {
		return err
	}
	validator, invalid := NewValidator(r.baseURLs, tokens)
	if invalid != nil {
		return err
	}
	r.current.Store(&generation{Validator: validator, number: number})
	return validator.Validate(request)
}
