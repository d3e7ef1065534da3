package main

import (
	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/env"
)

// config is what the function reads from its environment. All fields are needed.
type config struct {
	// aws says how to reach AWS.
	aws awsclient.Config
	// auditLogGroup is the log group of the audit log.
	auditLogGroup string
	// failureBucket keeps the changes that no entry can be made of.
	failureBucket string
}

// readConfig reads the environment and returns everything that is wrong with it at once.
func readConfig(lookup func(string) (string, bool)) (config, error) {
	r := env.New(lookup)
	c := config{
		aws:           awsclient.Read(r),
		auditLogGroup: r.Required("RELAY_AUDIT_LOG_GROUP"),
		failureBucket: r.Required("RELAY_AUDIT_FAILURE_BUCKET"),
	}
	return c, r.Err()
}
