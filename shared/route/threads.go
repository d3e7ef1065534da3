package route

import (
	"slices"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// HasThread reports whether number is one of the route's further numbers, in any spelling.
func (r Route) HasThread(number sms.PhoneNumber) bool {
	return slices.ContainsFunc(r.Threads, func(thread sms.PhoneNumber) bool { return sms.Same(thread, number) })
}

// Owns reports whether number is the route's own or one of its threads, in any spelling.
func (r Route) Owns(number sms.PhoneNumber) bool {
	return sms.Same(r.TwilioNumber, number) || r.HasThread(number)
}

// Numbers returns the Twilio numbers that belong to the route: its own, then its threads unless it was removed.
func (r Route) Numbers() []sms.PhoneNumber {
	return append([]sms.PhoneNumber{r.TwilioNumber}, r.threadsInUse()...)
}

// threadsInUse returns the threads of a route that is in use: those of a removed one are free for others.
func (r Route) threadsInUse() []sms.PhoneNumber {
	if r.IsRemoved() {
		return nil
	}
	return r.Threads
}

// WithThread returns the route that has the number among its Threads. One that was removed does not count.
func WithThread(routes []Route, number sms.PhoneNumber) (r Route, ok bool) {
	i := slices.IndexFunc(routes, func(r Route) bool { return !r.IsRemoved() && r.HasThread(number) })
	if i < 0 {
		return Route{}, false
	}
	return routes[i], true
}
