package twilio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	const date = "Wed, 21 Oct 2026 07:28:00 GMT"
	tests := []struct {
		name, retryAfter, date string
		want                   time.Duration
	}{
		{"none", "", date, 0},
		{"seconds", "120", "", 2 * time.Minute},
		{"no seconds", "0", "", 0},
		{"negative seconds", "-5", "", 0},
		{"a fraction", "1.5", "", 0},
		{"words", "soon", date, 0},
		{"more than can be waited", "99999999", "", maxRetryAfter},
		{"more than a Duration holds", "18446744073709551615", "", maxRetryAfter},
		{"more than an integer holds", "99999999999999999999999", "", 0},
		{"a date", "Wed, 21 Oct 2026 07:29:30 GMT", date, 90 * time.Second},
		{"a date that is past", "Wed, 21 Oct 2026 07:27:00 GMT", date, 0},
		{"a date too far away", "Wed, 21 Oct 2037 07:27:00 GMT", date, maxRetryAfter},
		{"a date, but not when it was given", "Wed, 21 Oct 2026 07:29:30 GMT", "", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			header := http.Header{}
			header.Set("Retry-After", test.retryAfter)
			header.Set("Date", test.date)
			if got := retryAfter(header); got != test.want {
				t.Errorf("retryAfter() = %s, want %s", got, test.want)
			}
		})
	}
}

func TestCauseOf(t *testing.T) {
	reset := &net.OpError{Op: "read", Net: "tcp", Err: errors.New("connection reset by peer")}
	tests := []struct {
		name string
		err  error
		want error
	}{
		{"cancelled", fmt.Errorf("quoting +18585550199: %w", context.Canceled), context.Canceled},
		{"deadline", context.DeadlineExceeded, context.DeadlineExceeded},
		{"closed", io.EOF, io.EOF},
		{"cut short", fmt.Errorf("x: %w", io.ErrUnexpectedEOF), io.ErrUnexpectedEOF},
		{"the network's own words", fmt.Errorf("x: %w", reset), reset},
		{"anything else", errors.New(`malformed HTTP response "+18585550199"`), errBroken},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := causeOf(test.err); !errors.Is(got, test.want) || got.Error() != test.want.Error() {
				t.Errorf("causeOf() = %v, want %v", got, test.want)
			}
		})
	}
}

func TestWithoutURL(t *testing.T) {
	inner := errors.New("refused")
	err := &url.Error{Op: "Get", URL: "https://api.twilio.com/x?To=%2B18585550199", Err: inner}
	if got := withoutURL(err); !errors.Is(got, inner) || got.Error() != "refused" {
		t.Errorf("withoutURL() = %v, want %v", got, inner)
	}
	if got := withoutURL(inner); !errors.Is(got, inner) {
		t.Errorf("withoutURL() of an error without one = %v, want it unchanged", got)
	}
}
