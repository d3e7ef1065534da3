package doctor

import (
	"context"
	"errors"

	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
)

// FrontDoors says how to find a relay's front door, for those who post there.
func FrontDoors(base cli.Program) cli.FrontDoorFinder {
	return cli.FrontDoorFinder{AddFlags: addExam, Find: program{base}.frontDoor}
}

// frontDoor finds the relay's front door for those who post there.
func (p program) frontDoor(ctx context.Context, flags *pflag.FlagSet) (cli.FrontDoor, error) {
	relay, closeRelay, err := p.inputs(ctx, flags)
	if err != nil {
		return cli.FrontDoor{}, err
	}
	return cli.FrontDoor{URLs: relay.PublicBaseURLs, AuthTokens: relay.AuthTokens, OwnTwilio: relay.OwnTwilio, HTTP: newFrontDoorClient()},
		errors.Join(relay.OpenErr, closeRelay())
}
