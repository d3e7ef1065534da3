package console

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/checkup"
	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// wasExamined: the relay is examined from now on.
const wasExamined done = "examined"

// examTime is how long an examination may take.
const examTime = time.Minute

// exam is the last examination of the relay, which all who ask share.
type exam struct {
	mu sync.Mutex
	// last is what the last one found at the time at; a zero time says that there was none. problem is why it could not be made.
	last      []checkup.Finding
	problem   string
	at        time.Time
	isRunning bool
}

// look returns the last examination.
func (e *exam) look() (last []checkup.Finding, problem string, at time.Time, isRunning bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.last, e.problem, e.at, e.isRunning
}

// begin notes that an examination begins, unless one is under way.
func (e *exam) begin() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.isRunning {
		return false
	}
	e.isRunning = true
	return true
}

func (e *exam) end(found []checkup.Finding, problem string, at time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.last, e.problem, e.at, e.isRunning = found, problem, at, false
}

// failed lists what the last examination found that has to be put right.
func (e *exam) failed() (failed []checkup.Finding) {
	last, _, _, _ := e.look()
	// What these find is on the page of what needs somebody already.
	shown := []string{"reached-nobody", "uncertain", "dead-letters", "unanswered", "opted-out"}
	for _, f := range last {
		if f.Status == checkup.Fail && !slices.Contains(shown, f.Name) {
			failed = append(failed, f)
		}
	}
	return failed
}

// examine begins to examine the relay, unless that is under way. It goes on when the browser is gone.
func (c *Console) examine(ctx context.Context) {
	if !c.exam.begin() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), examTime)
	go func() {
		defer cancel()
		found, err := c.Examine(ctx)
		problem := ""
		if err != nil {
			problem = "The relay could not be examined. Its log says why; relay doctor on the host says more."
			c.Logger.LogAttrs(ctx, slog.LevelError, "relay not examined", slog.String("error", err.Error()))
		}
		c.exam.end(found, problem, c.Now())
	}()
}

// health is the page of how the relay is.
type health struct {
	// Problems are known now, Groups what the last examination found, the worst first.
	Problems []string
	Groups   []verdict
	Problem  string
	At       time.Time
	Version  string

	IsRunning bool
	Did       string
	Now       time.Time
}

// verdict is what was found with one status.
type verdict struct {
	Status, Title string
	All           []checkup.Finding
}

// IsOpen reports whether they are shown without being asked for.
func (f verdict) IsOpen() bool { return f.Status == checkup.Fail || f.Status == checkup.Warn }

func (c *Console) healthPages() map[string]page {
	return map[string]page{
		"GET " + pathHealth: {signin.Viewer, c.health},
		"POST " + pathExamine: {signin.Viewer, func(v *visit) error {
			c.examine(v.R.Context())
			v.GoTo(pathHealth + "?did=" + string(wasExamined))
			return nil
		}},
	}
}

// examined says when the relay was last examined; it is empty where it cannot be.
func (c *Console) examined(v *visit) string {
	_, _, at, _ := c.exam.look()
	switch {
	case c.Examine == nil:
		return ""
	case at.IsZero():
		return "The relay itself was not examined since it was started: what that finds comes here, too."
	}
	return "The relay itself was examined " + when(v.R.Context(), at, c.Now()) + "."
}

// health shows how the relay is. Who asks first after a start has it examined.
func (c *Console) health(v *visit) error {
	if _, _, at, _ := c.exam.look(); at.IsZero() {
		c.examine(v.R.Context())
	}
	h := health{Version: telemetry.ReadBuild().String(), Now: c.Now()}
	if c.Problems != nil {
		h.Problems = c.Problems()
	}
	var last []checkup.Finding
	last, h.Problem, h.At, h.IsRunning = c.exam.look()
	if h.IsRunning {
		h.Did = done(v.R.URL.Query().Get("did")).words()
	}
	for _, g := range []verdict{
		{Status: checkup.Fail, Title: "To be put right"},
		{Status: checkup.Warn, Title: "Not as well as it should be"},
		{Status: checkup.Skipped, Title: "Not checked"},
		{Status: checkup.OK, Title: "Well"},
	} {
		for _, f := range last {
			if f.Status == g.Status {
				g.All = append(g.All, f)
			}
		}
		if len(g.All) > 0 {
			h.Groups = append(h.Groups, g)
		}
	}
	return v.Show(http.StatusOK, healthPage(v.frame("Is it well?"), h))
}
