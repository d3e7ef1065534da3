package main

import (
	"testing"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
)

// TestCommandsShareTheirFlags demands --json of every command that lists or changes something, and the one rule of consent of every
// command that changes something.
func TestCommandsShareTheirFlags(t *testing.T) {
	// These run until they are stopped, or print what is no data.
	without := map[string]bool{"relay serve": true, "relay demo": true, "relay fake-twilio": true, "relay console": true, "relay help": true}
	checked := 0
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
		path := cmd.CommandPath()
		if !cmd.HasParent() || cmd.HasSubCommands() || without[path] || cmd.IsAdditionalHelpTopicCommand() ||
			cmd.Parent().Name() == "completion" {
			return
		}
		checked++
		flags := cmd.LocalNonPersistentFlags()
		if flags.Lookup("json") == nil {
			t.Errorf("%s has no --json", path)
		}
		asks, changes := flags.Lookup("yes") != nil, flags.Lookup("dry-run") != nil
		if asks != changes {
			t.Errorf("%s: --yes is %t and --dry-run is %t, want both or neither", path, asks, changes)
		}
		if flags.Lookup("apply") != nil && !changes {
			t.Errorf("%s has --apply without --dry-run", path)
		}
	}
	walk(program{cli.Program{}}.root())
	if checked < 30 {
		t.Errorf("%d commands were checked, want all", checked)
	}
}
