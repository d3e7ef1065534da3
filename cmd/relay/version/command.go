package main

import (
	"encoding/json"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/shared/telemetry"
)

func (p program) versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print which build this is",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			build := telemetry.ReadBuild()
			if asJSON {
				return json.NewEncoder(p.stdout).Encode(struct {
					telemetry.Build
					Go       string `json:"go"`
					Platform string `json:"platform"`
				}{build, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH})
			}
			_, err := fmt.Fprintf(p.stdout, "relay %s, %s, %s/%s\n", build, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
