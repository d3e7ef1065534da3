package demo

import (
	"fmt"
	"io"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
)

// screen is where the demo shows itself: numbered steps with what each showed.
type screen struct {
	out    io.Writer
	colour bool
	steps  int
	began  time.Time
}

func newScreen(out io.Writer) *screen {
	return &screen{out: cli.Own(out), colour: cli.HasColour(out), began: time.Now()}
}

func (s *screen) paint(colour, text string) string {
	if !s.colour {
		return text
	}
	return colour + text + cli.Reset
}

// title begins a step that has no number.
func (s *screen) title(text string) {
	fmt.Fprintf(s.out, "\n%s\n", s.paint(cli.Bold, text))
}

// step begins the next numbered step.
func (s *screen) step(text string) {
	s.steps++
	took := time.Since(s.began).Round(time.Millisecond)
	fmt.Fprintf(s.out, "\n%s %s\n", s.paint(cli.Bold, fmt.Sprintf("%d. %s", s.steps, text)),
		s.paint(cli.Grey, fmt.Sprintf("(%d ms)", took.Milliseconds())))
}

// say shows one line of a step.
func (s *screen) say(format string, args ...any) {
	fmt.Fprintf(s.out, "   "+format+"\n", args...)
}

// field shows a name and its value.
func (s *screen) field(name string, value any) {
	fmt.Fprintf(s.out, "   %s %v\n", s.paint(cli.Grey, fmt.Sprintf("%-15s", name)), value)
}

// command shows what to type, and what for.
func (s *screen) command(what, command string) {
	fmt.Fprintf(s.out, "   %s\n     %s\n", s.paint(cli.Grey, what+":"), command)
}
