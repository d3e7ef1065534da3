package main

import (
	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/env"
)

// config is what the function reads from its environment. All fields are needed.
type config struct {
	// aws says how to reach AWS.
	aws awsclient.Config
	// bucket is the name of the attachments' bucket.
	bucket string
}

// readConfig reads the environment and returns everything that is wrong with it at once.
func readConfig(lookup func(string) (string, bool)) (config, error) {
	r := env.New(lookup)
	c := config{aws: awsclient.Read(r), bucket: r.Required("RELAY_MEDIA_BUCKET")}
	return c, r.Err()
}
