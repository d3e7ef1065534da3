//go:build linux

// Command peers measures three of the relay's Lambda functions beside what people would write instead: the same jobs in Python, in Node
// and in Go with all defaults. All are started alike, in turn, by a Runtime API on loopback, with stand-ins for AWS and Twilio over TLS,
// and each is checked before it is measured. `make bench-peers` runs it, and docs/performance.md shows what came of it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"quickdumpnow.com/smsrelay/testing/peers/contestant"
	"quickdumpnow.com/smsrelay/testing/peers/job"
	"quickdumpnow.com/smsrelay/testing/peers/report"
)

// options are the command's flags.
type options struct {
	root, packages string
	plan           plan
	once           bool
	note           string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var o options
	flag.StringVar(&o.root, "root", filepath.Join("..", ".."), "the repository's `folder`")
	flag.StringVar(&o.packages, "packages", "", "the `folder` with the packages for Python and Node; empty leaves both out")
	flag.IntVar(&o.plan.starts, "n", 25, "how often each function of each is started")
	flag.IntVar(&o.plan.rounds, "rounds", 5, "how often the calls of a warm process are measured")
	flag.IntVar(&o.plan.calls, "calls", 400, "how many calls that are, after a quarter of them that are not measured")
	flag.BoolVar(&o.once, "once", false, "measure each once and write nothing: to see that all of it works")
	flag.StringVar(&o.note, "note", "", "a `sentence` for the page about the circumstances, such as what else the machine did")
	flag.Parse()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop.
	}
}

func run(ctx context.Context, o options) error {
	root, err := filepath.Abs(o.root)
	if err != nil {
		return err
	}
	if o.once {
		o.plan = plan{starts: 1, rounds: 1, calls: 8}
	}
	stage, err := job.NewStage(ctx)
	if err != nil {
		return err
	}
	defer stage.Close()
	all, err := contestant.Builder{
		Root: root, Packages: o.packages, Environment: stage.Environment(), Authority: stage.Authority(),
	}.Build(ctx)
	if err != nil {
		return err
	}
	begun := time.Now()
	functions, err := o.plan.measure(ctx, stage, all)
	if err != nil {
		return err
	}
	fmt.Printf("measured in %s\n\n", time.Since(begun).Round(time.Second))
	for _, f := range functions {
		fmt.Println(report.Table(f))
	}
	if o.once {
		return nil
	}
	return write(root, o, functions)
}

// write puts the tables and the picture into docs/performance.md.
func write(root string, o options, functions []report.Function) error {
	page := filepath.Join(root, "docs", "performance.md")
	old, err := os.ReadFile(page) //nolint:gosec // the repository's own page.
	if err != nil {
		return err
	}
	circumstances, err := describe(root, o, time.Now())
	if err != nil {
		return err
	}
	text := circumstances + "\n![Bars: cold start, memory and CPU of each](performance-peers.svg)\n\n"
	for _, f := range functions {
		text += report.Table(f) + "\n"
	}
	updated, err := report.Insert(string(old), "bench-peers", text)
	if err != nil {
		return fmt.Errorf("%s: %w", page, err)
	}
	if err := os.WriteFile(page, []byte(updated), 0o644); err != nil { //nolint:gosec // a page that everybody may read.
		return err
	}
	picture := report.Picture(functions, contestant.Again)
	return os.WriteFile(filepath.Join(root, "docs", "performance-peers.svg"), []byte(picture), 0o644) //nolint:gosec // as above.
}
