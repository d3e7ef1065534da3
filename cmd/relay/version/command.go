// Package version is `relay version`: it says which build this is.
package version

import (
	"encoding/json"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// program is the command line, with the methods of this verb.
type program struct{ cli.Program }

// Command returns `relay version`.
func Command(base cli.Program) *cobra.Command {
	p := program{base}
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print which build this is",
		Args:  cli.NoArguments,
		RunE: func(*cobra.Command, []string) error {
			build := telemetry.ReadBuild()
			if asJSON {
				return json.NewEncoder(p.Stdout).Encode(struct {
					telemetry.Build
					Go       string `json:"go"`
					Platform string `json:"platform"`
				}{build, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH})
			}
			_, err := fmt.Fprintf(p.Stdout, "relay %s, %s, %s/%s\n", build, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
	cli.AddJSON(cmd.Flags(), &asJSON, "an object with the build")
	return cmd
}
