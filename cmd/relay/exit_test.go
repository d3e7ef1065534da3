package main

import (
	"bytes"
	"testing"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
)

func TestExitCodes(t *testing.T) {
	tests := []struct {
		name string
		args []string
		want int
	}{
		{"done", []string{"version"}, cli.ExitDone},
		{"help", []string{"--help"}, cli.ExitDone},
		{"unknown command", []string{"relai"}, cli.ExitUsage},
		{"unknown flag", []string{"demo", "--fast"}, cli.ExitUsage},
		{"settings", []string{"serve", "--log-format", "xml"}, cli.ExitUsage},
		{"impossible address", []string{"fake-twilio", "--listen", "256.0.0.1:1"}, cli.ExitFailed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			p := program{cli.Program{Stdout: &stdout, Stderr: &stderr, Lookup: func(string) (string, bool) { return "", false }}}
			if got := p.run(t.Context(), test.args); got != test.want {
				t.Errorf("exit code %d, want %d\n%s", got, test.want, stderr.String())
			}
			if test.want != cli.ExitDone && stderr.Len() == 0 {
				t.Error("nothing says why")
			}
		})
	}
}
