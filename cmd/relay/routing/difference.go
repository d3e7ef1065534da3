package routing

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Difference is one field that differs between two routes, as text; empty if a route does not set it.
type Difference struct {
	Field string `json:"field"`
	From  string `json:"from"`
	To    string `json:"to"`
}

// differencesBetween returns the fields that operators decide: not the version, who wrote the route and when, or who has opted out. A
// route without a destination does not exist yet: all its fields are empty.
func differencesBetween(from, to route.Route) []Difference {
	var differences []Difference
	after := fields(to)
	for i, before := range fields(from) {
		if before.text != after[i].text {
			differences = append(differences, Difference{Field: before.name, From: before.text, To: after[i].text})
		}
	}
	return differences
}

// The fields that say whether a route is active, where its texts go, and from which numbers.
const (
	fieldDestination = "DestinationCarrier"
	fieldFallbacks   = "FallbackCarriers"
	fieldThreads     = "Threads"
	fieldPhones      = "Phones"
	fieldOwner       = "Owner"
	fieldSchedule    = "Schedule"
	fieldOverrides   = "Overrides"
	fieldNightPhones = "NightPhones"
	fieldAutoClosed  = "AutoAnswer.Closed"
	fieldAutoNoOne   = "AutoAnswer.NoOne"

	fieldActive   = "Active"
	fieldRemoved  = "Removed"
	fieldOffSince = "OffSince"
)

type field struct{ name, text string }

// fields returns the fields in the order of a maintenance.json.
func fields(r route.Route) []field {
	active := "no"
	switch {
	case r.Active:
		active = "yes"
	case r.DestinationCarrier == "":
		active = ""
	}
	removed := ""
	if r.IsRemoved() {
		removed = r.Removed.UTC().Format(time.RFC3339)
	}
	return []field{
		{fieldDestination, string(r.DestinationCarrier)},
		{fieldFallbacks, list(r.FallbackCarriers)},
		{fieldActive, active},
		{"Ring", string(r.Ring)},
		{fieldThreads, list(r.Threads)},
		{fieldPhones, phones(r.Phones)},
		{fieldOwner, r.Owner},
		{"TimeZone", r.TimeZone},
		{fieldSchedule, texts(r.Schedule)},
		{fieldOverrides, texts(r.Overrides)},
		{"Closed", string(r.Closed)},
		{fieldNightPhones, strings.Join(r.NightPhones, ", ")},
		{fieldAutoClosed, r.AutoAnswer.Closed},
		{fieldAutoNoOne, r.AutoAnswer.NoOne},
		{"OnUncertain", string(r.OnUncertain)},
		{"DeliveryTimeout", duration(r.DeliveryTimeout)},
		{"MaxAge", duration(r.MaxAge)},
		{"PaceNumber", r.PaceNumber},
		{"AnswerWindow", duration(r.AnswerWindow)},
		{"HoldTime", duration(r.HoldTime)},
		{"AnswerTimeout", duration(r.AnswerTimeout)},
		{"ClaimTime", duration(r.ClaimTime)},
		{"VerifyPhones", yes(r.VerifyPhones)},
		{"Off", off(r)},
		{"Verifications", verifications(r)},
		{fieldRemoved, removed},
	}
}

func list(numbers []sms.PhoneNumber) string {
	texts := make([]string, len(numbers))
	for i, number := range numbers {
		texts[i] = string(number)
	}
	return strings.Join(texts, ", ")
}

// off lists the phones that are off until when.
func off(r route.Route) string {
	texts := make([]string, len(r.Off))
	for i, o := range r.Off {
		texts[i] = string(o.Phone) + " until " + o.Until.UTC().Format(time.RFC3339)
	}
	return strings.Join(texts, ", ")
}

// yes writes a setting that may be set to true or false.
func yes(on *bool) string {
	if on == nil {
		return ""
	}
	return strconv.FormatBool(*on)
}

// verifications lists the phones that have yet to be verified, and when they were texted a code.
func verifications(r route.Route) string {
	var texts []string
	for _, v := range r.Verifications {
		if v.VerifiedAt.IsZero() {
			text := string(v.Phone) + " unverified"
			if !v.SentAt.IsZero() {
				text += ", code of " + v.SentAt.UTC().Format(time.RFC3339)
			}
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, ", ")
}

// texts lists entries of a schedule.
func texts[T fmt.Stringer](entries []T) string {
	all := make([]string, len(entries))
	for i, entry := range entries {
		all[i] = entry.String()
	}
	return strings.Join(all, "; ")
}

// phones lists named phones: each with its number, and its further numbers in brackets.
func phones(all []route.Phone) string {
	texts := make([]string, len(all))
	for i, p := range all {
		texts[i] = p.Name + " " + string(p.Number)
		if len(p.Also) > 0 {
			texts[i] += " (" + list(p.Also) + ")"
		}
	}
	return strings.Join(texts, ", ")
}

func duration(d route.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// overlap reports whether both change the same field.
func overlap(a, b []Difference) bool {
	return slices.ContainsFunc(a, func(one Difference) bool {
		return slices.ContainsFunc(b, func(other Difference) bool { return one.Field == other.Field })
	})
}

// Visible returns the routes that are not removed.
func Visible(all []route.Route) []route.Route {
	return slices.DeleteFunc(slices.Clone(all), route.Route.IsRemoved)
}

// Get returns the number's route among all, removed or not; ok is false if it has no route.
func Get(all []route.Route, number sms.PhoneNumber) (r route.Route, ok bool) {
	return find(all, number)
}
