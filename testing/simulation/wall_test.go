package simulation_test

import (
	"context"
	"time"
)

// wall is the clock of the relay's processes. It may be ahead of the true one for a while, which is the queues' and Twilio's.
func (s *schedule) wall() time.Time { return time.Now().Add(s.ahead) }

// maxJumps is how often the clock jumps in a schedule.
const maxJumps = 4

// jump puts the clock ahead, or sets it right.
func (s *schedule) jump() {
	s.jumps++
	if s.ahead > 0 {
		s.setRight()
		return
	}
	far := []time.Duration{2 * time.Minute, 20 * time.Minute, 5 * time.Hour, 24 * time.Hour}
	if s.Habit > 0 {
		// By a clock that is a day ahead nothing of before is in play.
		far = far[:3]
	}
	s.ahead = one(s.chance, far...)
	s.tellf("clock is %v ahead", s.ahead)
}

// setRight sets the clock right.
func (s *schedule) setRight() {
	if s.ahead > 0 {
		s.ahead, s.right = 0, time.Now()
		s.tellf("clock is right")
	}
}

// isRight reports whether the clock is right, and has been for longer than anybody holds a message by the time before.
func (s *schedule) isRight() bool { return s.ahead == 0 && time.Since(s.right) > routeLag }

// truly reports whether the relay's times are true ones: its clock was never ahead.
func (s *schedule) truly() bool { return s.jumps == 0 }

// wallContext is a context whose deadline is shown by the relay's clock, as it is in a process that began by that clock.
type wallContext struct {
	context.Context

	s *schedule
}

// Deadline implements [context.Context].
func (c wallContext) Deadline() (time.Time, bool) {
	deadline, ok := c.Context.Deadline()
	return deadline.Add(c.s.ahead), ok
}
