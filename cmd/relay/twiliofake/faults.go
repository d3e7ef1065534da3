package twiliofake

import (
	"cmp"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Faults are the ways in which Twilio can be made to misbehave. A nil hook and a zero value misbehave never. Hooks are
// called from several goroutines at once. RandomFaults makes some that misbehave now and then.
type Faults struct {
	// BeforeCreate is asked before a create request is looked at. A fault that answers or drops here means that no
	// message exists.
	BeforeCreate func(params url.Values) Fault
	// AfterCreate is asked once the message exists and its callbacks are on their way, before the answer goes out. A
	// fault that answers or drops here leaves the caller not knowing of it.
	AfterCreate func(message Message) Fault
	// BeforeErase is asked before a message is redacted or an attachment deleted, by its Sid. With OnceTaken that happens all the same.
	BeforeErase func(sid string) Fault
	// Latency is asked how long to hold back each answer of the API once it is made, also one that is then lost with
	// its connection. A message that the answer speaks of exists already, and its callbacks may overtake it.
	Latency func() time.Duration
	// ListLag is how long after its creation a message is first seen in the list of messages. A caller that knows its Sid
	// can fetch it at once: Twilio's list is an index that lags behind, the resource itself is not.
	ListLag time.Duration
	// BeforeCallback is asked before each status callback that the message then has coming.
	BeforeCallback func(message Message) CallbackFault
}

// Fault is one misbehaviour. The zero value means that nothing goes wrong.
type Fault struct {
	// Delay passes first. It is not cut short by a caller that gives up: Twilio would not notice that either.
	Delay time.Duration
	// DropConnection closes the connection without an answer. It does so by panicking with http.ErrAbortHandler, which
	// net/http's server understands; a caller of ServeHTTP without that server gets the panic.
	DropConnection bool
	// Status answers with this HTTP status and Twilio's error of that kind (500: 20500, 503: 20503, 429: 20429), or with Code if
	// it is set: 63038 on a 429 is a day's quota, 30047 on a 400 a message that was not scheduled.
	Status int
	Code   int
	// RetryAfter goes out as the Retry-After header with Status, in whole seconds, rounded up.
	RetryAfter time.Duration
	// OnceTaken keeps a fault of BeforeCreate until the message exists, and one of BeforeErase until it is erased. If Twilio refuses the
	// request, the fault is dropped.
	// It has no meaning in AfterCreate.
	OnceTaken bool
}

// CallbackFault is what goes wrong with one status callback. The zero value is nothing: it is posted once, in its turn.
type CallbackFault struct {
	// Drop never posts it. The other fields then mean nothing.
	Drop bool
	// Duplicate posts it twice, one right after the other, each with an idempotency token of its own.
	Duplicate bool
	// AfterNext posts it when the turn of the message's next callback is over. The last one has none: it keeps its turn.
	AfterNext bool
	// Delay passes between its turn and the post. The message goes on meanwhile, so that later callbacks overtake it.
	Delay time.Duration
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

func (f Faults) beforeErase(sid string) Fault {
	if f.BeforeErase == nil {
		return Fault{}
	}
	return f.BeforeErase(sid)
}

func (f Faults) latency() time.Duration {
	if f.Latency == nil {
		return 0
	}
	return f.Latency()
}

func (f Faults) beforeCallback(message Message) CallbackFault {
	if f.BeforeCallback == nil {
		return CallbackFault{}
	}
	return f.BeforeCallback(message.clone())
}

// heldBack is an answer that goes out later than it is made.
type heldBack struct {
	http.ResponseWriter
	hold func()
}

// WriteHeader passes the time first. Every answer of the API begins with it.
func (h heldBack) WriteHeader(status int) {
	h.hold()
	h.ResponseWriter.WriteHeader(status)
}

// suffers plays the fault and reports whether it took the place of the answer.
func (s *Server) suffers(w http.ResponseWriter, fault Fault) bool {
	s.delay(fault.Delay)
	recorderOf(w).fault = fault.DropConnection || fault.Status != 0
	if fault.DropConnection {
		s.holdBack()
		panic(http.ErrAbortHandler) // net/http's own way to close a connection without an answer
	}
	if fault.Status == 0 {
		return false
	}
	if fault.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(fault.RetryAfter.Seconds()))))
	}
	s.writeRefusal(w, refuse(fault.Status, cmp.Or(fault.Code, codeOfStatus(fault.Status)), http.StatusText(fault.Status)))
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
