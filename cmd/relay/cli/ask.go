package cli

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// ErrNoAnswer means that the questions ended before they were answered.
var ErrNoAnswer = errors.New("there was no answer: nothing was changed")

// CanAsk reports whether a person sees questions and can answer them.
func (p Program) CanAsk(cmd *cobra.Command) bool { return p.canAsk(cmd.InOrStdin()) }

// Ask asks for one line. The error is [ErrNoAnswer] if there is none.
func (p Program) Ask(cmd *cobra.Command, question string) (string, error) {
	_, _ = io.WriteString(p.Stderr, question+" ")
	return unlessInterrupted(cmd.Context(), func() (string, error) {
		line, err := bufio.NewReaderSize(oneByte{cmd.InOrStdin()}, 1).ReadString('\n')
		if line != "" {
			err = nil
		}
		return line, err
	})
}

// AskSecret asks for one line that does not show as it is typed.
func (p Program) AskSecret(cmd *cobra.Command, question string) (string, error) {
	file, ok := cmd.InOrStdin().(*os.File)
	if !ok {
		return "", ErrNoAnswer
	}
	terminal := int(file.Fd())
	before, err := term.GetState(terminal)
	if err != nil {
		return "", ErrNoAnswer
	}
	// Whoever interrupts the question sees again what they type.
	defer func() { _ = term.Restore(terminal, before) }()
	_, _ = io.WriteString(p.Stderr, question+" ")
	defer func() { _, _ = io.WriteString(p.Stderr, "\n") }()
	return unlessInterrupted(cmd.Context(), func() (string, error) {
		line, err := term.ReadPassword(terminal)
		return string(line), err
	})
}

// unlessInterrupted reads an answer. An interrupt ends the question, not the reading: the program ends soon.
func unlessInterrupted(ctx context.Context, read func() (string, error)) (string, error) {
	type answer struct {
		line string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		line, err := read()
		answers <- answer{strings.TrimSpace(line), err}
	}()
	select {
	case <-ctx.Done():
		return "", ErrNoAnswer
	case a := <-answers:
		if a.err != nil {
			return "", ErrNoAnswer
		}
		return a.line, nil
	}
}

// oneByte reads no further than it is asked to: what follows a line is for the next question.
type oneByte struct{ io.Reader }

// Read reads one byte.
func (r oneByte) Read(p []byte) (int, error) { return r.Reader.Read(p[:min(1, len(p))]) }
