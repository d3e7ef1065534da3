package routing

import (
	"slices"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Difference is one field that two routes have each its own way, as text; empty where a route does not say.
type Difference struct {
	Field string `json:"field"`
	From  string `json:"from"`
	To    string `json:"to"`
}

// Differences returns what someone who runs the routes has to decide: not the version, nor who wrote them when, nor who
// has opted out. Of a route without a destination, which is none yet, each field is empty.
func Differences(from, to route.Route) []Difference {
	var differences []Difference
	after := fields(to)
	for i, before := range fields(from) {
		if before.text != after[i].text {
			differences = append(differences, Difference{Field: before.name, From: before.text, To: after[i].text})
		}
	}
	return differences
}

// The fields that say whether a route is in use, and where its texts go.
const (
	fieldDestination = "DestinationCarrier"
	fieldFallbacks   = "FallbackCarriers"

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
	fallbacks := make([]string, len(r.FallbackCarriers))
	for i, phone := range r.FallbackCarriers {
		fallbacks[i] = string(phone)
	}
	removed := ""
	if r.IsRemoved() {
		removed = r.Removed.UTC().Format(time.RFC3339)
	}
	return []field{
		{fieldDestination, string(r.DestinationCarrier)},
		{fieldFallbacks, strings.Join(fallbacks, ", ")},
		{fieldActive, active},
		{"OnUncertain", string(r.OnUncertain)},
		{"DeliveryTimeout", duration(r.DeliveryTimeout)},
		{"MaxAge", duration(r.MaxAge)},
		{"PaceNumber", r.PaceNumber},
		{fieldRemoved, removed},
	}
}

func duration(d route.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// overlap reports whether both have a field in common.
func overlap(a, b []Difference) bool {
	return slices.ContainsFunc(a, func(one Difference) bool {
		return slices.ContainsFunc(b, func(other Difference) bool { return one.Field == other.Field })
	})
}

// Visible returns the routes that are in use.
func Visible(all []route.Route) []route.Route {
	return slices.DeleteFunc(slices.Clone(all), route.Route.IsRemoved)
}

// Get returns the number's route among all, removed or not; ok is false if there is none.
func Get(all []route.Route, number sms.PhoneNumber) (r route.Route, ok bool) {
	return find(all, number)
}
