package route

import (
	"errors"
	"slices"
	"strings"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Unreadable is a route that is in the table and cannot be read: its texts wait until somebody corrects it. Others go on.
type Unreadable struct {
	TwilioNumber sms.PhoneNumber
	// Threads are its further numbers. AnyThread is set if they cannot be read either: any number may be one of them.
	Threads   []sms.PhoneNumber
	AnyThread bool
	// Err says what is wrong, a *fault.Error.
	Err error
}

// mayOwn reports whether the number is the route's own, or may be one of its threads.
func (u Unreadable) mayOwn(number sms.PhoneNumber) bool {
	return u.AnyThread || Route{TwilioNumber: u.TwilioNumber, Threads: u.Threads}.Owns(number)
}

// UnreadableError is the error of a list in which some routes could not be read. The others are in the list.
type UnreadableError struct{ Routes []Unreadable }

func (e *UnreadableError) Error() string {
	problems := make([]string, len(e.Routes))
	for i, u := range e.Routes {
		problems[i] = u.Err.Error()
	}
	return strings.Join(problems, "; ")
}

// Unwrap returns what is wrong with each.
func (e *UnreadableError) Unwrap() []error {
	all := make([]error, len(e.Routes))
	for i, u := range e.Routes {
		all[i] = u.Err
	}
	return all
}

// ErrorOf returns the error of a list in which these routes could not be read, nil if there are none.
func ErrorOf(unreadable []Unreadable) error {
	if len(unreadable) == 0 {
		return nil
	}
	return &UnreadableError{unreadable}
}

// Readable takes what List returned apart, for a caller that can do with the routes that could be read. err is what List failed with
// otherwise.
func Readable(listed []Route, listErr error) (routes []Route, unreadable []Unreadable, err error) {
	if some, ok := errors.AsType[*UnreadableError](listErr); ok {
		return listed, some.Routes, nil
	}
	return listed, nil, listErr
}

// ErrUnreadable returns what is wrong with the route of the number if it is among the unreadable ones, in any spelling, or nil.
func ErrUnreadable(unreadable []Unreadable, number sms.PhoneNumber) error {
	for _, u := range unreadable {
		if sms.Same(u.TwilioNumber, number) {
			return u.Err
		}
	}
	return nil
}

// errOfThread returns what is wrong with a route that may have the number as a thread, nil if none may.
func errOfThread(unreadable []Unreadable, number sms.PhoneNumber) error {
	i := slices.IndexFunc(unreadable, func(u Unreadable) bool { return u.mayOwn(number) })
	if i < 0 {
		return nil
	}
	return unreadable[i].Err
}
