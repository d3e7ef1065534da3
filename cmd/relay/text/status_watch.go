package text

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/url"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/operatorapi"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// watchInterval is how often the ledger is read again.
const watchInterval = time.Second

// every calls look at once and then after each interval, until it is done or fails, or ctx ends. The end of ctx is the normal end of
// watching, not a failure.
func every(ctx context.Context, interval time.Duration, look func() (done bool, err error)) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		if done, err := look(); done || err != nil {
			if ctx.Err() != nil {
				// A look that Ctrl-C interrupts is not a failure.
				return nil
			}
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// watchOne shows a text each time it has changed, until it reaches its end.
func (p program) watchOne(ctx context.Context, c operatorapi.API, query url.Values, asJSON bool) error {
	var last json.RawMessage
	return every(ctx, watchInterval, func() (bool, error) {
		var answer json.RawMessage
		if err := c.Status(ctx, query, &answer); err != nil {
			return false, err
		}
		var m operations.Message
		if err := json.Unmarshal(answer, &m); err != nil {
			return false, err
		}
		settled := m.State.Final() || m.State == ledger.Uncertain
		if bytes.Equal(answer, last) {
			return settled, nil
		}
		last = answer
		if asJSON {
			return settled, p.printRaw(answer)
		}
		cli.Printf(p.Stdout, "%s\n", messageLine(p.Stdout, m))
		return settled, nil
	})
}

// watchList draws the list again in place or, if the output is not a terminal, prints it again each time it has changed.
func (p program) watchList(ctx context.Context, c operatorapi.API, query url.Values, f statusFlags) error {
	var last []byte
	return every(ctx, watchInterval, func() (bool, error) {
		list, err := readList(ctx, c, query, f.limit)
		if err != nil {
			return false, err
		}
		var screen bytes.Buffer
		if f.asJSON {
			err = json.NewEncoder(&screen).Encode(list)
		} else {
			err = writeMessages(cli.Like(p.Stdout, &screen), list)
		}
		if err != nil || bytes.Equal(screen.Bytes(), last) {
			return false, err
		}
		last = bytes.Clone(screen.Bytes())
		if cli.CanDraw(p.Stdout) && !f.asJSON {
			_, _ = io.WriteString(cli.Own(p.Stdout), clearScreen)
		}
		_, err = p.Stdout.Write(last)
		return false, err
	})
}

// clearScreen clears a terminal and goes to its first line.
const clearScreen = "\x1b[H\x1b[2J"
