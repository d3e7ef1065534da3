package main

import (
	"time"

	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/aws/secrets"
	"quickdumpnow.com/smsrelay/shared/env"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/pace"
)

// groupsPerBatch is how many groups of a batch are worked on side by side: all that a batch can hold.
const groupsPerBatch = 10

// config is what the function reads from its environment.
type config struct {
	// aws says how to reach AWS.
	aws awsclient.Config
	// publicBaseURLs are the URLs that Twilio was given; the first goes into StatusCallbacks. Without any, no receipts come.
	publicBaseURLs []string
	// queueURL and deadLetterQueueURL are the URLs of the FIFO queues, timerQueueURL is the URL of the queue without order.
	queueURL           string
	deadLetterQueueURL string
	timerQueueURL      string
	// ledgerTable, routingTable, conversationsTable and paceTable are the tables' names.
	ledgerTable        string
	conversationsTable string
	routingTable       string
	paceTable          string
	// mediaBucket is the name of the attachments' bucket, mediaBaseURL the base URL of this relay under which Twilio fetches them.
	mediaBucket  string
	mediaBaseURL string
	// secrets are the ARNs of Twilio's. With an API key, the Auth Token is not read.
	secrets secrets.Config
	// accountSid is the account that sends, twilioBaseURL where its API is; empty means Twilio.
	accountSid    string
	twilioBaseURL string
	// retryBase, maxAttempts and sendTimeout bound the attempts.
	retryBase   time.Duration
	maxAttempts int
	sendTimeout time.Duration
	// pacePair and paceNumber are the pace limits, zero if they are off.
	pacePair   pace.Limit
	paceNumber pace.Limit
	// reconcileLooks and reconcileInterval say how often and how far apart Twilio is asked again for a message whose
	// POST was not answered.
	reconcileLooks    int
	reconcileInterval time.Duration
	// retention is how long the ledger keeps a text.
	retention time.Duration
}

// readConfig reads the environment and returns everything that is wrong with it at once.
func readConfig(lookup func(string) (string, bool)) (config, error) {
	r := env.New(lookup)
	c := config{
		aws:                awsclient.Read(r),
		publicBaseURLs:     r.URLs("PUBLIC_BASE_URL"),
		queueURL:           r.Required("RELAY_QUEUE_URL"),
		deadLetterQueueURL: r.Required("RELAY_DEAD_LETTER_QUEUE_URL"),
		timerQueueURL:      r.Required("RELAY_TIMER_QUEUE_URL"),
		ledgerTable:        r.Required("RELAY_LEDGER_TABLE"),
		routingTable:       r.Required("RELAY_ROUTING_TABLE"),
		conversationsTable: r.Required("RELAY_CONVERSATIONS_TABLE"),
		paceTable:          r.Required("RELAY_PACE_TABLE"),
		mediaBucket:        r.Required("RELAY_MEDIA_BUCKET"),
		mediaBaseURL:       r.Required("RELAY_MEDIA_BASE_URL"),
		secrets:            secrets.Config{APIKey: r.String("RELAY_TWILIO_API_KEY_SECRET", "")},
		accountSid:         r.Required("TWILIO_ACCOUNT_SID"),
		twilioBaseURL:      r.String("TWILIO_API_BASE_URL", ""),
		retryBase:          r.Duration("RELAY_RETRY_BASE", delivery.DefaultRetryBase),
		maxAttempts:        r.Int("RELAY_MAX_ATTEMPTS", delivery.DefaultMaxAttempts, delivery.MinMaxAttempts, delivery.MaxMaxAttempts),
		sendTimeout:        r.DurationWithin("RELAY_SEND_TIMEOUT", delivery.DefaultSendTimeout, delivery.MinSendTimeout, delivery.MaxSendTimeout),
		pacePair:           env.Parsed(r, "RELAY_PACE_PAIR", pace.DefaultPair, pace.Parse),
		paceNumber:         env.Parsed(r, "RELAY_PACE_NUMBER", pace.DefaultNumber, pace.Parse),
		reconcileLooks: r.Int(
			"RELAY_RECONCILE_LOOKS", delivery.DefaultReconcileLooks, delivery.MinReconcileLooks, delivery.MaxReconcileLooks,
		),
		reconcileInterval: r.DurationWithin(
			"RELAY_RECONCILE_INTERVAL", delivery.DefaultReconcileInterval, delivery.MinReconcileInterval, delivery.MaxReconcileInterval,
		),
		retention: r.DurationWithin("RELAY_RETENTION", ledger.DefaultRetention, ledger.MinRetention, ledger.MaxRetention),
	}
	if c.secrets.APIKey == "" {
		c.secrets.AuthToken = r.Required("RELAY_TWILIO_AUTH_TOKEN_SECRET")
	}
	return c, r.Err()
}

// publicBaseURL returns where receipts go; empty if no base URL is known.
func (c config) publicBaseURL() string {
	if len(c.publicBaseURLs) == 0 {
		return ""
	}
	return c.publicBaseURLs[0]
}
