package dynamo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// The attributes of a route that people may have written in a form of their own.
const (
	attrLastUpdated     = "LastUpdated"
	attrThreads         = "Threads"
	attrActive          = "Active"
	attrRing            = "Ring"
	attrOnUncertain     = "OnUncertain"
	attrDeliveryTimeout = "DeliveryTimeout"
	attrMaxAge          = "MaxAge"
	attrPaceNumber      = "PaceNumber"
	attrAnswerWindow    = "AnswerWindow"
	attrHoldTime        = "HoldTime"
	attrAnswerTimeout   = "AnswerTimeout"
	attrClaimTime       = "ClaimTime"
	attrOwner           = "Owner"
	attrTimeZone        = "TimeZone"
	attrClosed          = "Closed"
	attrRemoved         = "Removed"
	attrOffSince        = "OffSince"
)

var _ route.Table = (*Routes)(nil)

// Routes keeps the routes in a table of [RoutesSchema]. It is safe for concurrent use.
// An item that was written by hand may have no Version. It is read as version 0; a Put of version 0 means that there is no
// item, so only PutUnversioned overwrites such an item.
type Routes struct {
	table table
	// ahead is how far DynamoDB's clock was ahead of this one's at the last List.
	ahead atomic.Int64
}

// NewRoutes returns the routes in the table of that name.
func NewRoutes(cfg aws.Config, tableName string) *Routes {
	return newRoutes(sdk.NewFromConfig(cfg), tableName)
}

func newRoutes(client api, tableName string) *Routes {
	return &Routes{table: table{client: client, name: tableName, key: attrTwilioNumber}}
}

// Lookup returns the routes among the numbers with one BatchGetItem. An item that cannot be read is a Fatal error, not a
// missing route: its texts wait until someone fixes it.
func (t *Routes) Lookup(ctx context.Context, numbers ...sms.PhoneNumber) (map[sms.PhoneNumber]route.Route, error) {
	if len(numbers) > maxBatch {
		cause := fmt.Errorf("look up routes: %d numbers, at most %d", len(numbers), maxBatch)
		return nil, &fault.Error{Kind: fault.Permanent, Err: cause}
	}
	keys := make([]string, len(numbers))
	for i, number := range numbers {
		keys[i] = string(number)
	}
	items, err := t.table.batchGet(ctx, t.table.distinct(keys), false)
	if err != nil {
		return nil, err
	}
	routes := make(map[sms.PhoneNumber]route.Route, len(items))
	for _, stored := range items {
		r, err := routeOf(stored)
		if err != nil {
			return nil, err
		}
		routes[r.TwilioNumber] = r
	}
	return routes, nil
}

// Put stores the route over the version that it was read with, with one conditional write.
func (t *Routes) Put(ctx context.Context, r route.Route) (route.Route, error) {
	condition := t.table.absent()
	if r.Version > 0 {
		condition = atVersion(r.Version)
	}
	return t.put(ctx, r, condition)
}

// PutUnversioned stores the route over an item that was written by hand and has no Version, as version 1. The error is
// [route.ErrConflict] if it has one by now, or is gone; a change by hand since it was read cannot be noticed.
func (t *Routes) PutUnversioned(ctx context.Context, r route.Route) (route.Route, error) {
	r.Version = 0
	return t.put(ctx, r, t.table.unversioned())
}

func (t *Routes) put(ctx context.Context, r route.Route, condition condition) (route.Route, error) {
	r.Version++
	wanted, err := encode(r)
	if err != nil {
		return route.Route{}, unstorable(err)
	}
	_, ok, err := t.table.put(ctx, wanted, condition)
	switch {
	case err != nil:
		return route.Route{}, err
	case !ok:
		return route.Route{}, route.ErrConflict
	default:
		return r, nil
	}
}

// closeEnough is how far two clocks that agree may seem apart: DynamoDB gives its time in whole seconds.
const closeEnough = 2 * time.Second

// Ahead returns how far DynamoDB's clock was ahead of this host's at the last List, 0 if they seem to agree. Operators write
// from machines whose clocks may be minutes wrong, and their times are compared with those of the front door.
func (t *Routes) Ahead() time.Duration {
	ahead := time.Duration(t.ahead.Load())
	if ahead.Abs() <= closeEnough {
		return 0
	}
	return ahead
}

// List reads the whole table, which is as large as the business has numbers.
func (t *Routes) List(ctx context.Context) ([]route.Route, error) {
	var routes []route.Route
	var unreadable []route.Unreadable
	var after item
	for {
		out, err := t.table.client.Scan(ctx, &sdk.ScanInput{TableName: &t.table.name, ExclusiveStartKey: after})
		if err != nil {
			return nil, reading("Scan", err)
		}
		skew, _ := middleware.GetAttemptSkew(out.ResultMetadata)
		t.ahead.Store(int64(skew))
		for _, stored := range out.Items {
			if r, err := routeOf(stored); err != nil {
				unreadable = append(unreadable, unreadableRoute(stored, err))
			} else {
				routes = append(routes, r)
			}
		}
		if after = out.LastEvaluatedKey; len(after) == 0 {
			break
		}
	}
	// sort.Slice has no code of its own for each type: that would be 10 kB of each function.
	sort.Slice(routes, func(i, k int) bool { return routes[i].TwilioNumber < routes[k].TwilioNumber })
	return routes, route.ErrorOf(unreadable)
}

