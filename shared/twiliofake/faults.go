package twiliofake

import (
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Faults are the ways in which the API can be made to misbehave. A nil hook misbehaves never. Hooks are called from
// several goroutines at once.
type Faults struct {
	// BeforeCreate is asked before a create request is looked at. A fault that answers or drops here means that no
	// message exists.
	BeforeCreate func(params url.Values) Fault
	// AfterCreate is asked once the message exists and its callbacks are on their way, before the answer goes out. A
	// fault that answers or drops here leaves the caller not knowing of it.
	AfterCreate func(message Message) Fault
}

// Fault is one misbehaviour. The zero value is none.
type Fault struct {
	// Delay passes first. It is not cut short by a caller that gives up: Twilio would not notice that either.
	Delay time.Duration
	// DropConnection closes the connection without an answer. It does so by panicking with http.ErrAbortHandler, which
	// net/http's server understands; whoever calls ServeHTTP without that server gets the panic.
	DropConnection bool
	// Status answers with this HTTP status and Twilio's error of that kind (500: 20500, 503: 20503, 429: 20429).
	Status int
	// RetryAfter goes out as the Retry-After header with Status, in whole seconds, rounded up.
	RetryAfter time.Duration
}

func (f Faults) beforeCreate(params url.Values) Fault {
	if f.BeforeCreate == nil {
		return Fault{}
	}
	return f.BeforeCreate(cloneValues(params))
}

func (f Faults) afterCreate(message Message) Fault {
	if f.AfterCreate == nil {
		return Fault{}
	}
	return f.AfterCreate(message.clone())
}

// suffers plays the fault and reports whether it took the place of the answer.
func (s *Server) suffers(w http.ResponseWriter, fault Fault) bool {
	s.delay(fault.Delay)
	if fault.DropConnection {
		panic(http.ErrAbortHandler) // net/http's own way to close a connection without an answer
	}
	if fault.Status == 0 {
		return false
	}
	if fault.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(fault.RetryAfter.Seconds()))))
	}
	s.writeRefusal(w, refuse(fault.Status, codeOfStatus(fault.Status), http.StatusText(fault.Status)))
	return true
}

// delay waits, or returns at once when the server closes.
func (s *Server) delay(duration time.Duration) {
	if duration <= 0 {
		return
	}
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.closing:
	}
}

func codeOfStatus(status int) int {
	switch status {
	case http.StatusUnauthorized:
		return codeAuthenticate
	case http.StatusNotFound:
		return codeNotFound
	case http.StatusTooManyRequests:
		return codeTooManyRequests
	case http.StatusServiceUnavailable:
		return codeUnavailable
	default:
		if status < http.StatusInternalServerError {
			return codeBadParameter
		}
		return codeInternal
	}
}
