package dynamo

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"quickdumpnow.com/smsrelay/shared/ledger"
)

const (
	// maxQueries limits the queries for one page: ten days of all states, or a hundred days of one.
	maxQueries = 100
	// clockSkew is how far the front door's clock may be ahead of this one.
	clockSkew = 5 * time.Minute
	// lastSid follows every MessageSid.
	lastSid = "~"
)

// bounds are a range of ReceivedKey, both ends included, without the place of after.
type bounds struct{ low, high, after string }

// boundsOf returns the range from Since to the cursor, or to Until if that comes first.
func boundsOf(q ledger.Query) bounds {
	b := bounds{low: ledger.SortKeyFrom(q.Since), high: "9999"}
	if !q.Cursor.IsZero() {
		b.high = receivedKey(q.Cursor)
		b.after = b.high
	}
	if !q.Until.IsZero() {
		// No place has this key: each has a MessageSid after its time.
		b.high = min(b.high, ledger.SortKeyFrom(q.Until))
	}
	return b
}

// partition is a range of one partition of an index.
type partition struct {
	index     string
	attribute string
	value     string
	bounds
}

// walk reads the texts of one state, or of all, day by day from the newest.
func (l *Ledger) walk(ctx context.Context, q ledger.Query) (stretch, error) {
	states := []ledger.State{q.State}
	if q.State == "" {
		// A record without a state is still a record of the ledger.
		states = append(ledger.States(), "")
	}
	first, last := l.days(q)
	bounds := boundsOf(q)
	var found stretch
	for day, queries := first, 0; !day.Before(last); day = day.AddDate(0, 0, -1) {
		if queries += len(states); queries > maxQueries {
			// Nothing between the last place found and this day's end is left.
			found.rest = ledger.Cursor{ReceivedAt: day.AddDate(0, 0, 1).Add(-time.Millisecond), MessageSid: lastSid}
			return found, nil
		}
		ofDay, err := l.merge(ctx, q.Limit-len(found.places), partitionsOf(states, day, bounds))
		if err != nil {
			return stretch{}, err
		}
		found = stretch{places: append(found.places, ofDay.places...), rest: ofDay.rest}.cut(q.Limit)
		if len(found.places) == q.Limit {
			return found.unless(day.Equal(last)), nil
		}
	}
	return found, nil
}

// unless returns a full stretch with a rest, unless nothing can follow it.
func (s stretch) unless(over bool) stretch {
	if s.rest.IsZero() && !over {
		s.rest = s.places[len(s.places)-1].cursor()
	}
	return s
}

// days returns the first and the last day of a walk backwards.
func (l *Ledger) days(q ledger.Query) (first, last time.Time) {
	now := l.now()
	newest, oldest := now.Add(clockSkew), now.Add(-l.retention)
	if !q.Cursor.IsZero() && q.Cursor.ReceivedAt.Before(newest) {
		newest = q.Cursor.ReceivedAt
	}
	if !q.Until.IsZero() && q.Until.Before(newest) {
		newest = q.Until
	}
	if q.Since.After(oldest) {
		oldest = q.Since
	}
	return dayOf(newest), dayOf(oldest)
}

// dayOf returns the start of t's day in UTC.
func dayOf(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// partitionsOf returns the partitions of that day, one a state.
func partitionsOf(states []ledger.State, day time.Time, bounds bounds) []partition {
	partitions := make([]partition, len(states))
	for i, state := range states {
		partitions[i] = partition{index: IndexByStateDay, attribute: attrStateDay, value: stateDay(state, day), bounds: bounds}
	}
	return partitions
}

// merge reads the newest places of all partitions together: at least limit of them, if there are that many. The rest is that
// of the limit.
func (l *Ledger) merge(ctx context.Context, limit int, partitions []partition) (stretch, error) {
	answers := make([]stretch, len(partitions))
	failures := make([]error, len(partitions))
	var group sync.WaitGroup
	for i, p := range partitions {
		group.Go(func() { answers[i], failures[i] = l.query(ctx, limit, p) })
	}
	group.Wait()
	if err := errors.Join(failures...); err != nil {
		return stretch{}, err
	}
	var merged stretch
	more := false
	for _, answer := range answers {
		merged.places = append(merged.places, answer.places...)
		more = more || !answer.rest.IsZero()
	}
	slices.SortFunc(merged.places, newestFirst)
	merged.places = slices.Compact(merged.places)
	merged = merged.cut(limit)
	if more && merged.rest.IsZero() && len(merged.places) > 0 {
		merged.rest = merged.places[len(merged.places)-1].cursor()
	}
	return merged, nil
}

// query reads up to limit places of one partition, newest first.
func (l *Ledger) query(ctx context.Context, limit int, p partition) (stretch, error) {
	if p.low > p.high {
		// DynamoDB refuses an empty range.
		return stretch{}, nil
	}
	out, err := l.table.client.Query(ctx, &sdk.QueryInput{
		TableName:                &l.table.name,
		IndexName:                &p.index,
		KeyConditionExpression:   aws.String("#partition = :partition AND #key BETWEEN :low AND :high"),
		ExpressionAttributeNames: map[string]string{"#partition": p.attribute, "#key": attrReceivedKey},
		ExpressionAttributeValues: item{
			":partition": &types.AttributeValueMemberS{Value: p.value},
			":low":       &types.AttributeValueMemberS{Value: p.low},
			":high":      &types.AttributeValueMemberS{Value: p.high},
		},
		ScanIndexForward: aws.Bool(false),
		// One more, since the range includes the cursor's own place.
		Limit: aws.Int32(int32(limit) + 1), //nolint:gosec // at most MaxLimit
	})
	if err != nil {
		return stretch{}, reading("Query", err)
	}
	var found stretch
	for _, entry := range out.Items {
		if key := text(entry, attrReceivedKey); key != p.after {
			found.places = append(found.places, place{receivedKey: key, messageSid: text(entry, attrMessageSid)})
		}
	}
	if len(out.LastEvaluatedKey) > 0 && len(found.places) > 0 {
		found.rest = found.places[len(found.places)-1].cursor()
	}
	return found, nil
}
