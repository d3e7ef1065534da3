//go:build linux || darwin

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

const (
	// minJava is what DynamoDB Local 3 needs.
	minJava = 17
	// minPython is what the pinned requirements of moto need, in Python 3.
	minPython = 11
)

// toolbox is what the machine has to bring: a JDK, Maven and Python. Registries are those that Maven and pip are
// configured for; none is named here.
type toolbox struct {
	stderr  io.Writer
	verbose bool
	// maven lets one Maven run at a time.
	maven *sync.Mutex
}

func newToolbox(verbose bool, stderr io.Writer) toolbox {
	return toolbox{stderr: stderr, verbose: verbose, maven: new(sync.Mutex)}
}

// copyDependencies puts the jars and native libraries that folder/pom.xml names into folder/lib.
func (t toolbox) copyDependencies(ctx context.Context, folder string) error {
	if err := t.requireJDK(ctx); err != nil {
		return err
	}
	if err := require("mvn", "install Maven 3.8 or later (Debian: apt-get install maven)"); err != nil {
		return err
	}
	t.maven.Lock()
	defer t.maven.Unlock()
	_, err := t.run(ctx, folder, "mvn", "--batch-mode", "--quiet", "-f", "pom.xml", "dependency:copy-dependencies",
		"-DincludeScope=runtime", "-DoutputDirectory="+filepath.Join(folder, "lib"))
	return err
}

// compile turns one Java file in folder into folder/classes, against folder/lib.
func (t toolbox) compile(ctx context.Context, folder, source string) error {
	_, err := t.run(ctx, folder, "javac", "--release", strconv.Itoa(minJava), "-cp", filepath.Join(folder, "lib", "*"),
		"-d", filepath.Join(folder, "classes"), source)
	return err
}

// createVenv installs folder/requirements.txt into folder/venv. Byte code is left to the first start, which needs a
// tenth of it.
func (t toolbox) createVenv(ctx context.Context, folder string) error {
	_, err := t.run(ctx, folder, "python3", "-m", "venv", "venv")
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("%w\n(Debian and Ubuntu ship it apart: apt-get install python3-venv)", err)
	}
	if err != nil {
		return err
	}
	_, err = t.run(ctx, folder, filepath.Join(folder, "venv", "bin", "python"), "-m", "pip", "install",
		"--no-input", "--disable-pip-version-check", "--no-compile", "--requirement", "requirements.txt")
	return err
}

// requireJDK refuses a machine without a Java compiler of version minJava or later.
func (t toolbox) requireJDK(ctx context.Context) error {
	hint := fmt.Sprintf("install a JDK, version %d or later, not only a JRE (Debian: apt-get install openjdk-%d-jdk-headless)",
		minJava, minJava)
	if err := require("javac", hint); err != nil {
		return err
	}
	output, err := t.run(ctx, "", "javac", "-version")
	if err != nil {
		return err
	}
	if numberAfter(output, "javac ") < minJava {
		return fmt.Errorf("%s is too old: %s", strings.TrimSpace(output), hint)
	}
	return nil
}

// pythonIdentity is what a venv depends on: the interpreter's version and the place it was found. It refuses a machine
// without Python 3.11 or later.
func (t toolbox) pythonIdentity(ctx context.Context) (string, error) {
	hint := fmt.Sprintf("install Python 3.%d or later (Debian: apt-get install python3 python3-venv)", minPython)
	if err := require("python3", hint); err != nil {
		return "", err
	}
	output, err := t.run(ctx, "", "python3", "-c", "import sys; print(f'3.{sys.version_info[1]}', sys.version, sys.base_prefix)")
	if err != nil {
		return "", err
	}
	if minor := numberAfter(output, "3."); minor < minPython {
		return "", fmt.Errorf("python3 is version 3.%d: %s", minor, hint)
	}
	return output, nil
}

// run runs one tool to its end and returns what it printed. It echoes that when verbose; an error carries the end of it.
func (t toolbox) run(ctx context.Context, folder, name string, args ...string) (string, error) {
	output := &tail{}
	if t.verbose {
		output.echo, output.prefix = t.stderr, filepath.Base(name)
	}
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // names and arguments are fixed in this package
	cmd.Dir = folder
	cmd.Stdout, cmd.Stderr = output, output
	p, err := start(cmd, ownGroup)
	if err != nil {
		return "", fmt.Errorf("run %s: %w", filepath.Base(name), err)
	}
	if err := p.wait(); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return "", fmt.Errorf("run %s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, output.tail())
	}
	return output.tail(), nil
}

// require looks for a program on the PATH and, where it is missing, says what to do about it.
func require(program, hint string) error {
	_, err := exec.LookPath(program)
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%s is not on the PATH: %s", program, hint)
	}
	if err != nil {
		return fmt.Errorf("look for %s: %w", program, err)
	}
	return nil
}

// numberAfter is the number that follows the first mention of a word, 0 where there is none: 17 after "javac " in
// "javac 17.0.15". What a tool prints before that, such as a warning, does not matter.
func numberAfter(text, word string) int {
	_, rest, _ := strings.Cut(text, word)
	digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
	number, err := strconv.Atoi(rest[:digits])
	if err != nil {
		return 0
	}
	return number
}
