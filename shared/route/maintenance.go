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

// maintenance is the form of maintenance.json.
type maintenance struct {
	Routes []seed `json:"routes"`
}

// seed is a route as maintenance.json writes it. Pointers tell a field left out from a zero value.
type seed struct {
	TwilioNumber       sms.PhoneNumber
	DestinationCarrier sms.PhoneNumber
	FallbackCarriers   []sms.PhoneNumber
	Active             *bool
	LastUpdated        *time.Time
}

// ParseMaintenance reads a maintenance.json, {"routes":[{"TwilioNumber", "DestinationCarrier", "FallbackCarriers",
// "Active", "LastUpdated"}]}. FallbackCarriers and LastUpdated may be left out (LastUpdated is then zero). The whole
// file is read before anything is returned: the error joins every problem found, each with the place of its route,
// and an unknown field is one of them.
func ParseMaintenance(r io.Reader) ([]Route, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read routes: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var file maintenance
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("parse routes: %w", explain(data, err))
	}
	if decoder.More() {
		return nil, errors.New("parse routes: something follows the closing brace")
	}
	if file.Routes == nil {
		return nil, errors.New(`parse routes: no "routes" list`)
	}
	routes := make([]Route, len(file.Routes))
	for i, s := range file.Routes {
		routes[i] = s.route()
	}
	return routes, file.validate(routes)
}

// explain adds the line at which a JSON error stands.
func explain(data []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	var offset int64
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
	default:
		return err
	}
	line := 1 + bytes.Count(data[:min(offset, int64(len(data)))], []byte("\n"))
	return fmt.Errorf("line %d: %w", line, err)
}

func (s seed) route() Route {
	r := Route{TwilioNumber: s.TwilioNumber, DestinationCarrier: s.DestinationCarrier, FallbackCarriers: s.FallbackCarriers}
	if s.Active != nil {
		r.Active = *s.Active
	}
	if s.LastUpdated != nil {
		r.LastUpdated = *s.LastUpdated
	}
	return r
}

// validate checks each route, then the routes together: no number is routed twice, and no hop is itself routed.
func (m maintenance) validate(routes []Route) error {
	var problems []error
	first := map[sms.PhoneNumber]int{}
	for i, r := range routes {
		if err := r.Validate(); err != nil {
			problems = append(problems, fmt.Errorf("routes[%d]: %w", i, err))
		}
		if m.Routes[i].Active == nil {
			problems = append(problems, fmt.Errorf("routes[%d]: Active is missing: say true or false", i))
		}
		if earlier, ok := first[r.TwilioNumber]; ok {
			problems = append(problems, fmt.Errorf("routes[%d]: TwilioNumber %s stands already in routes[%d]", i, r.TwilioNumber, earlier))
			continue
		}
		first[r.TwilioNumber] = i
	}
	return errors.Join(append(problems, loops(routes, first))...)
}

// loops finds hops that are routed numbers themselves.
func loops(routes []Route, routed map[sms.PhoneNumber]int) error {
	var problems []error
	for i, r := range routes {
		for _, hop := range r.Hops() {
			if to, ok := routed[hop]; ok && to != i {
				problems = append(problems, fmt.Errorf("routes[%d]: hop %s is itself routed in routes[%d]: texts would go round in a loop", i, hop, to))
			}
		}
	}
	return errors.Join(problems...)
}
