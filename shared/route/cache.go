package route

import (
	"context"
	"slices"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// MaxCacheAge is the longest a cached route may be used. A change of who is on duty takes effect within it.
const MaxCacheAge = 5 * time.Second

// maxCached bounds the cache's memory: it also remembers customers' numbers as having no route.
const maxCached = 10_000

// Lookup is the part of a [Table] that relaying needs.
type Lookup interface {
	Lookup(ctx context.Context, numbers ...sms.PhoneNumber) (map[sms.PhoneNumber]Route, error)
}

// Cache is a Lookup that remembers answers, absences too, for at most MaxCacheAge. It is safe for concurrent use.
type Cache struct {
	table Table
	now   func() time.Time

	mu      sync.Mutex
	entries map[sms.PhoneNumber]cached
	// all is what WithThread knows.
	all listing
}

// listing is what a list of the table showed.
type listing struct {
	// threaded are the routes that have threads, or had some.
	threaded   []Route
	unreadable []Unreadable
	// asked is when the table was asked, zero if it was not.
	asked time.Time
}

type cached struct {
	route Route
	found bool
	// asked is when the table was asked.
	asked time.Time
}

// isFresh reports whether an answer to what was asked then may still be used. An answer from the future is not: the clock has been set
// back since.
func isFresh(asked, now time.Time) bool {
	age := now.Sub(asked)
	return age >= 0 && age < MaxCacheAge
}

// NewCache returns an empty cache before table. now is the clock.
func NewCache(table Table, now func() time.Time) *Cache {
	return &Cache{table: table, now: now, entries: map[sms.PhoneNumber]cached{}}
}

// Lookup answers from memory what it can and asks the table for the rest in one call. It returns an error of the table as it
// is, and remembers nothing.
func (c *Cache) Lookup(ctx context.Context, numbers ...sms.PhoneNumber) (map[sms.PhoneNumber]Route, error) {
	// The age counts from before the question: the table may have read the answer at that moment.
	asked := c.now()
	routes, missing := c.remembered(asked, numbers)
	if len(missing) == 0 {
		return routes, nil
	}
	found, err := c.table.Lookup(ctx, missing...)
	if err != nil {
		return nil, err
	}
	c.remember(asked, missing, found)
	for number, route := range found {
		routes[number] = route
	}
	return routes, nil
}

// WithThread returns the route that has the number among its Threads, as the function [WithThread] does. It lists the table, for a
// number that has no route itself, and remembers for as long as Lookup does. A route that cannot be read is an error only for a number
// that may be a thread of it.
func (c *Cache) WithThread(ctx context.Context, number sms.PhoneNumber) (r Route, ok bool, err error) {
	all, err := c.list(ctx)
	if err != nil {
		return Route{}, false, err
	}
	if r, ok = WithThread(all.threaded, number); !ok {
		err = errOfThread(all.unreadable, number)
	}
	return r, ok, err
}

// WithFormerThread returns the route that had the number among its Threads, as the function [WithFormerThread] does. It remembers what
// WithThread does.
func (c *Cache) WithFormerThread(ctx context.Context, number sms.PhoneNumber, at time.Time) (r Route, ok bool, err error) {
	all, err := c.list(ctx)
	if err != nil {
		return Route{}, false, err
	}
	r, ok = WithFormerThread(all.threaded, number, at)
	return r, ok, nil
}

func (c *Cache) list(ctx context.Context) (listing, error) {
	asked := c.now()
	c.mu.Lock()
	all := c.all
	c.mu.Unlock()
	if !all.asked.IsZero() && isFresh(all.asked, asked) {
		return all, nil
	}
	routes, unreadable, err := Readable(c.table.List(ctx))
	if err != nil {
		return listing{}, err
	}
	all = listing{slices.DeleteFunc(routes, func(r Route) bool { return len(r.Threads)+len(r.FormerThreads) == 0 }), unreadable, asked}
	c.mu.Lock()
	c.all = all
	c.mu.Unlock()
	return all, nil
}

// Forget makes the next Lookup of the numbers ask the table, and the next WithThread of any.
func (c *Cache) Forget(numbers ...sms.PhoneNumber) {
	c.forget(numbers, func(time.Time) bool { return true })
}

// ForgetBefore is Forget of what the table was asked for before then, or at that very moment. A caller that began to look at that time
// need not ask again for what the table was asked for meanwhile.
func (c *Cache) ForgetBefore(then time.Time, numbers ...sms.PhoneNumber) {
	c.forget(numbers, func(asked time.Time) bool { return !asked.After(then) })
}

func (c *Cache) forget(numbers []sms.PhoneNumber, isOld func(asked time.Time) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if isOld(c.all.asked) {
		c.all = listing{}
	}
	for _, number := range numbers {
		if isOld(c.entries[number].asked) {
			delete(c.entries, number)
		}
	}
}

// MarkOptedOut marks the hop in the table, see the function [MarkOptedOut], and forgets the number, also after an error: the
// mark may have been written.
func (c *Cache) MarkOptedOut(ctx context.Context, number, hop sms.PhoneNumber, optedOut bool) error {
	defer c.Forget(number.Spellings()...)
	return MarkOptedOut(ctx, c.table, number, hop, optedOut)
}

// MarkOff puts a phone off duty in the table, or on again, see the function [MarkOff], and forgets the number, as MarkOptedOut does.
func (c *Cache) MarkOff(ctx context.Context, number, phone sms.PhoneNumber, at, until, now time.Time) (Route, time.Time, error) {
	defer c.Forget(number.Spellings()...)
	return MarkOff(ctx, c.table, number, phone, at, until, now)
}

// Verify tries a code in the table, see the function [Verify], and forgets the number, as MarkOptedOut does.
func (c *Cache) Verify(ctx context.Context, number, phone sms.PhoneNumber, code, messageSid string, at, now time.Time) (Verdict, error) {
	defer c.Forget(number.Spellings()...)
	return Verify(ctx, c.table, number, phone, code, messageSid, at, now)
}

func (c *Cache) remembered(now time.Time, numbers []sms.PhoneNumber) (routes map[sms.PhoneNumber]Route, missing []sms.PhoneNumber) {
	routes = make(map[sms.PhoneNumber]Route, len(numbers))
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, number := range numbers {
		entry, ok := c.entries[number]
		switch {
		case !ok || !isFresh(entry.asked, now):
			missing = append(missing, number)
		case entry.found:
			routes[number] = entry.route
		}
	}
	return routes, missing
}

func (c *Cache) remember(asked time.Time, numbers []sms.PhoneNumber, found map[sms.PhoneNumber]Route) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries)+len(numbers) > maxCached {
		clear(c.entries)
	}
	for _, number := range numbers {
		route, ok := found[number]
		c.entries[number] = cached{route: route, found: ok, asked: asked}
	}
}
