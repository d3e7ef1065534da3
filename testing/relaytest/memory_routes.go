package relaytest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// MemoryRoutes is a route.Table in memory that keeps its contract. The zero value is an empty table.
type MemoryRoutes struct {
	// Fault, if set before the table is used, is asked about "Lookup", "Put" and "List".
	Fault Fault

	mu      sync.Mutex
	routes  map[sms.PhoneNumber]route.Route
	spoiled map[sms.PhoneNumber]route.Unreadable
}

// Spoil makes the route unreadable, as a wrong attribute does.
func (m *MemoryRoutes) Spoil(_ *testing.T, r route.Route, attribute string) {
	u := route.Unreadable{TwilioNumber: r.TwilioNumber, Threads: r.Threads, Err: &fault.Error{
		Kind: fault.Fatal, Err: errors.New("item " + r.TwilioNumber.Mask() + " is unreadable: attribute " + attribute),
	}}
	if u.AnyThread = attribute == "Threads"; u.AnyThread {
		u.Threads = nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.spoiled == nil {
		m.spoiled = map[sms.PhoneNumber]route.Unreadable{}
	}
	m.spoiled[r.TwilioNumber] = u
}

// NewMemoryRoutes returns a table that holds the routes as they are, versions too.
func NewMemoryRoutes(routes ...route.Route) *MemoryRoutes {
	m := &MemoryRoutes{routes: map[sms.PhoneNumber]route.Route{}}
	for _, r := range routes {
		m.routes[r.TwilioNumber] = ownRoute(r)
	}
	return m
}

// ownRoute returns r with slices of its own.
func ownRoute(r route.Route) route.Route {
	r.FallbackCarriers = slices.Clone(r.FallbackCarriers)
	r.Verifications = slices.Clone(r.Verifications)
	r.OptedOut, r.Off = slices.Clone(r.OptedOut), slices.Clone(r.Off)
	r.Threads, r.FormerThreads = slices.Clone(r.Threads), slices.Clone(r.FormerThreads)
	r.Phones = slices.Clone(r.Phones)
	for i := range r.Phones {
		r.Phones[i].Also = slices.Clone(r.Phones[i].Also)
	}
	r.Schedule, r.Overrides, r.NightPhones = slices.Clone(r.Schedule), slices.Clone(r.Overrides), slices.Clone(r.NightPhones)
	for i := range r.Schedule {
		r.Schedule[i].Phones = slices.Clone(r.Schedule[i].Phones)
	}
	for i := range r.Overrides {
		r.Overrides[i].Phones = slices.Clone(r.Overrides[i].Phones)
	}
	return r
}

// Lookup implements [route.Table].
func (m *MemoryRoutes) Lookup(ctx context.Context, numbers ...sms.PhoneNumber) (map[sms.PhoneNumber]route.Route, error) {
	if err := m.Fault.before(ctx, "Lookup"); err != nil {
		return nil, err
	}
	found, err := m.lookup(numbers)
	if err := errors.Join(err, m.Fault.after("Lookup")); err != nil {
		return nil, err
	}
	return found, nil
}

func (m *MemoryRoutes) lookup(numbers []sms.PhoneNumber) (map[sms.PhoneNumber]route.Route, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := map[sms.PhoneNumber]route.Route{}
	for _, number := range numbers {
		if u, ok := m.spoiled[number]; ok {
			return nil, u.Err
		}
		if r, ok := m.routes[number]; ok {
			found[number] = ownRoute(r)
		}
	}
	return found, nil
}

// Put implements [route.Table].
func (m *MemoryRoutes) Put(ctx context.Context, r route.Route) (route.Route, error) {
	if err := m.Fault.before(ctx, "Put"); err != nil {
		return route.Route{}, err
	}
	stored, err := m.put(r)
	if lost := m.Fault.after("Put"); lost != nil {
		return route.Route{}, lost
	}
	return stored, err
}

func (m *MemoryRoutes) put(r route.Route) (route.Route, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.routes[r.TwilioNumber].Version != r.Version {
		return route.Route{}, route.ErrConflict
	}
	if m.routes == nil {
		m.routes = map[sms.PhoneNumber]route.Route{}
	}
	r = ownRoute(r)
	r.Version++
	m.routes[r.TwilioNumber] = r
	return ownRoute(r), nil
}

// List implements [route.Table].
func (m *MemoryRoutes) List(ctx context.Context) ([]route.Route, error) {
	if err := m.Fault.before(ctx, "List"); err != nil {
		return nil, err
	}
	all, unreadable := m.list()
	if err := m.Fault.after("List"); err != nil {
		return nil, err
	}
	return all, route.ErrorOf(unreadable)
}

func (m *MemoryRoutes) list() (all []route.Route, unreadable []route.Unreadable) {
	all = []route.Route{}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, number := range slices.Sorted(maps.Keys(m.routes)) {
		if u, ok := m.spoiled[number]; ok {
			unreadable = append(unreadable, u)
		} else {
			all = append(all, ownRoute(m.routes[number]))
		}
	}
	return all, unreadable
}
