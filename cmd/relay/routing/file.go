package routing

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// ReadFile reads a maintenance.json; the path - is standard input. The error names the file; problem is what [route.ParseMaintenance]
// finds.
func ReadFile(path string, how route.Reading) (routes []route.Route, problem, err error) {
	file := os.Stdin
	if path != "-" {
		if file, err = os.Open(path); err != nil { //nolint:gosec // the operator names the file.
			return nil, nil, err
		}
		defer file.Close() //nolint:errcheck // it was only read.
	}
	routes, problem = route.ParseMaintenance(file, how)
	return routes, problem, nil
}

// Proposed is a routing table as it would be with the routes of a file, which is what it would be after an import of them.
type Proposed struct {
	route.Table

	routes []route.Route
}

// Propose returns the table with the routes of a file in place of its own. The error is [route.ErrLoop] as with [Import.Plan].
func Propose(ctx context.Context, table route.Table, file []route.Route) (Proposed, error) {
	now, err := table.List(ctx)
	if err != nil {
		return Proposed{}, err
	}
	steps, err := Import{Force: true, Author: Author{Now: time.Now}}.Plan(now, file)
	if err != nil {
		return Proposed{}, err
	}
	for _, s := range steps {
		now = slices.DeleteFunc(now, func(r route.Route) bool { return r.TwilioNumber == s.Before.TwilioNumber })
		now = append(now, s.Result())
	}
	return Proposed{Table: table, routes: now}, nil
}

// Lookup returns those of the routes.
func (p Proposed) Lookup(_ context.Context, numbers ...sms.PhoneNumber) (map[sms.PhoneNumber]route.Route, error) {
	found := map[sms.PhoneNumber]route.Route{}
	for _, r := range p.routes {
		if slices.Contains(numbers, r.TwilioNumber) {
			found[r.TwilioNumber] = r
		}
	}
	return found, nil
}

// List returns the routes.
func (p Proposed) List(context.Context) ([]route.Route, error) { return p.routes, nil }

// Put refuses: nothing is written for a proposal.
func (p Proposed) Put(context.Context, route.Route) (route.Route, error) {
	return route.Route{}, errors.ErrUnsupported
}
