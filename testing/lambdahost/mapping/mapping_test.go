package mapping

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// batchOf returns records numbered from 0, made now.
func batchOf(n int) []Record {
	batch := make([]Record, n)
	for i := range batch {
		number := fmt.Sprint(i)
		batch[i] = Record{SequenceNumber: number, At: time.Now(), Text: json.RawMessage(`{"n":"` + number + `"}`)}
	}
	return batch
}

// function answers for a stream's function: poison makes it name the record, crash makes it fail as a whole.
type function struct {
	calls         []string
	poison, crash string
	// heals is after how many calls nothing is wrong any more; 0 is never.
	heals int
}

func (f *function) invoke(_ context.Context, event []byte) ([]byte, error) {
	var batch struct{ Records []struct{ N string } }
	if err := json.Unmarshal(event, &batch); err != nil {
		return nil, err
	}
	var numbers []string
	for _, record := range batch.Records {
		numbers = append(numbers, record.N)
	}
	f.calls = append(f.calls, strings.Join(numbers, ""))
	if f.heals > 0 && len(f.calls) > f.heals {
		return []byte(`{"batchItemFailures":[]}`), nil
	}
	if slices.Contains(numbers, f.crash) {
		return nil, errors.New("crashed")
	}
	if slices.Contains(numbers, f.poison) {
		return []byte(`{"batchItemFailures":[{"itemIdentifier":"` + f.poison + `"}]}`), nil
	}
	return []byte(`null`), nil
}

// run takes a batch of ten through and returns what was called, what was given up, and how much was done.
func run(t *testing.T, f *function, change func(*Stream)) (lost []string, done int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := Stream{
			Invoke: f.invoke, Bisect: true, MaxRetries: 2, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
			Checkpoint: func(n int) { done += n },
			GiveUp: func(_ context.Context, l Lost) error {
				lost = append(lost, fmt.Sprintf("%s %s after %d", l.Records[0].SequenceNumber, l.Condition, l.Tries))
				if !json.Valid(l.Event) {
					t.Errorf("the event given up is %s", l.Event)
				}
				return nil
			},
		}
		if change != nil {
			change(&s)
		}
		s.work(t.Context(), "shard", batchOf(8), 0)
	})
	return lost, done
}

func TestStream(t *testing.T) {
	for _, tt := range []struct {
		name   string
		f      function
		change func(*Stream)
		calls  string
		lost   []string
	}{
		{"all is well", function{}, nil, "01234567", nil},
		{"a record that is named comes again alone with those behind it", function{poison: "3", heals: 2}, nil, "01234567 34567 34567", nil},
		{
			"one that stays poisonous is given up after its retries, with what is behind it",
			function{poison: "3"},
			nil,
			"01234567 34567 34567",
			[]string{"3 RetryAttemptsExhausted after 3"},
		},
		{
			"a batch that fails as a whole is cut in two, until the record is alone",
			function{crash: "6"},
			nil,
			"01234567 0123 4567 45 67 6 6 6 7",
			[]string{"6 RetryAttemptsExhausted after 3"},
		},
		{
			"without bisecting, the whole batch comes again",
			function{crash: "6"},
			func(s *Stream) { s.Bisect = false },
			"01234567 01234567 01234567",
			[]string{"0 RetryAttemptsExhausted after 3"},
		},
		{
			"what is too old is given up",
			function{crash: "0"},
			func(s *Stream) { s.Bisect, s.MaxRetries, s.MaxAge = false, -1, 250*time.Millisecond },
			"01234567 01234567",
			[]string{"0 RecordAgeExceeded after 2"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lost, done := run(t, &tt.f, tt.change)
			if diff := cmp.Diff(strings.Fields(tt.calls), tt.f.calls); diff != "" {
				t.Errorf("invocations (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.lost, lost); diff != "" {
				t.Errorf("given up (-want +got):\n%s", diff)
			}
			if done != 8 {
				t.Errorf("%d of 8 records are done", done)
			}
		})
	}
}

// TestNothingIsLostWithoutADestination: as long as the destination takes nothing, the batch is tried no more and kept.
func TestNothingIsLostWithoutADestination(t *testing.T) {
	refusals := 3
	f := &function{crash: "0"}
	_, done := run(t, f, func(s *Stream) {
		s.Bisect, s.MaxRetries = false, 0
		s.GiveUp = func(context.Context, Lost) error {
			if refusals--; refusals >= 0 {
				return errors.New("no bucket")
			}
			return nil
		}
	})
	if len(f.calls) != 1 || done != 8 || refusals >= 0 {
		t.Errorf("%d invocations, %d done, %d refusals left", len(f.calls), done, refusals)
	}
}

func TestAnswerThatCannotBeCarriedOut(t *testing.T) {
	for _, answer := range []string{
		`{`, `{"batchItemFailures":[{"itemIdentifier":"99"}]}`,
		`{"batchItemFailures":[{"itemIdentifier":""}]}`, `[]`,
	} {
		if done, err := doneOf(batchOf(3), []byte(answer)); err == nil || done != 0 {
			t.Errorf("%s: %d done, %v", answer, done, err)
		}
	}
}

// TestRecordOf: a record of the stream becomes one of the event.
func TestRecordOf(t *testing.T) {
	var fields map[string]json.RawMessage
	text := `{"eventID":"7","dynamodb":{"SequenceNumber":"100","ApproximateCreationDateTime":1764158400.5},` +
		`"userIdentity":{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}}`
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		t.Fatal(err)
	}
	record, err := recordOf(fields, "arn")
	if err != nil || record.SequenceNumber != "100" || record.At.UnixMilli() != 1764158400500 {
		t.Fatalf("record %+v, %v", record, err)
	}
	want := `"eventSourceARN":"arn","userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"}`
	if !strings.Contains(string(record.Text), want) {
		t.Errorf("the event's record is %s", record.Text)
	}
}
