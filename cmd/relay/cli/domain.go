package cli

import (
	"errors"
	"net"
	"strings"

	"quickdumpnow.com/smsrelay/shared/env"
)

// PublicBaseURLs are the URLs of the relay that Twilio was given: those that are set, else those of its own domains. The first is the one
// to use.
func PublicBaseURLs(r *env.Reader) []string {
	bases, domains := r.URLs(EnvPublicBaseURL), env.Parsed(r, EnvDomain, "", parseDomains)
	if len(bases) > 0 {
		return bases
	}
	for _, domain := range domains {
		bases = append(bases, "https://"+domain)
	}
	return bases
}

// Listen is the address of the front door.
func Listen(r *env.Reader) string {
	address := r.String(EnvListen, "")
	if address == defaultListen && len(Domains(r)) > 0 {
		return ":443"
	}
	return address
}

// Domains are the relay's own, in small letters. There are none if one is wrong, which PublicBaseURLs says.
func Domains(r *env.Reader) []string {
	domains, _ := parseDomains(r.String(EnvDomain, "")) // It is said once.
	return domains
}

func parseDomains(text string) ([]string, error) {
	var all []string
	for part := range strings.SplitSeq(strings.ToLower(text), ",") {
		domain := strings.TrimSuffix(strings.TrimSpace(part), ".")
		switch {
		case domain == "":
			continue
		case net.ParseIP(domain) != nil || strings.Trim(domain, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" || !strings.Contains(domain, "."):
			return nil, errors.New("a part of it is no domain such as relay.example.com")
		}
		all = append(all, domain)
	}
	return all, nil
}
