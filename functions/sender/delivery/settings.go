package delivery

import "time"

// The defaults and bounds of the settings. They are written here once: the function's config, the flags of relay serve, and the
// tests of the template and of the docs use these. Those of the pace limits are in shared/pace. Those of the ledger's retention,
// which the operators' function uses too, are in shared/ledger.
const (
	// DefaultRetryBase is the pause after a text's first failed attempt.
	DefaultRetryBase = 2 * time.Second

	// MaxAttempts bounds how many attempts there may be at a phone.
	DefaultMaxAttempts = 8
	MinMaxAttempts     = 1
	MaxMaxAttempts     = 100

	// SendTimeout bounds one POST.
	DefaultSendTimeout = 8 * time.Second
	MinSendTimeout     = time.Second
	MaxSendTimeout     = 20 * time.Second

	// ReconcileLooks is how often Twilio is asked again for a message whose POST was not answered.
	DefaultReconcileLooks = 3
	MinReconcileLooks     = 1
	MaxReconcileLooks     = 20

	// ReconcileInterval is how far apart those looks are.
	DefaultReconcileInterval = 40 * time.Second
	MinReconcileInterval     = 10 * time.Millisecond
	MaxReconcileInterval     = 10 * time.Minute

	// LongestInvocation bounds how long the sender works on one batch. Lambda's Timeout is at most this, and so is the visibility
	// timeout on one host.
	LongestInvocation = 2 * time.Minute
)

// Span returns how long Twilio's list is searched before a text is given up, with these settings. It has a lower bound, so that the
// time window of the search leaves room for clocks that are some seconds apart.
func Span(looks int, interval, sendTimeout time.Duration) time.Duration {
	return max(time.Duration(looks)*interval, 2*(sendTimeout+leaseMargin))
}

// LongestPost is the longest time from an attempt's claim to the end of its POST.
func LongestPost(sendTimeout time.Duration) time.Duration { return claimAge + sendTimeout }
