//go:build unix

// Command either becomes one of two programs, each the other time that it is started. It is the bootstrap of a function of which two
// versions run side by side. Next to it are programs.json, which says what the programs are, and a folder for each start so far.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// program is one of the two: what is run, and what is different in its environment.
type program struct {
	Command     []string
	Environment map[string]string
}

func main() {
	if err := become(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func become() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	folder := filepath.Dir(self)
	text, err := os.ReadFile(filepath.Join(folder, "programs.json")) //nolint:gosec // it is in the program's own folder.
	if err != nil {
		return err
	}
	var programs [2]program
	if err := json.Unmarshal(text, &programs); err != nil {
		return err
	}
	turn, err := take(folder)
	if err != nil {
		return err
	}
	chosen := programs[turn%2]
	for name, value := range chosen.Environment {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return syscall.Exec(chosen.Command[0], chosen.Command, os.Environ()) //nolint:gosec // what is run is the test's to say.
}

// take returns how many starts there were before this one.
func take(folder string) (turn int, err error) {
	for {
		err := os.Mkdir(filepath.Join(folder, "start-"+strconv.Itoa(turn)), 0o700)
		if !errors.Is(err, os.ErrExist) {
			return turn, err
		}
		turn++
	}
}
