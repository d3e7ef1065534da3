package main

import (
	"context"
	"net/http"

	"github.com/spf13/pflag"
)

// frontDoor is where a relay takes webhooks, as far as flags, environment and secrets say it.
type frontDoor struct {
	// urls are the PUBLIC_BASE_URLs. The first of authTokens signs what is posted there. Either may be empty.
	urls, authTokens []string
	// ownTwilio is false if Twilio is a stand-in, where a text costs nothing.
	ownTwilio bool
	http      *http.Client
}

// frontDoorFinder finds a front door by flags. The doctor knows how, and main.go hands it to the canary.
type frontDoorFinder struct {
	// addFlags makes the flags.
	addFlags func(flags *pflag.FlagSet)
	// find reads them. The error is also that of a relay that cannot be opened.
	find func(ctx context.Context, flags *pflag.FlagSet) (frontDoor, error)
}
