package seeding_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/cfn"

	"quickdumpnow.com/smsrelay/functions/seed-routes/seeding"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// timed is one request to a function of a minute, in a bubble.
type timed struct {
	answer cfn.Response
	// answered is when the answer began, left how long it may have taken.
	answered, left time.Duration
}

func handle(t *testing.T, config seeding.Config) timed {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	start := time.Now()
	var got timed
	config.Answer = func(ctx context.Context, _ string, answer cfn.Response) error {
		deadline, _ := ctx.Deadline()
		got = timed{answer: answer, answered: time.Since(start), left: time.Until(deadline)}
		return ctx.Err()
	}
	config.Now, config.Logger = time.Now, slog.New(slog.DiscardHandler)
	payload, err := json.Marshal(cfn.Event{
		RequestType: cfn.RequestCreate, ResponseURL: "https://answers.example.com",
		ResourceProperties: at("one", "1"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := seeding.New(config).Handle(ctx, payload); err != nil {
		t.Errorf("Handle: %v", err)
	}
	return got
}

// TestAnswerIsInTime: whatever hangs, there is time to say so, and to say it again.
func TestAnswerIsInTime(t *testing.T) {
	t.Parallel()
	good := &bucket{objects: map[seeding.Object]string{{Bucket: "seed", Key: "one"}: file(entry("01", "22", "2000-01-01T00:00:00Z"),
		entry("02", "22", "2000-01-01T00:00:00Z"))}}
	tests := []struct {
		name string
		read func(ctx context.Context, o seeding.Object, limit int64) ([]byte, error)
		// fault, if set, is the table's.
		fault  relaytest.Fault
		when   time.Duration
		reason string
	}{
		{
			name: "S3 ends with its context",
			read: func(ctx context.Context, _ seeding.Object, _ int64) ([]byte, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			},
			when: 50 * time.Second, reason: "read s3://seed/one: context deadline exceeded",
		},
		{
			name: "S3 does not end",
			read: func(context.Context, seeding.Object, int64) ([]byte, error) {
				time.Sleep(time.Hour)
				return nil, errors.New("too late")
			},
			when: 51 * time.Second, reason: "seed routes: context deadline exceeded",
		},
		{
			name: "the table is too slow", read: good.read,
			fault: func(op string) error {
				if op == "after Put" {
					time.Sleep(50*time.Second + time.Second/2)
				}
				return nil
			},
			when: 50*time.Second + time.Second/2, reason: "1 of 2 routes were put: put route of ***0102: ",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				table := &relaytest.MemoryRoutes{Fault: tt.fault}
				// What hangs ends before the bubble does.
				defer time.Sleep(2 * time.Hour)
				got := handle(t, seeding.Config{Read: tt.read, Routes: table})
				if got.answered != tt.when || got.left < 8*time.Second || got.left >= 10*time.Second {
					t.Errorf("answered after %v with %v left, want after %v", got.answered, got.left, tt.when)
				}
				if got.answer.Status != cfn.StatusFailed || !strings.HasPrefix(got.answer.Reason, tt.reason) {
					t.Errorf("%s, reason %q; want %q", got.answer.Status, got.answer.Reason, tt.reason)
				}
			})
		})
	}
}

// TestReadIsRepeated where it may help: a policy that was written a moment ago is not in force everywhere.
func TestReadIsRepeated(t *testing.T) {
	t.Parallel()
	forbidden := &fault.Error{Kind: fault.Fatal, HTTPStatus: http.StatusForbidden, Err: errors.New("AccessDenied")}
	lost := &fault.Error{Kind: fault.Transient, Err: errors.New("no answer")}
	missing := &fault.Error{Kind: fault.Fatal, HTTPStatus: http.StatusNotFound, Err: errors.New("NoSuchBucket")}
	tests := []struct {
		name   string
		faults []error
		reads  int
		when   time.Duration
		status cfn.StatusType
	}{
		{"not allowed yet", []error{forbidden, forbidden, forbidden}, 4, 7 * time.Second, cfn.StatusSuccess},
		{"lost", []error{lost}, 2, time.Second, cfn.StatusSuccess},
		{
			"never allowed",
			[]error{forbidden, forbidden, forbidden, forbidden, forbidden, forbidden, forbidden},
			6,
			23 * time.Second, cfn.StatusFailed,
		},
		{"no such bucket", []error{missing}, 1, 0, cfn.StatusFailed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := &bucket{faults: tt.faults, objects: map[seeding.Object]string{{Bucket: "seed", Key: "one"}: file()}}
				got := handle(t, seeding.Config{Read: b.read, Routes: &relaytest.MemoryRoutes{}})
				if b.reads != tt.reads || got.answered != tt.when || got.answer.Status != tt.status {
					t.Errorf("%s after %d reads in %v (%s), want %s after %d in %v", got.answer.Status, b.reads, got.answered, got.answer.Reason,
						tt.status, tt.reads, tt.when)
				}
			})
		})
	}
}
