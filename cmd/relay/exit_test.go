package main

import (
	"bytes"
	"testing"
)

func TestExitCodes(t *testing.T) {
	tests := []struct {
		name string
		args []string
		want int
	}{
		{"done", []string{"version"}, exitDone},
		{"help", []string{"--help"}, exitDone},
		{"unknown command", []string{"relai"}, exitUsage},
		{"unknown flag", []string{"demo", "--fast"}, exitUsage},
		{"settings", []string{"serve", "--log-format", "xml"}, exitUsage},
		{"impossible address", []string{"fake-twilio", "--listen", "256.0.0.1:1"}, exitFailed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			p := program{stdout: &stdout, stderr: &stderr, lookup: func(string) (string, bool) { return "", false }}
			if got := p.run(t.Context(), test.args); got != test.want {
				t.Errorf("exit code %d, want %d\n%s", got, test.want, stderr.String())
			}
			if test.want != exitDone && stderr.Len() == 0 {
				t.Error("nothing says why")
			}
		})
	}
}
