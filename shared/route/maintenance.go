package route

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// seed is a route as maintenance.json writes it. Pointers show whether a field was left out or is zero.
type seed struct {
	TwilioNumber       sms.PhoneNumber
	DestinationCarrier sms.PhoneNumber
	FallbackCarriers   []sms.PhoneNumber
	Active             *bool
	LastUpdated        string
	Ring               Ring
	OnUncertain        OnUncertain
	DeliveryTimeout    *string
	MaxAge             *string
	AnswerWindow       *string
	HoldTime           *string
	AnswerTimeout      *string
	ClaimTime          *string
	PaceNumber         string
	Threads            []sms.PhoneNumber
	Phones             []Phone
	Owner              string
	TimeZone           string
	Schedule           []Shift
	Overrides          []Override
	Closed             Closed
	NightPhones        []string
	AutoAnswer         AutoAnswer
	VerifyPhones       *bool
	// OptedOut, Off and Verifications are here to be refused with a reason.
	OptedOut      json.RawMessage
	Off           json.RawMessage
	Verifications json.RawMessage
}

// maxMaintenance is the largest file accepted, in bytes: fifty thousand routes. Reading of a device or a wrong file stops
// there.
const maxMaintenance = 16 << 20

// clockSkew is how far a file's LastUpdated may be in the future, because two clocks differ.
const clockSkew = 5 * time.Minute

// Reading says how strictly a maintenance.json is checked.
type Reading struct {
	// Now is the time that LastUpdated may not be after: an operator's change would count as older than a route from the future,
	// and the next seeding would undo the change. Zero means no check.
	Now time.Time
	// Numbers says whether numbers that no phone can have are accepted.
	Numbers Strictness
}

// ParseMaintenance reads a maintenance.json, {"routes":[{"TwilioNumber", "DestinationCarrier", "FallbackCarriers", "Active",
// "LastUpdated", "OnUncertain", "DeliveryTimeout", "MaxAge", "PaceNumber", "AnswerWindow", "HoldTime", "AnswerTimeout", "ClaimTime",
// "Ring", "Threads", "Phones", "Owner", "TimeZone", "Schedule", "Overrides", "Closed", "NightPhones", "AutoAnswer", "VerifyPhones"}]}. All
// but the two numbers and Active may be left out and are then zero. It reads the whole file before it returns: the error joins all
// problems, one line each with the place of the route. Unknown and repeated fields are problems. A byte order mark and CRLF are ignored.
func ParseMaintenance(r io.Reader, how Reading) ([]Route, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxMaintenance+1))
	if err != nil {
		return nil, fmt.Errorf("read routes: %w", err)
	}
	if len(data) > maxMaintenance {
		return nil, fmt.Errorf("read routes: more than %d MB, which is too big for a file of routes", maxMaintenance>>20)
	}
	if data, err = plainText(data); err != nil {
		return nil, err
	}
	elements, err := splitRoutes(data)
	if err != nil {
		return nil, err
	}
	p := &parser{data: data, how: how, first: map[sms.PhoneNumber]int{}}
	routes := make([]Route, len(elements))
	for i, element := range elements {
		routes[i] = p.route(i, element)
	}
	p.findLoops(routes)
	if len(p.problems) > 0 {
		return nil, errors.Join(p.problems...)
	}
	return routes, nil
}

