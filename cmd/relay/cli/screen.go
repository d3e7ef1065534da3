package cli

import (
	"io"
	"os"
	"strconv"

	"golang.org/x/term"

	"quickdumpnow.com/smsrelay/shared/inert"
)

// Screen is where the program writes. It filters what others wrote (see [inert.Writer]), and knows whether a person looks at it,
// whether that person wants colours, and how wide it is.
type Screen struct {
	*inert.Writer

	terminal, colour, draws bool
	// width is 0 if there is no limit.
	width int
}

// defaultWidth is that of a terminal that does not say how wide it is.
const defaultWidth = 80

// NewScreen returns a screen that writes to out. Lookup finds the variables that say what the terminal can do and what the person
// wants: NO_COLOR, CLICOLOR, CLICOLOR_FORCE, TERM and COLUMNS.
func NewScreen(out io.Writer, lookup func(name string) (string, bool)) *Screen {
	s := &Screen{Writer: inert.NewWriter(out)}
	s.width = s.look(lookup)
	dumb, _ := lookup("TERM")
	s.draws = s.terminal && dumb != "dumb"
	s.colour = wantsColour(s.terminal, lookup)
	return s
}

// wantsColour reports whether to colour what goes to a terminal, or to none, as https://no-color.org and https://bixense.com/clicolors
// describe the variables.
func wantsColour(terminal bool, lookup func(name string) (string, bool)) bool {
	value := func(name string) string {
		text, _ := lookup(name)
		return text
	}
	switch force := value("CLICOLOR_FORCE"); {
	case value("NO_COLOR") != "":
		return false
	case force != "" && force != "0":
		return true
	default:
		return terminal && value("TERM") != "dumb" && value("CLICOLOR") != "0"
	}
}

// look finds out whether a person looks, and returns how wide the terminal is.
func (s *Screen) look(lookup func(name string) (string, bool)) (width int) {
	file, ok := s.Raw().(*os.File)
	if s.terminal = ok && term.IsTerminal(int(file.Fd())); !s.terminal {
		return 0
	}
	text, _ := lookup("COLUMNS")
	if columns, err := strconv.Atoi(text); err == nil && columns > 0 {
		return columns
	}
	if columns, _, err := term.GetSize(int(file.Fd())); err == nil && columns > 0 {
		return columns
	}
	return defaultWidth
}

// Plain takes the colours away.
func (s *Screen) Plain() { s.colour = false }

// like returns a screen that writes elsewhere, and shows the same.
func (s *Screen) like(out io.Writer) *Screen {
	other := *s
	other.Writer = inert.NewWriter(out)
	return &other
}

// Like returns a writer to other on which everything is laid out as it is on out.
func Like(out, other io.Writer) io.Writer {
	if s, ok := out.(*Screen); ok {
		return s.like(other)
	}
	return other
}

// Own returns where the program's own colours and cursor movements go: behind the filter.
func Own(out io.Writer) io.Writer {
	switch out := out.(type) {
	case *Screen:
		return out.Raw()
	case *inert.Writer:
		return out.Raw()
	default:
		return out
	}
}

// isTerminal reports whether a person looks at what is written, as far as that can be told.
func isTerminal(out io.Writer) bool {
	s, ok := out.(*Screen)
	return ok && s.terminal
}

// HasColour reports whether what is written there may be coloured.
func HasColour(out io.Writer) bool {
	s, ok := out.(*Screen)
	return ok && s.colour
}

// CanDraw reports whether lines may be drawn over: a person looks, at a terminal that moves its cursor.
func CanDraw(out io.Writer) bool {
	s, ok := out.(*Screen)
	return ok && s.draws
}

// widthOf returns how many characters fit in a line; 0 means that there is no limit, because no person looks.
func widthOf(out io.Writer) int {
	if s, ok := out.(*Screen); ok {
		return s.width
	}
	return 0
}