// unreadableRoute returns what can be said of an item that cannot be read.
func unreadableRoute(stored item, err error) route.Unreadable {
	u := route.Unreadable{TwilioNumber: sms.PhoneNumber(text(stored, attrTwilioNumber)), Err: err}
	var of struct{ Threads []sms.PhoneNumber }
	if threads := stored[attrThreads]; threads != nil {
		u.AnyThread = decode(item{attrThreads: threads}, &of) != nil
	}
	u.Threads = of.Threads
	return u
}

// routeOf reads an item of the routing table. A LastUpdated that is not a time is left zero.
func routeOf(stored item) (route.Route, error) {
	if _, err := time.Parse(time.RFC3339, text(stored, attrLastUpdated)); err != nil {
		delete(stored, attrLastUpdated)
	}
	if err := checkForms(stored); err != nil {
		return route.Route{}, unreadable(sms.PhoneNumber(text(stored, attrTwilioNumber)).Mask(), err)
	}
	var r route.Route
	if err := decode(stored, &r); err != nil {
		return route.Route{}, unreadable(sms.PhoneNumber(text(stored, attrTwilioNumber)).Mask(), err)
	}
	if _, ok := stored[attrActive].(*types.AttributeValueMemberBOOL); !ok {
		return route.Route{}, unreadable(r.TwilioNumber.Mask(), errors.New("attribute Active is missing"))
	}
	if err := r.ValidateSettings(); err != nil {
		return route.Route{}, unreadable(r.TwilioNumber.Mask(), err)
	}
	for _, hop := range r.Hops() {
		if !hop.IsE164() {
			// Twilio might reach it even so, and its texts would then pass the loop guard.
			return route.Route{}, unreadable(r.TwilioNumber.Mask(), errors.New("a hop is not E.164"))
		}
	}
	for _, p := range r.Phones {
		if slices.ContainsFunc(append([]sms.PhoneNumber{p.Number}, p.Also...), func(n sms.PhoneNumber) bool { return !n.IsE164() }) {
			return route.Route{}, unreadable(r.TwilioNumber.Mask(), errors.New("a phone is not E.164"))
		}
	}
	if slices.ContainsFunc(r.AllPhones(), func(n sms.PhoneNumber) bool { return !n.IsE164() }) {
		return route.Route{}, unreadable(r.TwilioNumber.Mask(), errors.New("a phone is not E.164"))
	}
	for _, thread := range r.Threads {
		switch {
		case !thread.IsE164():
			return route.Route{}, unreadable(r.TwilioNumber.Mask(), errors.New("a thread is not E.164"))
		case sms.Same(thread, r.TwilioNumber):
			// An answer to a thread goes to its one customer, and the number is everybody's.
			return route.Route{}, unreadable(r.TwilioNumber.Mask(), errors.New("a thread is the Twilio number itself"))
		}
	}
	return r, nil
}

// checkForms says how to write a setting that has the wrong form. A setting in the right form may still have a wrong value.
func checkForms(stored item) error {
	anything := func(string) error { return nil }
	duration := func(text string) error { _, err := route.ParseDuration(text); return err }
	moment := func(text string) error { _, err := time.Parse(time.RFC3339, text); return err }
	for _, form := range []struct {
		name, wanted string
		read         func(text string) error
	}{
		{attrRing, "in_turn or all", anything},
		{attrOnUncertain, "park or resend", anything},
		{attrDeliveryTimeout, "a duration such as 90s", duration},
		{attrMaxAge, "a duration such as 4h", duration},
		{attrAnswerWindow, "a duration such as 24h", duration},
		{attrHoldTime, "a duration such as 1h", duration},
		{attrAnswerTimeout, "a duration such as 15m", duration},
		{attrClaimTime, "a duration such as 4h", duration},
		{attrTimeZone, "a time zone such as America/Los_Angeles", anything},
		{attrClosed, "relay or night", anything},
		{attrOwner, "a phone's name or number", anything},
		{attrPaceNumber, "a pace such as 3/1s or off", anything},
		{attrRemoved, "a time such as 2026-11-24T08:00:00Z", moment},
		{attrOffSince, "a time such as 2026-11-24T08:00:00Z", moment},
	} {
		written, ok := stored[form.name].(*types.AttributeValueMemberS)
		if present(stored, form.name) && (!ok || form.read(written.Value) != nil) {
			return fmt.Errorf("attribute %s should be %s, as a string", form.name, form.wanted)
		}
	}
	return nil
}

// present reports whether the item has the attribute and it is not NULL.
func present(stored item, name string) bool {
	_, null := stored[name].(*types.AttributeValueMemberNULL)
	return stored[name] != nil && !null
}
