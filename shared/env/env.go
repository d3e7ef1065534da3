// Package env reads settings from environment variables and says everything that is wrong with them at once. It is
// used by main packages only; what it reads is passed on as values.
package env

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/duration"
)

// Reader reads variables and remembers what was wrong. The zero value is not usable, see [New].
type Reader struct {
	lookup   func(name string) (string, bool)
	problems []error
}

// New returns a Reader of variables that lookup finds; os.LookupEnv is one.
func New(lookup func(name string) (string, bool)) *Reader { return &Reader{lookup: lookup} }

// Err returns everything that was wrong so far, joined, or nil. It names variables and never shows their values.
func (r *Reader) Err() error { return errors.Join(r.problems...) }

func (r *Reader) fail(name, format string, args ...any) {
	r.problems = append(r.problems, fmt.Errorf("%s %s", name, fmt.Sprintf(format, args...)))
}

// String returns the variable, or fallback if it is unset or empty.
func (r *Reader) String(name, fallback string) string {
	if value, ok := r.lookup(name); ok && value != "" {
		return value
	}
	return fallback
}

// Required returns the variable; unset or empty is a problem.
func (r *Reader) Required(name string) string {
	value := r.String(name, "")
	if value == "" {
		r.fail(name, "is not set")
	}
	return value
}

// List returns the variable split at commas, without spaces around the parts; unset or empty gives an empty list. An empty
// part is a problem.
func (r *Reader) List(name string) []string {
	value := r.String(name, "")
	if value == "" {
		return nil
	}
	parts := strings.Split(value, ",")
	for i := range parts {
		if parts[i] = strings.TrimSpace(parts[i]); parts[i] == "" {
			r.fail(name, "has an empty part: want values separated by single commas")
			return nil
		}
	}
	return parts
}

// URLs returns the variable's list of absolute http or https URLs.
func (r *Reader) URLs(name string) []string {
	list := r.List(name)
	for _, text := range list {
		if u, err := url.Parse(text); err != nil || u.Hostname() == "" || strings.ContainsAny(text, "?#") ||
			(u.Scheme != "https" && u.Scheme != "http") {
			r.fail(name, "has a part that is not an absolute URL such as https://relay.example.com")
		}
	}
	return list
}

// Duration returns the variable as a duration above zero, or fallback. It may be in days, see [duration.Parse].
func (r *Reader) Duration(name string, fallback time.Duration) time.Duration {
	text := r.String(name, "")
	if text == "" {
		return fallback
	}
	d, err := duration.Parse(text)
	if err != nil || d <= 0 {
		r.fail(name, "is not a duration above zero such as 500ms, 2s, 1h30m or 3d")
		return fallback
	}
	return d
}

// DurationWithin returns the variable as a duration from low to high, or fallback.
func (r *Reader) DurationWithin(name string, fallback, low, high time.Duration) time.Duration {
	d := r.Duration(name, fallback)
	if d != fallback && (d < low || d > high) {
		r.fail(name, "is not from %s to %s", duration.Text(low), duration.Text(high))
		return fallback
	}
	return d
}

// Int returns the variable as a whole number from low to high, or fallback.
func (r *Reader) Int(name string, fallback, low, high int) int {
	text := r.String(name, "")
	if text == "" {
		return fallback
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		r.fail(name, "is not a whole number from %d to %d", low, high)
		return fallback
	}
	return n
}
