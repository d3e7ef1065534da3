package route

import (
	"fmt"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// AutoAnswer are the texts with which the relay itself answers a customer. One that is empty is not sent.
type AutoAnswer struct {
	// Closed goes to a customer whose text comes when nobody is on duty, whatever becomes of that text, see [Route.IsClosed].
	Closed string `json:",omitempty"`
	// NoOne goes to a customer whose text nobody has answered when no phone but the owner's is left to get it, see AnswerTimeout.
	NoOne string `json:",omitempty"`
}

// MaxAutoSegments is how many segments a text of [AutoAnswer] has at most.
const MaxAutoSegments = 2

// IsClosed reports whether nobody is on duty at that moment by the schedule: a phone that is off for a time is on duty by it.
func (r Route) IsClosed(at time.Time) bool { return r.IsScheduled() && len(r.onDuty(at)) == 0 }

// autoAnswerProblems finds what is wrong with the texts.
func (r Route) autoAnswerProblems() []error {
	var problems []error
	for i, text := range []string{r.AutoAnswer.Closed, r.AutoAnswer.NoOne} {
		field := "AutoAnswer." + [...]string{"Closed", "NoOne"}[i]
		switch n := sms.Segments(text); {
		case text == "":
		case strings.TrimFunc(text, sms.IsBlank) == "":
			problems = append(problems, fmt.Errorf("%s has only blanks", field))
		case n > MaxAutoSegments:
			problems = append(problems, fmt.Errorf("%s needs %d segments, at most %d", field, n, MaxAutoSegments))
		}
	}
	return problems
}
