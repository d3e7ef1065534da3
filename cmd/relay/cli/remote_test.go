package cli

import (
	"testing"

	"github.com/spf13/pflag"
)

func TestTheTokenGoesToRelaysAlone(t *testing.T) {
	tests := []struct {
		name, setting string
		args          []string
		want          string
		refused       bool
	}{
		{"none is named", "", nil, "", false},
		{"by the setting", "https://relay.example.com/", nil, "https://relay.example.com", false},
		{
			"by the flag, before the setting", "https://relay.example.com",
			[]string{"--url", "https://other.example.com:8443"},
			"https://other.example.com:8443", false,
		},
		{"on this host", "http://127.0.0.1:8080", nil, "http://127.0.0.1:8080", false},
		{"on this host, by name", "http://localhost:8080", nil, "http://localhost:8080", false},
		{"a flag names a relay here", "https://relay.example.com", []string{"--data", "relay-data"}, "", false},
		{"a flag names the one on AWS", "https://relay.example.com", []string{"--aws"}, "", false},
		{"both", "", []string{"--url", "https://relay.example.com", "--data", "relay-data"}, "", true},
		{"in the clear", "http://relay.example.com", nil, "", true},
		{"a path", "https://relay.example.com/sms/status", nil, "", true},
		{"a password", "https://ann:secret@relay.example.com", nil, "", true},
		{"a query", "https://relay.example.com/?x", nil, "", true},
		{"no scheme", "relay.example.com", nil, "", true},
		{"another scheme", "ftp://relay.example.com", nil, "", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			flags := pflag.NewFlagSet("", pflag.ContinueOnError)
			AddRemote(flags)
			AddTarget(flags)
			if err := flags.Parse(test.args); err != nil {
				t.Fatal(err)
			}
			set := map[string]string{EnvURL: test.setting, EnvOperatorToken: "the-operators-token"}
			p := Program{Lookup: func(name string) (string, bool) { value, ok := set[name]; return value, ok }}
			got, err := p.FindRemote(flags)
			if got.URL != test.want || (err != nil) != test.refused {
				t.Errorf("%q, %v", got.URL, err)
			}
			if (got.Token != "") != (test.want != "") {
				t.Errorf("the token of %q has %d characters", got.URL, len(got.Token))
			}
		})
	}
}
