// Command scaling says what the relay does at sizes that nobody here can play: 1, 100 and 10,000 texts a second, and a hundred thousand
// numbers. It simulates them (package model), in virtual time and from one seed, and prices them (testing/costs).
//
//	go run ./testing/scaling                # the tables of docs/scaling.md
//	go run ./testing/scaling -json          # all numbers of each size
//	go run ./testing/scaling -write         # rewrite the tables in docs/scaling.md
//	go run ./testing/scaling -held -write   # run the real relay on this machine, too, and compare: about a minute, on a quiet machine
//
// It calls no cloud and changes nothing but that page.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"sync"

	"quickdumpnow.com/smsrelay/testing/costs"
	"quickdumpnow.com/smsrelay/testing/scaling/held"
	"quickdumpnow.com/smsrelay/testing/scaling/model"
)

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// asked is what the command is asked for.
type asked struct {
	seed                uint64
	asJSON, held, write bool
}

// run is main without the process around it: it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var a asked
	flags := flag.NewFlagSet("scaling", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Uint64Var(&a.seed, "seed", pageSeed, "the seed; the same one has the same result")
	flags.BoolVar(&a.asJSON, "json", false, "print all numbers as JSON")
	flags.BoolVar(&a.held, "held", false, "run the real relay on this machine and compare it with the model")
	flags.BoolVar(&a.write, "write", false, "rewrite the tables in docs/scaling.md; run it in the module's folder")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitDone
	case err != nil:
		return exitUsage
	case flags.NArg() > 0 || a.asJSON && a.write:
		fmt.Fprintln(stderr, "scaling: -json prints and -write writes: one of them, and no other words\n  hint: scaling -help")
		return exitUsage
	case a.write && a.seed != pageSeed:
		fmt.Fprintf(stderr, "scaling: the page has the tables of seed %d\n  hint: leave out -seed or -write\n", pageSeed)
		return exitUsage
	}
	if err := a.answer(ctx, stdout); err != nil {
		fmt.Fprintf(stderr, "scaling: %v\n", err)
		return exitFailed
	}
	return exitDone
}

// pageSeed is the seed of the page's tables.
const pageSeed = 1

func (a asked) answer(ctx context.Context, stdout io.Writer) error {
	results := runAll(a.seed)
	var compared []held.Compared
	if a.held {
		var err error
		if compared, err = compareAll(ctx, a.seed); err != nil {
			return err
		}
	}
	if a.asJSON {
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(struct {
			Sizes []model.Result
			Held  []held.Compared `json:",omitempty"`
		}{results, compared})
	}
	rates, err := costs.ReadRates(".")
	if err != nil {
		return fmt.Errorf("%w: run it in the module's folder", err)
	}
	all := tables(results, rates)
	if a.held {
		all["held"] = heldTable(compared)
	}
	if a.write {
		return writePage(filepath.Join("docs", "scaling.md"), all)
	}
	for _, title := range append(titles(), "held") {
		if text, ok := all[title]; ok {
			fmt.Fprintf(stdout, "%s\n\n%s\n", title, text)
		}
	}
	return nil
}

// runAll simulates all sizes side by side.
func runAll(seed uint64) []model.Result {
	sizes := model.Sizes()
	results := make([]model.Result, len(sizes))
	var all sync.WaitGroup
	for i, size := range sizes {
		all.Go(func() { results[i] = model.Run(size, seed) })
	}
	all.Wait()
	return results
}

func compareAll(ctx context.Context, seed uint64) (all []held.Compared, err error) {
	for _, c := range held.Cases() {
		work, err := held.Measure(ctx)
		if err != nil {
			return nil, err
		}
		compared, err := held.Compare(ctx, c, work, seed)
		if err != nil {
			return nil, err
		}
		all = append(all, compared)
	}
	return all, nil
}

// section is one table of the page: what is between its marks.
func section() *regexp.Regexp {
	return regexp.MustCompile(`(?s)<!-- table: ([a-z ]+) -->\n.*?<!-- end -->`)
}

// fill puts the tables into the page. A table that is not given stays as it is.
func fill(page []byte, all map[string]string) []byte {
	of := section()
	return of.ReplaceAllFunc(page, func(found []byte) []byte {
		title := string(of.FindSubmatch(found)[1])
		text, ok := all[title]
		if !ok {
			return found
		}
		return fmt.Appendf(nil, "<!-- table: %s -->\n%s<!-- end -->", title, text)
	})
}

func writePage(name string, all map[string]string) error {
	page, err := os.ReadFile(name) //nolint:gosec // the page.
	if err != nil {
		return err
	}
	return os.WriteFile(name, fill(page, all), 0o600) //nolint:gosec // the page.
}
