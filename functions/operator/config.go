package main

import (
	"time"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/env"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// config is what the function reads from its environment. All fields are needed.
type config struct {
	// aws says how to reach AWS.
	aws awsclient.Config
	// queueURL is the FIFO queue's.
	queueURL string
	// ledgerTable is the table's name, retention how long it keeps a text.
	ledgerTable string
	retention   time.Duration
	// routingTable and conversationsTable are the tables' names, auditLogGroup the log group's.
	routingTable       string
	conversationsTable string
	auditLogGroup      string
}

// readConfig reads the environment and returns everything that is wrong with it at once.
func readConfig(lookup func(string) (string, bool)) (config, error) {
	r := env.New(lookup)
	c := config{
		aws:                awsclient.Read(r),
		queueURL:           r.Required("RELAY_QUEUE_URL"),
		ledgerTable:        r.Required("RELAY_LEDGER_TABLE"),
		routingTable:       r.Required("RELAY_ROUTING_TABLE"),
		conversationsTable: r.Required("RELAY_CONVERSATIONS_TABLE"),
		auditLogGroup:      r.Required("RELAY_AUDIT_LOG_GROUP"),
		retention:          r.DurationWithin("RELAY_RETENTION", ledger.DefaultRetention, ledger.MinRetention, ledger.MaxRetention),
	}
	return c, r.Err()
}
