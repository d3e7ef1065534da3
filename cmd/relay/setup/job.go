package setup

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/routing"
	"quickdumpnow.com/smsrelay/shared/onehost/durable"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

// The files that init writes, in one folder.
const (
	settingsFile = "relay.env"
	routesFile   = "maintenance.json"
	recordFile   = "init.json"
)

// job is one run of init: what people said, what is there, and what Twilio said.
type job struct {
	program
	flags  setupFlags
	host   host
	folder string
	// lookup finds a setting by flag, environment or relay.env.
	lookup func(name string) (string, bool)

	settings []cli.Given
	number   sms.PhoneNumber
	phones   []route.Phone
	bases    []string

	client  *twilio.Client
	numbers []twilio.Number

	// envText is relay.env as it is, routes are those of maintenance.json; there may be none.
	envText string
	routes  []route.Route
	record  record
	// restart says that a step before the unit's changes what the relay reads when it starts.
	restart bool
	// started says that systemd starts the relay, which may take a moment.
	started bool
}

// path returns where one of the files is.
func (j *job) path(name string) string { return j.host.path(filepath.Join(j.folder, name)) }

// value returns a setting; empty if it is not set.
func (j *job) value(name string) string {
	value, _ := j.lookup(name)
	return value
}

// readFiles reads the files that are there.
func (j *job) readFiles() error {
	text, err := readIfThere(j.path(settingsFile))
	if err != nil {
		return err
	}
	j.envText = string(text)
	if j.record, err = readRecord(j.path(recordFile)); err != nil {
		return err
	}
	routes, problem, err := routing.ReadFile(j.path(routesFile), route.Reading{})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case problem != nil:
		return cli.Hinted(problem, "relay route check "+j.path(routesFile)+" says the same; correct the file, or move it away")
	}
	j.routes = routes
	return nil
}

func readIfThere(path string) ([]byte, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the operator names the folder.
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}

// write writes one of the files, and notes that init did.
func (j *job) write(name string, text []byte) error {
	if !slices.Contains(j.record.Files, name) {
		j.record.Files = append(j.record.Files, name)
		if err := j.keepRecord(); err != nil {
			return err
		}
	}
	return durable.Disk{}.WriteFile(j.path(name), text)
}

// routed returns the number's route in maintenance.json.
func (j *job) routed(number sms.PhoneNumber) (route.Route, bool) {
	at := slices.IndexFunc(j.routes, func(r route.Route) bool { return sms.Same(r.TwilioNumber, number) })
	if at < 0 {
		return route.Route{TwilioNumber: number}, false
	}
	return j.routes[at], true
}

// signIn asks Twilio for the account and its numbers.
func (j *job) signIn(ctx context.Context, accountSid, token string) error {
	client, err := openAccount(ctx, twilio.Config{
		AccountSid: accountSid, AuthToken: firstOf(token), BaseURL: j.value(cli.EnvTwilioBaseURL),
	})
	if err != nil {
		return err
	}
	if j.numbers, err = client.Numbers(ctx, ""); err != nil {
		return err
	}
	j.client = client
	return nil
}
