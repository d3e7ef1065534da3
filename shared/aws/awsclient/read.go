package awsclient

import "quickdumpnow.com/smsrelay/shared/env"

// Read reads the region and the credentials that Lambda gives a function in its environment. AWS_ENDPOINT_URL, which
// Lambda does not set, sends all calls to an emulator.
func Read(r *env.Reader) Config {
	return Config{
		Region:          r.Required("AWS_REGION"),
		AccessKeyID:     r.Required("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: r.Required("AWS_SECRET_ACCESS_KEY"),
		SessionToken:    r.String("AWS_SESSION_TOKEN", ""),
		Endpoint:        r.String("AWS_ENDPOINT_URL", ""),
	}
}