// splitRoutes reads the frame around the routes.
func splitRoutes(data []byte) ([]json.RawMessage, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	var whole json.RawMessage
	if err := decoder.Decode(&whole); err != nil {
		return nil, explain(data, 0, err)
	}
	if problems := checkNames(data, 0, data[:decoder.InputOffset()], []string{"routes"}); len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	var file struct {
		Routes []json.RawMessage `json:"routes"`
	}
	if err := json.Unmarshal(whole, &file); err != nil {
		return nil, explain(data, 0, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the closing brace")
	}
	if file.Routes == nil {
		return nil, errors.New(`no "routes" list`)
	}
	return file.Routes, nil
}

// parser gathers what is wrong with the routes of one file.
type parser struct {
	data []byte
	how  Reading
	// read is how many bytes of data the routes so far occupy.
	read int
	// first is the index of the first route of each number, by the number's key.
	first    map[sms.PhoneNumber]int
	problems []error
}

func (p *parser) report(i int, problem error) {
	p.problems = append(p.problems, fmt.Errorf("routes[%d]: %w", i, problem))
}

// route reads and checks one route on its own.
func (p *parser) route(i int, element json.RawMessage) Route {
	start := p.read + max(0, bytes.Index(p.data[p.read:], element))
	p.read = start + len(element)
	if problems := checkNames(p.data, start, element, fieldNames[seed]()); len(problems) > 0 {
		for _, problem := range problems {
			p.report(i, problem)
		}
		return Route{}
	}
	if problems := p.nested(start, element); len(problems) > 0 {
		for _, problem := range problems {
			p.report(i, problem)
		}
		return Route{}
	}
	var s seed
	if err := json.Unmarshal(element, &s); err != nil {
		p.report(i, explain(p.data, start, err))
		return Route{}
	}
	r := p.assemble(i, s)
	for _, problem := range r.problems(p.how.Numbers) {
		p.report(i, problem)
	}
	if earlier, ok := p.first[r.TwilioNumber.Key()]; ok {
		p.report(i, fmt.Errorf("TwilioNumber %s is already in routes[%d]", r.TwilioNumber, earlier))
	} else {
		p.first[r.TwilioNumber.Key()] = i
	}
	return r
}

// assemble makes the route from the file's fields, and reports those that cannot be read.
func (p *parser) assemble(i int, s seed) Route {
	r := Route{
		TwilioNumber: s.TwilioNumber, DestinationCarrier: s.DestinationCarrier, FallbackCarriers: s.FallbackCarriers,
		Ring: s.Ring, OnUncertain: s.OnUncertain, PaceNumber: s.PaceNumber, Threads: s.Threads,
		Phones: foldedPhones(s.Phones), Owner: foldedWho(s.Owner), TimeZone: s.TimeZone, Schedule: s.Schedule,
		Overrides: s.Overrides, Closed: s.Closed, NightPhones: s.NightPhones, AutoAnswer: s.AutoAnswer,
		VerifyPhones:    s.VerifyPhones,
		DeliveryTimeout: p.duration(i, "DeliveryTimeout", s.DeliveryTimeout), MaxAge: p.duration(i, "MaxAge", s.MaxAge),
		AnswerWindow: p.duration(i, "AnswerWindow", s.AnswerWindow), HoldTime: p.duration(i, "HoldTime", s.HoldTime),
		AnswerTimeout: p.duration(i, "AnswerTimeout", s.AnswerTimeout), ClaimTime: p.duration(i, "ClaimTime", s.ClaimTime),
	}
	r = r.foldedSchedule()
	if s.LastUpdated != "" {
		var err error
		if r.LastUpdated, err = time.Parse(time.RFC3339, s.LastUpdated); err != nil {
			p.report(i, fmt.Errorf("LastUpdated %q is not an RFC 3339 time such as 2026-11-24T08:00:00Z", s.LastUpdated))
		} else if !p.how.Now.IsZero() && r.LastUpdated.After(p.how.Now.Add(clockSkew)) {
			p.report(i, fmt.Errorf("LastUpdated %s is in the future", s.LastUpdated))
		}
	}
	if s.Active != nil {
		r.Active = *s.Active
	} else {
		p.report(i, errors.New("Active is missing: say true or false")) //nolint:staticcheck // it begins with a field's name.
	}
	if s.OptedOut != nil {
		p.report(i, errors.New("OptedOut is kept by the relay, from the STOP and START that phones text: leave it out"))
	}
	if s.Off != nil {
		p.report(i, errors.New("Off is kept by the relay, from the /off and /on that phones text: leave it out"))
	}
	if s.Verifications != nil {
		p.report(i, errors.New("Verifications are kept by the relay: leave them out")) //nolint:staticcheck // a field.
	}
	return r
}

// duration reads an optional field.
func (p *parser) duration(i int, field string, text *string) Duration {
	if text == nil {
		return 0
	}
	d, err := ParseDuration(*text)
	if err != nil {
		p.report(i, fmt.Errorf("%s %q is not a duration such as 90s or 4h", field, *text))
	}
	return d
}

// findLoops finds hops and threads that belong to another route of the file.
func (p *parser) findLoops(routes []Route) {
	owners := ownersOf(routes)
	for i, r := range routes {
		for _, loop := range owners.loopsOf(r) {
			// What a route has twice by itself was found before, and a number that is missing belongs to nobody.
			if to := p.first[loop.Owner.Key()]; to != i && loop.Owner != "" {
				p.report(i, errors.New(loop.inFile(to)))
			}
		}
	}
}
