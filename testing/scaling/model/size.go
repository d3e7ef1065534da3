package model

import (
	"time"

	"quickdumpnow.com/smsrelay/shared/pace"
)

// Size is how much comes in, and what it comes into.
type Size struct {
	Name string
	// TextsPerSecond come at random moments, spread evenly over so many Numbers, of which each has one phone on duty at a time. Both are for
	// one of Alike.
	TextsPerSecond float64
	Numbers        int
	// CustomersPerNumber have a tag; NewShare is the share of texts that come from somebody who has none yet.
	CustomersPerNumber int
	NewShare           float64
	Settings           Settings
	// Stacks are deployments of the template in one account and region of AWS, with one account of Twilio's. Numbers are spread over them.
	Stacks int
	// Alike is how often all of that is there, side by side, with nothing in common. One of them is simulated, with its part of the texts.
	Alike int
	// TwilioAtOnce is how many requests at once Twilio takes of an account; 0 means what the fact says.
	TwilioAtOnce int
	// Window is how long is simulated. The first 40 % are not measured.
	Window time.Duration
}

// Settings are the template's parameters that have to do with size. Their names are the template's.
type Settings struct {
	SenderConcurrency       int
	IngestConcurrency       int
	PublicRequestsPerSecond float64
	PublicBurst             float64
	PacePair, PaceNumber    pace.Limit
}

// Defaults are the template's. A test compares them.
func Defaults() Settings {
	return Settings{
		SenderConcurrency: 10, IngestConcurrency: 20, PublicRequestsPerSecond: 200, PublicBurst: 1000,
		PacePair: pace.Limit{N: 10, Per: 30 * time.Second}, PaceNumber: pace.Limit{N: 1, Per: time.Second},
	}
}

// Texts is how many of the sender's runs are for texts: the template's mapping SenderRuns.
func (s Settings) Texts() int { return s.SenderConcurrency - max(2, s.SenderConcurrency/5) }

// The template's other numbers. A test compares them.
const (
	ingestMemory, senderMemory, auditMemory = 512, 256, 256
	batchSize                               = 10
	auditBatch                              = 100
	auditWindow                             = 5 * time.Second
)

// Sizes are those of the page, in its order.
func Sizes() []Size {
	raised := Defaults()
	raised.SenderConcurrency, raised.IngestConcurrency = 100, 100
	raised.PublicRequestsPerSecond, raised.PublicBurst = 2_000, 5_000
	most := raised
	most.SenderConcurrency, most.IngestConcurrency = 1000, 1000
	most.PublicRequestsPerSecond, most.PublicBurst = 50_000, 50_000
	one := Size{Stacks: 1, Alike: 1, CustomersPerNumber: 100, NewShare: 0.01, Settings: Defaults()}
	size := func(name string, texts float64, numbers int, window time.Duration, set func(*Size)) Size {
		s := one
		s.Name, s.TextsPerSecond, s.Numbers, s.Window = name, texts, numbers, window
		if set != nil {
			set(&s)
		}
		return s
	}
	return []Size{
		size("1 a second, one number", 1, 1, time.Hour, func(s *Size) { s.CustomersPerNumber = 1_000 }),
		size("1 a second, 10 numbers", 1, 10, time.Hour, nil),
		size("100 a second, 1,000 numbers", 100, 1_000, 2*time.Minute, nil),
		size("100 a second, 1,000 numbers, set", 100, 1_000, 2*time.Minute, func(s *Size) { s.Settings = raised }),
		size("100 a second, 100,000 numbers", 100, 100_000, time.Minute, func(s *Size) {
			s.Settings, s.CustomersPerNumber = raised, 20
		}),
		size("10,000 a second, 100,000 numbers, one stack", 10_000, 100_000, 10*time.Second, func(s *Size) {
			s.Settings, s.CustomersPerNumber = most, 20
		}),
		size("10,000 a second, 100,000 numbers, 40 stacks", 1_000, 10_000, 10*time.Second, func(s *Size) {
			s.Settings, s.CustomersPerNumber = raised, 20
			s.Stacks, s.Alike, s.TwilioAtOnce = 4, 10, 500
			s.Settings.SenderConcurrency = 200
		}),
	}
}
