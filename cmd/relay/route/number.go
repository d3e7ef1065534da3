package route

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
)

// oneRoute wants one argument.
func oneRoute(_ *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return cli.Usage(errors.New("which route? Name its Twilio number"))
	case len(args) > 1:
		return cli.Hinted(cli.Usage(fmt.Errorf("name only one number: unexpected argument %q", args[1])),
			"put quotes around a number that contains spaces")
	}
	return nil
}
