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

// seed is a route as maintenance.json writes it. Pointers tell a field left out from a zero value.
type seed struct {
	TwilioNumber       sms.PhoneNumber
	DestinationCarrier sms.PhoneNumber
	FallbackCarriers   []sms.PhoneNumber
	Active             *bool
	LastUpdated        string
	OnUncertain        OnUncertain
	DeliveryTimeout    *string
	MaxAge             *string
	PaceNumber         string
	// OptedOut is here to be refused with a reason.
	OptedOut json.RawMessage
}

// maxMaintenance is the largest file taken, in bytes: fifty thousand routes. A device or a wrong file ends there.
const maxMaintenance = 16 << 20

// ParseMaintenance reads a maintenance.json, {"routes":[{"TwilioNumber", "DestinationCarrier", "FallbackCarriers",
// "Active", "LastUpdated", "OnUncertain", "DeliveryTimeout", "MaxAge", "PaceNumber"}]}. All but the two numbers and
// Active may be left out and are then zero. The whole file is read before anything is returned: the error joins every
// problem found, a line each with the place of its route, and an unknown field is one of them.
func ParseMaintenance(r io.Reader) ([]Route, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxMaintenance+1))
	if err != nil {
		return nil, fmt.Errorf("read routes: %w", err)
	}
	if len(data) > maxMaintenance {
		return nil, fmt.Errorf("read routes: more than %d MB, which is no file of routes", maxMaintenance>>20)
	}
	elements, err := splitRoutes(data)
	if err != nil {
		return nil, fmt.Errorf("parse routes: %w", err)
	}
	p := &parser{data: data, first: map[sms.PhoneNumber]int{}}
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
	decoder.DisallowUnknownFields()
	var file struct {
		Routes []json.RawMessage `json:"routes"`
	}
	if err := decoder.Decode(&file); err != nil {
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
	// read is how much of data the routes so far take up.
	read int
	// first is where each number stands first.
	first    map[sms.PhoneNumber]int
	problems []error
}

func (p *parser) report(i int, problem error) {
	p.problems = append(p.problems, fmt.Errorf("routes[%d]: %w", i, problem))
}

// route reads and checks one route by itself.
func (p *parser) route(i int, element json.RawMessage) Route {
	start := p.read + max(0, bytes.Index(p.data[p.read:], element))
	p.read = start + len(element)
	decoder := json.NewDecoder(bytes.NewReader(element))
	decoder.DisallowUnknownFields()
	var s seed
	if err := decoder.Decode(&s); err != nil {
		p.report(i, explain(p.data, start, err))
		return Route{}
	}
	r := p.assemble(i, s)
	for _, problem := range r.problems() {
		p.report(i, problem)
	}
	if earlier, ok := p.first[r.TwilioNumber]; ok {
		p.report(i, fmt.Errorf("TwilioNumber %s stands already in routes[%d]", r.TwilioNumber, earlier))
	} else {
		p.first[r.TwilioNumber] = i
	}
	return r
}

// assemble makes the route out of what the file says, and reports what cannot be read at all.
func (p *parser) assemble(i int, s seed) Route {
	r := Route{
		TwilioNumber: s.TwilioNumber, DestinationCarrier: s.DestinationCarrier, FallbackCarriers: s.FallbackCarriers,
		OnUncertain: s.OnUncertain, PaceNumber: s.PaceNumber,
		DeliveryTimeout: p.duration(i, "DeliveryTimeout", s.DeliveryTimeout), MaxAge: p.duration(i, "MaxAge", s.MaxAge),
	}
	if s.LastUpdated != "" {
		var err error
		if r.LastUpdated, err = time.Parse(time.RFC3339, s.LastUpdated); err != nil {
			p.report(i, fmt.Errorf("LastUpdated %q is no RFC 3339 time such as 2026-11-24T08:00:00Z", s.LastUpdated))
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
	return r
}

// duration reads a field that may be left out.
func (p *parser) duration(i int, field string, text *string) Duration {
	if text == nil {
		return 0
	}
	d, err := ParseDuration(*text)
	if err != nil {
		p.report(i, fmt.Errorf("%s %q is no duration such as 90s or 4h", field, *text))
	}
	return d
}

// findLoops finds hops that are routed numbers themselves.
func (p *parser) findLoops(routes []Route) {
	for i, r := range routes {
		for _, hop := range r.Hops() {
			if to, ok := p.first[hop]; ok && to != i && hop != "" {
				p.report(i, fmt.Errorf("hop %s is itself routed in routes[%d]: texts would go round in a loop", hop, to))
			}
		}
	}
}

// explain adds the line at which a JSON error stands. start is where in data the decoder began.
func explain(data []byte, start int, err error) error {
	offset := start
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset += int(syntax.Offset)
	} else if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		offset += int(kind.Offset)
		err = fmt.Errorf("%s must not be a JSON %s%s", nameOf(kind.Field), kind.Value, wantOf(kind.Field))
	} else {
		return err
	}
	line := 1 + bytes.Count(data[:min(offset, len(data))], []byte("\n"))
	return fmt.Errorf("line %d: %w", line, err)
}

// nameOf names what a JSON error is about: a field, or the file's own value.
func nameOf(field string) string {
	if field == "" {
		return "this"
	}
	return field
}

// wantOf says how the settings are written whose form is easily mistaken.
func wantOf(field string) string {
	switch field {
	case "OnUncertain":
		return fmt.Sprintf(": want %q or %q", Park, Resend)
	case "DeliveryTimeout", "MaxAge":
		return `: want a duration in quotes, such as "90s" or "4h"`
	case "PaceNumber":
		return `: want a pace in quotes, such as "3/1s" or "off"`
	default:
		return ""
	}
}
