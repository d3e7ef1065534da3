package fault_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
)

// TestKindNames: records and metrics contain the names, which must not change.
func TestKindNames(t *testing.T) {
	want := map[fault.Kind]string{
		fault.Unknown: "unknown", fault.Transient: "transient", fault.Throttled: "throttled",
		fault.Permanent: "permanent", fault.Unreachable: "unreachable", fault.OptedOut: "opted_out", fault.Fatal: "fatal",
		fault.NotSent: "not_sent", fault.Quota: "quota", fault.Kind(99): "fault.Kind(99)", fault.Kind(-1): "fault.Kind(-1)",
	}
	for kind, name := range want {
		if got := kind.String(); got != name {
			t.Errorf("fault.Kind(%d).String() = %q, want %q", int(kind), got, name)
		}
	}
}

func TestZeroKindIsTheMostCareful(t *testing.T) {
	if kind := (&fault.Error{}).Kind; kind != fault.Unknown {
		t.Errorf("zero Error is %v, want unknown", kind)
	}
}

func TestErrorText(t *testing.T) {
	cause := errors.New("connection reset")
	tests := []struct {
		name string
		err  fault.Error
		want string
	}{
		{"kind alone", fault.Error{Kind: fault.Fatal}, "fatal"},
		{"code", fault.Error{Kind: fault.Permanent, Code: 21610}, "permanent, code 21610"},
		{"status", fault.Error{Kind: fault.Transient, HTTPStatus: 503}, "transient, status 503"},
		{"cause", fault.Error{Err: cause}, "unknown: connection reset"},
		{
			"everything",
			fault.Error{Kind: fault.Throttled, Code: 20429, HTTPStatus: 429, RetryAfter: time.Second, Err: cause},
			"throttled, code 20429, status 429: connection reset",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.err.Error(); got != tt.want {
				t.Errorf("Error() = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestOf(t *testing.T) {
	classified := &fault.Error{Kind: fault.Permanent, Code: 21610, Err: context.Canceled}
	plain := errors.New("plain")
	outer := &fault.Error{Kind: fault.Transient, Err: classified}
	tests := []struct {
		name string
		err  error
		want *fault.Error
	}{
		{"classified", classified, classified},
		{"wrapped", fmt.Errorf("send: %w", fmt.Errorf("post: %w", classified)), classified},
		{"joined", errors.Join(plain, classified), classified},
		{"classified twice, the outer one", fmt.Errorf("send: %w", outer), outer},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := fault.Of(tt.err); got != tt.want {
				t.Errorf("Of(%v) = %v, want %v", tt.err, got, tt.want)
			}
		})
	}
}

func TestOfUnclassified(t *testing.T) {
	for _, err := range []error{nil, errors.New("plain"), context.DeadlineExceeded} {
		got := fault.Of(err)
		if got == nil || *got != (fault.Error{Kind: fault.Unknown, Err: err}) {
			t.Errorf("Of(%v) = %v, want an unknown that holds it", err, got)
		}
	}
}

func TestErrorUnwraps(t *testing.T) {
	err := fmt.Errorf("send: %w", &fault.Error{Kind: fault.Unknown, Err: context.DeadlineExceeded})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v does not hold its cause", err)
	}
}
