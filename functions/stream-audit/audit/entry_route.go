package audit

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// actorRelay is the relay itself.
const actorRelay = "relay"

// unreadable replaces what someone wrote by hand and the relay cannot use. It may be anything, also a number in the wrong
// place, and is not shown.
const unreadable = "unreadable"

// storedRoute is what the entries need of a route. What may be written by hand in a form of its own does not hold up the
// trail.
type storedRoute struct {
	TwilioNumber       sms.PhoneNumber
	DestinationCarrier sms.PhoneNumber
	FallbackCarriers   []sms.PhoneNumber
	Active             bool
	Ring               written[route.Ring]
	OnUncertain        written[route.OnUncertain]
	DeliveryTimeout    written[route.Duration]
	MaxAge             written[route.Duration]
	PaceNumber         written[string]
	AnswerWindow       written[route.Duration]
	HoldTime           written[route.Duration]
	AnswerTimeout      written[route.Duration]
	ClaimTime          written[route.Duration]
	Threads            written[[]sms.PhoneNumber]
	Phones             written[[]route.Phone]
	Owner              written[string]
	TimeZone           written[string]
	Schedule           written[[]route.Shift]
	Overrides          written[[]route.Override]
	Closed             written[route.Closed]
	NightPhones        written[[]string]
	AutoAnswer         written[route.AutoAnswer]
	OptedOut           written[[]sms.PhoneNumber]
	Off                written[[]route.Off]
	VerifyPhones       written[*bool]
	Verifications      written[[]route.Verification]
	Removed            written[time.Time]
	OffSince           written[time.Time]
	LastUpdated        written[time.Time]
	Version            int64
	UpdatedBy          string
}

// written is an attribute that people may have written.
type written[T any] struct {
	// value is the zero value if the attribute is something else.
	value      T
	unreadable bool
}

// UnmarshalJSON reads the attribute, whatever it is. The error is always nil.
func (w *written[T]) UnmarshalJSON(data []byte) error {
	var value T
	if err := json.Unmarshal(data, &value); err != nil {
		*w = written[T]{unreadable: true}
		return nil //nolint:nilerr // that it is unreadable is what there is to say of it.
	}
	*w = written[T]{value: value}
	return nil
}

// routeEntry makes the entry of a route's change. Its time is the stream's: LastUpdated is what someone wrote into a file,
// maybe months ago, and a log does not accept such old entries.
func routeEntry(record events.DynamoDBEventRecord, change string) (auditlog.Entry, error) {
	before, after, err := images[storedRoute](record)
	if err != nil {
		return auditlog.Entry{}, err
	}
	latest := after
	if latest == nil {
		latest = before
	}
	return auditlog.Entry{
		ID:           auditlog.ID("route:"+latest.TwilioNumber.Mask(), latest.Version, change) + "@" + record.Change.SequenceNumber,
		Time:         ledger.Stamp(record.Change.ApproximateCreationDateTime.Time),
		Subject:      auditlog.SubjectRoute,
		Change:       change,
		Version:      latest.Version,
		TwilioNumber: latest.TwilioNumber.Mask(),
		Before:       routeOf(before),
		After:        routeOf(after),
		Actor:        actorOf(before, after),
	}, nil
}

// actorOf returns who changed the route, as the change itself says. A change without the relay, which leaves the version as it
// was, does not say, and neither does a removal. When the relay changes who has opted out or is off, it leaves UpdatedBy and LastUpdated
// as they were, see [route.MarkOptedOut]; a phone that is off or on again has done that itself.
func actorOf(before, after *storedRoute) string {
	switch {
	case after == nil, before != nil && after.Version <= before.Version:
		return ""
	case before == nil, after.UpdatedBy != before.UpdatedBy, !after.LastUpdated.value.Equal(before.LastUpdated.value):
		return after.UpdatedBy
	case !slices.Equal(after.OptedOut.value, before.OptedOut.value):
		return actorRelay
	}
	if phone := turnedOff(before.Off.value, after.Off.value); phone != "" {
		return phone.Mask()
	}
	if phone := tried(before.Verifications.value, after.Verifications.value); phone != "" {
		return phone.Mask()
	}
	return after.UpdatedBy
}

// tried returns the phone that texted a code.
func tried(before, after []route.Verification) sms.PhoneNumber {
	for _, v := range after {
		if !slices.Contains(before, v) {
			return v.Phone
		}
	}
	return ""
}

