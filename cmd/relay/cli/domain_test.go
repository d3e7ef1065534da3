package cli_test

import (
	"slices"
	"strings"
	"testing"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/env"
)

// TestDomain reads what follows from the relay's own domains.
func TestDomain(t *testing.T) {
	const fallback = "127.0.0.1:8080"
	const a, b = "https://a.example.com", "https://b.example.com"
	for name, tt := range map[string]struct {
		set    map[string]string
		bases  []string
		listen string
		wrong  string
	}{
		"none":        {nil, nil, fallback, ""},
		"a comma":     {map[string]string{cli.EnvDomain: ","}, nil, fallback, ""},
		"one":         {map[string]string{cli.EnvDomain: "Relay.Example.com."}, []string{"https://relay.example.com"}, ":443", ""},
		"two":         {map[string]string{cli.EnvDomain: "a.example.com, b.example.com"}, []string{a, b}, ":443", ""},
		"behind NAT":  {map[string]string{cli.EnvDomain: "a.example.com", cli.EnvListen: ":8443"}, []string{a}, ":8443", ""},
		"another URL": {map[string]string{cli.EnvDomain: "a.example.com", cli.EnvPublicBaseURL: b}, []string{b}, ":443", ""},
		"a URL":       {map[string]string{cli.EnvDomain: "https://a.example.com"}, nil, fallback, "is no domain such as relay.example.com"},
		"a port":      {map[string]string{cli.EnvDomain: "a.example.com:443"}, nil, fallback, "is no domain"},
		"an address":  {map[string]string{cli.EnvDomain: "203.0.113.1"}, nil, fallback, "is no domain"},
		"a wildcard":  {map[string]string{cli.EnvDomain: "*.example.com"}, nil, fallback, "is no domain"},
		"a host":      {map[string]string{cli.EnvDomain: "localhost"}, nil, fallback, "is no domain"},
	} {
		t.Run(name, func(t *testing.T) {
			fallbacks := map[string]string{cli.EnvListen: fallback}
			r := env.New(func(name string) (string, bool) {
				if value, ok := tt.set[name]; ok {
					return value, true
				}
				value, ok := fallbacks[name]
				return value, ok
			})
			bases, listen := cli.PublicBaseURLs(r), cli.Listen(r)
			if listen != tt.listen || (tt.wrong == "" && !slices.Equal(bases, tt.bases)) {
				t.Errorf("bases %q, listen %q; want %q, %q", bases, listen, tt.bases, tt.listen)
			}
			switch err := r.Err(); {
			case tt.wrong == "" && err != nil:
				t.Error(err)
			case tt.wrong != "" && (err == nil || strings.Count(err.Error(), tt.wrong) != 1):
				t.Errorf("the error is %v, want one with %q, once", err, tt.wrong)
			}
		})
	}
}
