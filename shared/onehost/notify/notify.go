// Package notify tells people what needs them, at the URLs that they gave: an ntfy topic, a Slack channel, a web hook or mailboxes. The
// URLs have the form of shoutrrr's. Each is a secret: errors and labels name its service and host alone. Who uses this package decides what
// there is to tell; [Teller] sees to it that each is told once, and that it is over once.
package notify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Notice is what a person is told.
type Notice struct {
	// Title is one line, Text a few. Neither has a customer's words or number, unless the relay's owner wants that.
	Title, Text string
	// At is when it was written.
	At time.Time
	// Over means that something is well again, so that nobody has to hurry.
	Over bool
}

// Target is one place where notices go.
type Target struct {
	// Label names it for people, without what is secret: "ntfy://ntfy.example.com/***".
	Label string
	// id tells it from others, also after a restart.
	id   string
	send func(ctx context.Context, n Notice) error
}

// sendTimeout limits one sending, whatever the target does.
const sendTimeout = 15 * time.Second

// ErrPartly means that some people got the notice, and others did not. To send it again would tell the first twice.
var ErrPartly = errors.New("only some got it")

// Send sends a notice. Errors have nothing of the URL but its host.
func (t Target) Send(ctx context.Context, n Notice) error {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	err := t.send(ctx, n)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %s", sendTimeout)
	}
	return err
}

// Parse reads the URLs of targets, which are separated by spaces. Errors name a URL by its place, and have nothing of it.
func Parse(text string) ([]Target, error) {
	var targets []Target
	var problems []error
	for i, one := range strings.Fields(text) {
		t, err := parse(one, http.DefaultTransport)
		if err != nil {
			problems = append(problems, fmt.Errorf("URL %d: %w", i+1, err))
			continue
		}
		if !slices.ContainsFunc(targets, func(o Target) bool { return o.id == t.id }) {
			targets = append(targets, t)
		}
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return targets, nil
}

// parse reads one URL. What is sent by HTTP goes through transport.
func parse(text string, transport http.RoundTripper) (Target, error) {
	scheme, _, found := strings.Cut(text, "://")
	at, err := url.Parse(text)
	if !found || err != nil {
		return Target{}, errors.New("it is not a URL such as ntfy://ntfy.sh/topic")
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	p, err := readParams(at.RawQuery)
	if err != nil {
		return Target{}, err
	}
	var t Target
	switch service, _, _ := strings.Cut(strings.ToLower(scheme), "+"); service {
	case "ntfy":
		t, err = newNtfy(at, p, client)
	case "slack":
		t, err = newSlack(text, at, p, client)
	case "generic":
		t, err = newGeneric(at, p, client)
	case "smtp":
		t, err = newSMTP(at, p)
	default:
		err = errors.New("its service is none of ntfy, slack, generic and smtp")
	}
	t.id = fingerprint(text)
	return t, errors.Join(err, p.unknown())
}

// params are a URL's parameters, by their names in small letters. What was read is taken out.
type params map[string]string

func readParams(query string) (params, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, errors.New("what is behind its question mark cannot be read")
	}
	p := params{}
	for name, all := range values {
		if strings.HasPrefix(name, "@") || strings.HasPrefix(name, "$") || strings.HasPrefix(name, "_") {
			p[name] = all[0]
			continue
		}
		p[strings.ToLower(name)] = all[0]
	}
	return p, nil
}

// take returns the first of the names that is there, and takes all of them out.
func (p params) take(names ...string) (value string) {
	for _, name := range names {
		if value == "" {
			value = p[name]
		}
		delete(p, name)
	}
	return value
}

// isSet reads a yes or no.
func (p params) isSet(fallback bool, names ...string) bool {
	switch strings.ToLower(p.take(names...)) {
	case "yes", "true", "1":
		return true
	case "no", "false", "0":
		return false
	default:
		return fallback
	}
}

// unknown refuses what nobody read.
func (p params) unknown() error {
	var problems []error
	for name := range p {
		problems = append(problems, fmt.Errorf("this service has no parameter %q here", name))
	}
	return errors.Join(problems...)
}
