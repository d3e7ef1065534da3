package setup

import (
	"bytes"
	"encoding/json"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
)

func lookCanary(_ *cobra.Command, j *job) (result, error) {
	if j.record.Canary.isSame(j.number, j.bases[0]) && !j.restart {
		return result{State: done, What: "the text " + j.record.Canary.MessageSid + " arrived; relay canary sends another one"}, nil
	}
	return result{State: todo, What: "send a made-up text to " + string(j.number) + ", which the phone on duty gets"}, nil
}

// sendCanary runs relay canary with the settings of relay.env.
func sendCanary(cmd *cobra.Command, j *job) (string, error) {
	known := map[string]string{cli.EnvAWS: "false"}
	for _, s := range j.settings {
		known[s.Name] = s.Value
	}
	var out bytes.Buffer
	base := j.Program
	base.Stdout = &out
	base.Lookup = func(name string) (string, bool) {
		if value, ok := known[name]; ok {
			return value, true
		}
		return j.Lookup(name)
	}
	canary := j.canary(base)
	canary.SetArgs([]string{string(j.number), "--url", j.bases[0], "--yes", "--json"})
	canary.SetOut(&out)
	canary.SetErr(j.Stderr)
	canary.SilenceErrors, canary.SilenceUsage = true, true
	err := canary.ExecuteContext(cmd.Context())
	var sent struct {
		MessageSid string `json:"message_sid"`
	}
	if err == nil {
		err = json.Unmarshal(out.Bytes(), &sent)
	}
	if err != nil {
		return "", err
	}
	j.record.Canary = &arrived{MessageSid: sent.MessageSid, PhoneNumber: j.number, URL: j.bases[0]}
	return "the text " + sent.MessageSid + " went the whole way and arrived", j.keepRecord()
}
