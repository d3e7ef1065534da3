package twiliofake

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What a post may fail by, in the words of the retry policy.
const (
	retryConnect = "ct"
	retryRead    = "rt"
	retry4xx     = "4xx"
	retry5xx     = "5xx"
	retryAll     = "all"
)

// overrides are the connection settings of one post: Twilio's defaults, and what the URL's fragment says otherwise.
type overrides struct {
	connect, read, total time.Duration
	retries              int
	policy               []string
}

func defaultOverrides() overrides {
	return overrides{
		connect: 5 * time.Second,
		read:    15 * time.Second,
		total:   15 * time.Second,
		retries: 1,
		policy:  []string{retryConnect},
	}
}

// splitOverrides parts a webhook's URL from the overrides in its fragment. With an unusable fragment it returns the
// error code that Twilio has for it and the reason.
func splitOverrides(raw string) (target string, settings overrides, code int, err error) {
	settings = defaultOverrides()
	target, fragment, _ := strings.Cut(raw, "#")
	values, err := url.ParseQuery(fragment)
	if err != nil {
		return target, settings, codeURLFormat, fmt.Errorf("fragment %q: %w", fragment, err)
	}
	for name, given := range values {
		if code, err := settings.set(name, given[0]); err != nil {
			return target, settings, code, fmt.Errorf("fragment %q: %w", fragment, err)
		}
	}
	return target, settings, 0, nil
}

// set takes one override. Those that choose an edge or a region, and any other name, mean nothing on one machine.
func (o *overrides) set(name, value string) (int, error) {
	switch name {
	case "rp":
		return o.setPolicy(value)
	case "rc":
		return codeURLFormat, setNumber(&o.retries, name, value, 0, 5)
	case "ct":
		return codeURLFormat, setMilliseconds(&o.connect, name, value, 100, 10000)
	case "rt":
		return codeURLFormat, setMilliseconds(&o.read, name, value, 100, 15000)
	case "tt":
		return codeURLFormat, setMilliseconds(&o.total, name, value, 100, 15000)
	default:
		return 0, nil
	}
}

func (o *overrides) setPolicy(value string) (int, error) {
	policy := strings.Split(value, ",")
	known := []string{retryConnect, retryRead, retry4xx, retry5xx, retryAll}
	for _, failure := range policy {
		if !slices.Contains(known, failure) {
			return codeRetryPolicy, fmt.Errorf("rp: %q is not one of %s", failure, strings.Join(known, ", "))
		}
	}
	o.policy = policy
	return 0, nil
}

func setMilliseconds(setting *time.Duration, name, value string, least, most int) error {
	var milliseconds int
	if err := setNumber(&milliseconds, name, value, least, most); err != nil {
		return err
	}
	*setting = time.Duration(milliseconds) * time.Millisecond
	return nil
}

func setNumber(setting *int, name, value string, least, most int) error {
	number, err := strconv.Atoi(value)
	if err != nil || number < least || number > most {
		return fmt.Errorf("%s: want %d to %d, got %q", name, least, most, value)
	}
	*setting = number
	return nil
}

// retried reports whether the policy repeats a post that failed in this way. Failures that have no name of their own,
// such as a connection reset after the request, are retried by "all" alone.
func (o *overrides) retried(failure string) bool {
	return slices.Contains(o.policy, retryAll) || slices.Contains(o.policy, failure)
}
