package route

import (
	"time"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// shownRoute is a route as JSON, with names as everywhere in what relay prints. The file maintenance.json has names of its own, which
// relay route export prints. The fields are those of [route.Route]: the compiler says if one is missing.
type shownRoute struct {
	routeFields
	Phones    []shownPhone    `json:"phones,omitempty"`
	Schedule  []shownShift    `json:"schedule,omitempty"`
	Overrides []shownOverride `json:"overrides,omitempty"`
	Off       []shownOff      `json:"off,omitempty"`
	// AutoAnswer are the texts with which the relay itself answers customers.
	AutoAnswer shownAutoAnswer `json:"auto_answer,omitzero"`
	// Unverified are the phones that have yet to answer a code.
	Unverified []shownUnverified `json:"unverified,omitempty"`
}

// shownUnverified is a phone that has yet to be verified as JSON.
type shownUnverified struct {
	Phone sms.PhoneNumber `json:"phone"`
	// CodeSentAt is when it was last texted a code, Tries is how many wrong ones it texted since.
	CodeSentAt time.Time `json:"code_sent_at,omitzero"`
	Tries      int       `json:"tries"`
}

// shownOff is a phone that is off duty for a time as JSON.
type shownOff struct {
	Phone sms.PhoneNumber `json:"phone"`
	Until time.Time       `json:"until"`
}

// shownShift is an entry of a schedule as JSON.
type shownShift struct {
	Days   string   `json:"days"`
	From   string   `json:"from"`
	To     string   `json:"to"`
	Phones []string `json:"phones"`
}

// shownOverride is what replaces a schedule for a time as JSON.
type shownOverride struct {
	Date     string   `json:"date"`
	LastDate string   `json:"last_date,omitempty"`
	From     string   `json:"from,omitempty"`
	To       string   `json:"to,omitempty"`
	Phones   []string `json:"phones,omitempty"`
}

// shownAutoAnswer are automatic answers to customers as JSON.
type shownAutoAnswer struct {
	Closed string `json:"closed,omitempty"`
	NoOne  string `json:"no_one,omitempty"`
}

// shownPhone is a named phone as JSON.
type shownPhone struct {
	Name   string            `json:"name"`
	Number sms.PhoneNumber   `json:"number"`
	Also   []sms.PhoneNumber `json:"also,omitempty"`
}

// routeFields are the fields of a route, of which some are lists that shownRoute shows in a form of their own.
type routeFields struct {
	TwilioNumber       sms.PhoneNumber      `json:"twilio_number"`
	DestinationCarrier sms.PhoneNumber      `json:"destination_carrier"`
	FallbackCarriers   []sms.PhoneNumber    `json:"fallback_carriers,omitempty"`
	Active             bool                 `json:"active"`
	Ring               route.Ring           `json:"ring,omitempty"`
	Threads            []sms.PhoneNumber    `json:"threads,omitempty"`
	Phones             []route.Phone        `json:"-"`
	Owner              string               `json:"owner,omitempty"`
	FormerThreads      []route.FormerThread `json:"-"`
	TimeZone           string               `json:"time_zone,omitempty"`
	Schedule           []route.Shift        `json:"-"`
	Overrides          []route.Override     `json:"-"`
	Closed             route.Closed         `json:"closed,omitempty"`
	NightPhones        []string             `json:"night_phones,omitempty"`
	AutoAnswer         route.AutoAnswer     `json:"-"`
	OnUncertain        route.OnUncertain    `json:"on_uncertain,omitempty"`
	DeliveryTimeout    route.Duration       `json:"delivery_timeout,omitempty"`
	MaxAge             route.Duration       `json:"max_age,omitempty"`
	PaceNumber         string               `json:"pace_number,omitempty"`
	AnswerWindow       route.Duration       `json:"answer_window,omitempty"`
	HoldTime           route.Duration       `json:"hold_time,omitempty"`
	AnswerTimeout      route.Duration       `json:"answer_timeout,omitempty"`
	ClaimTime          route.Duration       `json:"claim_time,omitempty"`
	OptedOut           []sms.PhoneNumber    `json:"opted_out,omitempty"`
	Off                []route.Off          `json:"-"`
	VerifyPhones       *bool                `json:"verify_phones,omitempty"`
	Verifications      []route.Verification `json:"-"`
	WaitedUntil        time.Time            `json:"waited_until,omitzero"`
	Removed            time.Time            `json:"removed,omitzero"`
	OffSince           time.Time            `json:"off_since,omitzero"`
	LastUpdated        time.Time            `json:"last_updated"`
	Version            int64                `json:"version"`
	UpdatedBy          string               `json:"updated_by,omitempty"`
}

// shown returns a route as JSON, with times in UTC.
func shown(r route.Route) shownRoute {
	r.LastUpdated, r.Removed, r.OffSince, r.WaitedUntil = r.LastUpdated.UTC(), r.Removed.UTC(), r.OffSince.UTC(), r.WaitedUntil.UTC()
	all := shownRoute{routeFields: routeFields(r), AutoAnswer: shownAutoAnswer(r.AutoAnswer)}
	for _, p := range r.Phones {
		all.Phones = append(all.Phones, shownPhone(p))
	}
	for _, s := range r.Schedule {
		all.Schedule = append(all.Schedule, shownShift(s))
	}
	for _, o := range r.Overrides {
		all.Overrides = append(all.Overrides, shownOverride(o))
	}
	for _, o := range r.Off {
		all.Off = append(all.Off, shownOff{o.Phone, o.Until.UTC()})
	}
	for _, v := range r.Verifications {
		if v.VerifiedAt.IsZero() {
			all.Unverified = append(all.Unverified, shownUnverified{v.Phone, v.SentAt.UTC(), v.Tries})
		}
	}
	return all
}

// shownRoutes are routes as JSON.
func shownRoutes(routes []route.Route) []shownRoute {
	all := make([]shownRoute, len(routes))
	for i, r := range routes {
		all[i] = shown(r)
	}
	return all
}
