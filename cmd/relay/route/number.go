package route

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/route/routing"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
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

// routeError adds a hint to an error from changing a route.
func routeError(err error, number sms.PhoneNumber) error {
	if conflict, ok := errors.AsType[*routing.ConflictError](err); ok {
		hint := "look at it with relay route get " + string(number) + ", and decide again"
		if conflict.Stored.DestinationCarrier == "" {
			hint = "there is no such route: --version 0 means a new one"
		}
		return cli.Hinted(err, hint)
	}
	if loops, ok := errors.AsType[route.LoopsError](err); ok {
		return loopsError(loops)
	}
	switch {
	case errors.Is(err, routing.ErrNoRoute):
		return cli.Hinted(
			fmt.Errorf("there is no route of %s", string(number)),
			"relay route ls --all lists all routes; relay route set makes a new one",
		)
	case errors.Is(err, routing.ErrNoDestination):
		return cli.Hinted(cli.Usage(err), "name the phone that gets its texts with --to")
	default:
		return err
	}
}

// loopsError shows in full the numbers that [route.LoopsError] masks: operators see the table anyway.
func loopsError(loops route.LoopsError) error {
	hint := "relay route ls --all shows that route; a number that has a route, even a removed one, cannot be a phone of another"
	if loops[0].Thread != "" {
		hint = fmt.Sprintf("relay route get %s shows that route; a number belongs to one route, as its own or as a thread",
			string(loops[0].Owner))
	}
	problems := loops.Problems(func(number sms.PhoneNumber) string { return string(number) })
	return cli.Hinted(errors.New(strings.ReplaceAll(problems, "\n", "\n  ")), hint)
}
