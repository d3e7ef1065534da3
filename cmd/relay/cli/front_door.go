package cli

import (
	"context"
	"net/http"

	"github.com/spf13/pflag"
)

// FrontDoor is where a relay receives webhooks, according to flags, environment and secrets.
type FrontDoor struct {
	// URLs are the PUBLIC_BASE_URLs. The first of AuthTokens signs what is posted there. Either may be empty.
	URLs, AuthTokens []string
	// OwnTwilio is false if Twilio is a fake, where a text costs nothing.
	OwnTwilio bool
	HTTP      *http.Client
}

// FrontDoorFinder finds a front door by flags. Package doctor implements it, and main.go passes it to the canary.
type FrontDoorFinder struct {
	// AddFlags makes the flags.
	AddFlags func(flags *pflag.FlagSet)
	// Find reads the flags. It also fails if the relay cannot be opened.
	Find func(ctx context.Context, flags *pflag.FlagSet) (FrontDoor, error)
}

// Overrides are the connection overrides of a webhook's URL, after its #: Twilio tries again up to five times, also after a 5xx or
// if no answer came within four seconds, for fifteen seconds in total.
const Overrides = "rc=5&rp=5xx,ct,rt&rt=4000&tt=15000"
