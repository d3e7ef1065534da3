package main

import (
	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/aws/secrets"
	"quickdumpnow.com/smsrelay/shared/env"
)

// config is what the function reads from its environment. All fields are needed.
type config struct {
	// aws says how to reach AWS.
	aws awsclient.Config
	// publicBaseURLs are the URLs that Twilio was given for this API.
	publicBaseURLs []string
	// queueURL is the FIFO queue's.
	queueURL string
	// secrets holds the ARN of the Auth Token's.
	secrets secrets.Config
}

// readConfig reads the environment and returns everything that is wrong with it at once.
func readConfig(lookup func(string) (string, bool)) (config, error) {
	r := env.New(lookup)
	c := config{
		aws:            awsclient.Read(r),
		publicBaseURLs: r.URLs("PUBLIC_BASE_URL"),
		queueURL:       r.Required("RELAY_QUEUE_URL"),
		secrets:        secrets.Config{AuthToken: r.Required("RELAY_TWILIO_AUTH_TOKEN_SECRET")},
	}
	return c, r.Err()
}
