package cli

import (
	"context"
	"net/http"

	"github.com/spf13/pflag"
)

// FrontDoor is where a relay takes webhooks, as far as flags, environment and secrets say it.
type FrontDoor struct {
	// URLs are the PUBLIC_BASE_URLs. The first of AuthTokens signs what is posted there. Either may be empty.
	URLs, AuthTokens []string
	// OwnTwilio is false if Twilio is a stand-in, where a text costs nothing.
	OwnTwilio bool
	HTTP      *http.Client
}

// FrontDoorFinder finds a front door by flags. The doctor knows how, and main.go hands it to the canary.
type FrontDoorFinder struct {
	// AddFlags makes the flags.
	AddFlags func(flags *pflag.FlagSet)
	// Find reads them. The error is also that of a relay that cannot be opened.
	Find func(ctx context.Context, flags *pflag.FlagSet) (FrontDoor, error)
}

// Overrides are the connection overrides of a webhook's URL, behind its #: Twilio asks up to five times again, also after
// a 5xx and after an answer that did not come within four seconds, for fifteen seconds in all.
const Overrides = "rc=5&rp=5xx,ct,rt&rt=4000&tt=15000"
