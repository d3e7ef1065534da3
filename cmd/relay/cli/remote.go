package cli

import (
	"errors"
	"net/url"
	"strings"

	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/shared/twilio"
)

// EnvURL names a relay that is asked over its HTTP API.
const EnvURL = "RELAY_URL"

// RemoteSettings are the settings of commands that can ask a relay over its HTTP API.
func RemoteSettings() []Setting {
	return []Setting{{Env: EnvURL, Help: "ask the relay at this URL over its HTTP API, such as https://relay.example.com, with the token in " +
		EnvOperatorToken}}
}

// AddRemote makes their flags.
func AddRemote(flags *pflag.FlagSet) { AddFlags(flags, RemoteSettings()) }

// Remote is a relay elsewhere.
type Remote struct {
	// URL has no path of the relay and no slash at its end. Token is the operator token. It never goes over a network in the clear.
	URL, Token string
}

// FindRemote returns the relay elsewhere that flags or settings name; its URL is empty if they name none. A flag that names a relay here
// or on AWS goes before the setting.
func (p Program) FindRemote(flags *pflag.FlagSet) (Remote, error) {
	address, isSet := LookupOf(RemoteSettings(), flags, p.Lookup)(EnvURL)
	for _, here := range []string{"data", "aws"} {
		if err := Exclusive(flags, "url", here); err != nil {
			return Remote{}, err
		}
		isSet = isSet && !flags.Changed(here)
	}
	if !isSet {
		return Remote{}, nil
	}
	parsed, err := url.Parse(address)
	switch {
	case err != nil || parsed.Hostname() == "" || parsed.User != nil || strings.Trim(parsed.Path, "/") != "" ||
		strings.ContainsAny(address, "?#"):
		return Remote{}, Usage(errors.New("--url (" + EnvURL + ") is not the URL of a relay, such as https://relay.example.com"))
	case parsed.Scheme != "https" && (parsed.Scheme != "http" || !twilio.IsLoopback(parsed.Hostname())):
		return Remote{}, Usage(errors.New("--url (" + EnvURL + ") has to begin with https://, because others could read the operator token"))
	}
	token, _ := p.Lookup(EnvOperatorToken)
	if token == "" {
		return Remote{}, Hinted(Usage(errors.New("the operator token is missing: set "+EnvOperatorToken)),
			"it is the one that relay serve has there; relay serve --help says more")
	}
	return Remote{URL: parsed.Scheme + "://" + parsed.Host, Token: token}, nil
}
