package operations

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Problem is a problem document (RFC 9457).
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	// Detail says what is wrong with this request, and what to do about it, one line for each problem.
	Detail string `json:"detail,omitempty"`
	// Errors are the same things one by one, where each is a field's or a parameter's.
	Errors []Wrong `json:"errors,omitempty"`
}

// Wrong is one thing that is wrong with a request.
type Wrong struct {
	// Name is the field or parameter.
	Name string `json:"name"`
	// Detail names it, too.
	Detail string `json:"detail"`
}

func refuse(status int, detail string) answer {
	problem := Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail}
	return answer{status: status, body: problem, problem: true}
}

// findings are all that is wrong with a request, so that nobody has to try five times.
type findings struct {
	all []Wrong
	// malformed is set for what openapi.json does not allow. Other findings are about well-formed requests that make no sense.
	malformed bool
}

// malform adds a field or parameter that is not as openapi.json says. Each is named once.
func (f *findings) malform(name, format string, args ...any) {
	if !f.has(name) {
		f.malformed = true
		f.all = append(f.all, Wrong{Name: name, Detail: fmt.Sprintf(format, args...)})
	}
}

// contradict adds a finding about a well-formed value that contradicts another value, or what was stored before.
func (f *findings) contradict(name, format string, args ...any) {
	if !f.has(name) {
		f.all = append(f.all, Wrong{Name: name, Detail: fmt.Sprintf(format, args...)})
	}
}

// has reports whether something is wrong with that field or parameter already.
func (f *findings) has(name string) bool {
	return slices.ContainsFunc(f.all, func(w Wrong) bool { return w.Name == name })
}

func (f *findings) none() bool { return len(f.all) == 0 }

// refuse answers 400 to a malformed request, and 422 to a contradictory one.
func (f *findings) refuse() answer {
	status := http.StatusUnprocessableEntity
	if f.malformed {
		status = http.StatusBadRequest
	}
	details := make([]string, len(f.all))
	for i, w := range f.all {
		details[i] = w.Detail
	}
	problem := Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: strings.Join(details, "\n"), Errors: f.all,
	}
	return answer{status: status, body: problem, problem: true}
}

// OrderError is why something that was ordered cannot be done, with the status that an answer has. The users and the rota return it.
type OrderError struct {
	Status int
	// Field is what is wrong with the order; empty if it is nothing of it.
	Field, Detail string
}

// Error returns the detail.
func (e OrderError) Error() string { return e.Detail }

// refuseOrder answers an error of an order; ok is false if it is no [OrderError].
func refuseOrder(err error) (a answer, ok bool) {
	refused, ok := errors.AsType[OrderError](err)
	switch {
	case !ok:
		return answer{}, false
	case refused.Field != "":
		var wrong findings
		wrong.contradict(refused.Field, "%s: %s", refused.Field, refused.Detail)
		return wrong.refuse(), true
	default:
		return refuse(refused.Status, refused.Detail), true
	}
}
