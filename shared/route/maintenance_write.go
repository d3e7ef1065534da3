package route

import (
	"encoding/json"
	"io"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// written is a route as WriteMaintenance writes it. All but the first four fields may be left out.
type written struct {
	TwilioNumber       sms.PhoneNumber
	DestinationCarrier sms.PhoneNumber
	FallbackCarriers   []sms.PhoneNumber
	Active             bool
	Ring               Ring              `json:",omitempty"`
	Threads            []sms.PhoneNumber `json:",omitempty"`
	Phones             []Phone           `json:",omitempty"`
	Owner              string            `json:",omitempty"`
	TimeZone           string            `json:",omitempty"`
	Schedule           []Shift           `json:",omitempty"`
	Overrides          []Override        `json:",omitempty"`
	Closed             Closed            `json:",omitempty"`
	NightPhones        []string          `json:",omitempty"`
	AutoAnswer         AutoAnswer        `json:",omitzero"`
	OnUncertain        OnUncertain       `json:",omitempty"`
	DeliveryTimeout    Duration          `json:",omitempty"`
	MaxAge             Duration          `json:",omitempty"`
	PaceNumber         string            `json:",omitempty"`
	AnswerWindow       Duration          `json:",omitempty"`
	HoldTime           Duration          `json:",omitempty"`
	AnswerTimeout      Duration          `json:",omitempty"`
	ClaimTime          Duration          `json:",omitempty"`
	VerifyPhones       *bool             `json:",omitempty"`
	LastUpdated        string            `json:",omitempty"`
}

// WriteMaintenance writes the routes as a maintenance.json, which [ParseMaintenance] reads. It leaves out what a file does not
// have: who has opted out or is off, versions, who wrote them, and removed routes.
func WriteMaintenance(w io.Writer, routes []Route) error {
	file := struct {
		Routes []written `json:"routes"`
	}{Routes: []written{}}
	for _, r := range routes {
		if r.IsRemoved() {
			continue
		}
		one := written{
			TwilioNumber: r.TwilioNumber, DestinationCarrier: r.DestinationCarrier,
			FallbackCarriers: append([]sms.PhoneNumber{}, r.FallbackCarriers...), Active: r.Active, Ring: r.Ring,
			OnUncertain: r.OnUncertain, DeliveryTimeout: r.DeliveryTimeout, MaxAge: r.MaxAge, PaceNumber: r.PaceNumber,
			AnswerWindow: r.AnswerWindow, HoldTime: r.HoldTime, AnswerTimeout: r.AnswerTimeout, ClaimTime: r.ClaimTime, Threads: r.Threads,
			Phones: r.Phones, Owner: r.Owner, TimeZone: r.TimeZone, Schedule: r.Schedule, Overrides: r.Overrides, Closed: r.Closed,
			NightPhones: r.NightPhones, AutoAnswer: r.AutoAnswer, VerifyPhones: r.VerifyPhones,
		}
		if !r.LastUpdated.IsZero() {
			one.LastUpdated = r.LastUpdated.UTC().Format(time.RFC3339Nano)
		}
		file.Routes = append(file.Routes, one)
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(file)
}