// turnedOff returns the phone that is off since, or on again. Entries that are over go with any write, so one that is gone counts only if
// there is none that is new, and the last of them.
func turnedOff(before, after []route.Off) (phone sms.PhoneNumber) {
	gone := func(from, in []route.Off) {
		for _, o := range from {
			if !slices.ContainsFunc(in, func(p route.Off) bool { return p.Phone == o.Phone && p.Until.Equal(o.Until) }) {
				phone = o.Phone
			}
		}
	}
	slices.SortFunc(before, func(o, p route.Off) int { return o.Until.Compare(p.Until) })
	gone(before, after)
	gone(after, before)
	return phone
}

func routeOf(r *storedRoute) *auditlog.Route {
	if r == nil {
		return nil
	}
	entry := &auditlog.Route{
		DestinationCarrier: r.DestinationCarrier.Mask(), FallbackCarriers: masks(r.FallbackCarriers), Active: r.Active,
		Ring:            r.Ring.show(string(r.Ring.value), route.Route{Ring: r.Ring.value}),
		OnUncertain:     r.OnUncertain.show(string(r.OnUncertain.value), route.Route{OnUncertain: r.OnUncertain.value}),
		DeliveryTimeout: r.DeliveryTimeout.show(length(r.DeliveryTimeout.value), route.Route{DeliveryTimeout: r.DeliveryTimeout.value}),
		MaxAge:          r.MaxAge.show(length(r.MaxAge.value), route.Route{MaxAge: r.MaxAge.value}),
		PaceNumber:      r.PaceNumber.show(r.PaceNumber.value, route.Route{PaceNumber: r.PaceNumber.value}),
		AnswerWindow:    r.AnswerWindow.show(length(r.AnswerWindow.value), route.Route{AnswerWindow: r.AnswerWindow.value}),
		HoldTime:        r.HoldTime.show(length(r.HoldTime.value), route.Route{HoldTime: r.HoldTime.value}),
		AnswerTimeout:   r.AnswerTimeout.show(length(r.AnswerTimeout.value), route.Route{AnswerTimeout: r.AnswerTimeout.value}),
		ClaimTime:       r.ClaimTime.show(length(r.ClaimTime.value), route.Route{ClaimTime: r.ClaimTime.value}),
		Threads:         masksOf(r.Threads), Phones: phonesOf(r.Phones), Owner: ownerOf(r),
		OptedOut: masksOf(r.OptedOut), Off: offOf(r.Off), VerifyPhones: r.VerifyPhones.value,
		Unverified: unverifiedOf(r.Verifications), Removed: r.Removed.show(moment(r.Removed.value), route.Route{}),
		OffSince: r.OffSince.show(moment(r.OffSince.value), route.Route{}), Version: r.Version,
	}
	r.addDuty(entry)
	return entry
}

// show returns the text of a setting that is valid in a route of its own.
func (w written[T]) show(text string, alone route.Route) string {
	if w.unreadable || alone.ValidateSettings() != nil {
		return unreadable
	}
	return text
}

// length writes a duration; that none is set is not said.
func length(d route.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// moment writes a time; that none is set is not said.
func moment(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

// masksOf masks the numbers of an attribute that people may have written.
func masksOf(numbers written[[]sms.PhoneNumber]) []string {
	if numbers.unreadable {
		return []string{unreadable}
	}
	return masks(numbers.value)
}

// offOf says which phones are off until when, with their numbers masked.
func offOf(all written[[]route.Off]) []string {
	if all.unreadable {
		return []string{unreadable}
	}
	var said []string
	for _, o := range all.value {
		said = append(said, o.Phone.Mask()+" until "+moment(o.Until))
	}
	return said
}

// unverifiedOf masks the numbers of the phones that have yet to be verified.
func unverifiedOf(all written[[]route.Verification]) []string {
	if all.unreadable {
		return []string{unreadable}
	}
	var numbers []sms.PhoneNumber
	for _, v := range all.value {
		if v.VerifiedAt.IsZero() {
			numbers = append(numbers, v.Phone)
		}
	}
	return masks(numbers)
}

// phonesOf masks the numbers of named phones.
func phonesOf(phones written[[]route.Phone]) []string {
	if phones.unreadable {
		return []string{unreadable}
	}
	var numbers []sms.PhoneNumber
	for _, p := range phones.value {
		numbers = append(append(numbers, p.Number), p.Also...)
	}
	return masks(numbers)
}

// ownerOf masks the number of the owner's phone.
func ownerOf(r *storedRoute) string {
	owner := route.Route{Phones: r.Phones.value, Owner: r.Owner.value}
	number := owner.OwnerPhone()
	switch {
	case r.Owner.unreadable, owner.Owner != "" && number == "":
		return unreadable
	case number == "":
		return ""
	}
	return number.Mask()
}

func masks(numbers []sms.PhoneNumber) []string {
	var masked []string
	for _, number := range numbers {
		masked = append(masked, number.Mask())
	}
	return masked
}
