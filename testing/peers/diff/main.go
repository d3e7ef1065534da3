// Command diff compares the Go benchmarks of a folder with those of a commit. It builds both apart from each other, runs them in turn, so
// that what else the machine does falls on both, and has benchstat say which differences are more than noise. `make bench-diff` runs it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// options are the command's flags.
type options struct {
	root, base, packages, bench, benchtime string
	count                                  int
	limit                                  time.Duration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var o options
	flag.StringVar(&o.root, "root", filepath.Join("..", ".."), "the repository's `folder`")
	flag.StringVar(&o.base, "base", "main", "the `commit` to compare with")
	flag.StringVar(&o.packages, "packages", "./functions/... ./shared/...", "the `packages`, separated by spaces")
	flag.StringVar(&o.bench, "bench", ".", "the benchmarks, a regular `expression`")
	flag.StringVar(&o.benchtime, "benchtime", "200ms", "how long each benchmark runs each time")
	flag.IntVar(&o.count, "count", 8, "how often each is run; benchstat wants six or more")
	flag.DurationVar(&o.limit, "limit", 10*time.Minute, "no round begins after that time")
	flag.Parse()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench-diff:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop.
	}
}

// side is one of the two that are compared.
type side struct {
	name string
	// source is its folder, results the file with what its benchmarks said.
	source, results string
	// programs are the test programs by package folder.
	programs map[string]string
}

func run(ctx context.Context, o options) error {
	root, err := filepath.Abs(o.root)
	if err != nil {
		return err
	}
	folder := filepath.Join(root, "build", "bench-diff")
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	base := side{name: o.base, source: filepath.Join(folder, "base"), results: filepath.Join(folder, "base.txt")}
	here := side{name: "here", source: root, results: filepath.Join(folder, "here.txt")}
	if err := unpack(ctx, root, o.base, base.source); err != nil {
		return err
	}
	packages, err := benchmarked(ctx, root, strings.Fields(o.packages))
	if err != nil {
		return err
	}
	for _, s := range []*side{&base, &here} {
		if err := s.build(ctx, filepath.Join(folder, filepath.Base(s.results)+".programs"), packages); err != nil {
			return err
		}
	}
	if err := measure(ctx, o, packages, base, here); err != nil {
		return err
	}
	arguments := []string{"tool", "benchstat", base.name + "=" + base.results, here.name + "=" + here.results}
	stat := exec.CommandContext(ctx, "go", arguments...) //nolint:gosec // a tool of this module.
	stat.Dir = filepath.Join(root, "testing", "peers")
	stat.Stdout, stat.Stderr = os.Stdout, os.Stderr
	return stat.Run()
}

// unpack puts the files of a commit into a folder.
func unpack(ctx context.Context, root, commit, folder string) error {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	archive := folder + ".tar"
	for _, command := range [][]string{
		{"git", "-C", root, "archive", "--output", archive, commit},
		{"tar", "-x", "-C", folder, "-f", archive},
	} {
		if out, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput(); err != nil { //nolint:gosec // as above.
			return fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, out)
		}
	}
	return os.Remove(archive)
}

// benchmarked returns the folders of those packages that have benchmarks, relative to the root.
func benchmarked(ctx context.Context, root string, patterns []string) ([]string, error) {
	list := exec.CommandContext(ctx, "go", append([]string{"list", "-f", "{{.Dir}}"}, patterns...)...) //nolint:gosec // as above.
	list.Dir, list.Stderr = root, os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var found []string
	for folder := range strings.FieldsSeq(string(out)) {
		tests, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(tests, hasBenchmark) {
			continue
		}
		relative, err := filepath.Rel(root, folder)
		if err != nil {
			return nil, err
		}
		found = append(found, relative)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("none of %s has a benchmark", strings.Join(patterns, " "))
	}
	return found, nil
}

func hasBenchmark(file string) bool {
	text, err := os.ReadFile(file) //nolint:gosec // a test of the repository.
	return err == nil && strings.Contains(string(text), "\nfunc Benchmark")
}

// build compiles the tests of the packages. One that a side does not have is left out there.
func (s *side) build(ctx context.Context, folder string, packages []string) error {
	s.programs = map[string]string{}
	for _, name := range packages {
		if _, err := os.Stat(filepath.Join(s.source, name)); errors.Is(err, os.ErrNotExist) {
			fmt.Fprintf(os.Stderr, "%s has no %s\n", s.name, name)
			continue
		}
		program := filepath.Join(folder, strings.ReplaceAll(name, string(filepath.Separator), "-"))
		compile := exec.CommandContext(ctx, "go", "test", "-c", "-o", program, "./"+filepath.ToSlash(name)) //nolint:gosec // as above.
		compile.Dir = s.source
		if out, err := compile.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: go test -c ./%s: %w\n%s", s.name, name, err, out)
		}
		s.programs[name] = program
	}
	return nil
}

// measure runs both sides' benchmarks of each package right after each other, and in every other round the other one first.
func measure(ctx context.Context, o options, packages []string, base, here side) error {
	begun := time.Now()
	order := []side{base, here}
	for round := range o.count {
		if time.Since(begun) > o.limit {
			fmt.Fprintf(os.Stderr, "stopped after %d of %d rounds: %s are over\n", round, o.count, o.limit)
			break
		}
		fmt.Fprintf(os.Stderr, "round %d of %d, after %s\n", round+1, o.count, time.Since(begun).Round(time.Second))
		for _, name := range packages {
			for _, s := range order {
				if err := s.measure(ctx, o, name); err != nil {
					return err
				}
			}
		}
		slices.Reverse(order)
	}
	return nil
}

// measure runs a package's benchmarks once and keeps what they say.
func (s side) measure(ctx context.Context, o options, name string) error {
	program, ok := s.programs[name]
	if !ok {
		return nil
	}
	results, err := os.OpenFile(s.results, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	bench := exec.CommandContext(ctx, program, //nolint:gosec // as above.
		"-test.run=^$", "-test.bench="+o.bench, "-test.benchtime="+o.benchtime, "-test.benchmem")
	bench.Dir = filepath.Join(s.source, name)
	bench.Stdout, bench.Stderr = results, os.Stderr
	if err := errors.Join(bench.Run(), results.Close()); err != nil {
		return fmt.Errorf("%s of %s: %w: see %s", name, s.name, err, s.results)
	}
	return nil
}
