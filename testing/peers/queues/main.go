//go:build linux

// Command queues measures how many texts a second this relay accepts, beside the queues that people would put behind their webhook instead,
// each set to have a text on the disk before it is answered. All get the same bytes over HTTP on loopback, in turn.
// `make bench-queues` runs it, and docs/performance.md shows what came of it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/testing/accepts"
	"quickdumpnow.com/smsrelay/testing/peers/report"
)

// options are the command's flags.
type options struct {
	root, redis string
	texts       int
	rounds      int
	once        bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var o options
	flag.StringVar(&o.root, "root", filepath.Join("..", ".."), "the repository's `folder`")
	flag.StringVar(&o.redis, "redis", "", "the `folder` with what is in Debian's packages of Redis; empty leaves it out")
	flag.IntVar(&o.texts, "n", 100, "how many texts each connection sends")
	flag.IntVar(&o.rounds, "rounds", 5, "how often each is measured")
	flag.BoolVar(&o.once, "once", false, "send some texts to each and write nothing: to see that all of it works")
	flag.Parse()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "queues:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop.
	}
}

func run(ctx context.Context, o options) error {
	if o.once {
		o.texts, o.rounds = 3, 1
	}
	all := contestants(o.redis)
	measured := map[string]map[int][]result{}
	for range o.rounds {
		for _, connections := range widths() {
			for _, c := range all {
				got, err := measure(ctx, c, accepts.Load{
					Connections: connections, Texts: o.texts*connections + 100, Token: token, To: "+18585550100",
				})
				if err != nil {
					return fmt.Errorf("%s: %w", c.name, err)
				}
				if measured[c.name] == nil {
					measured[c.name] = map[int][]result{}
				}
				measured[c.name][connections] = append(measured[c.name][connections], got)
			}
		}
		slices.Reverse(all)
	}
	text := table(contestants(o.redis), measured)
	fmt.Println(text)
	if o.once {
		return nil
	}
	page := filepath.Join(o.root, "docs", "performance.md")
	old, err := os.ReadFile(page) //nolint:gosec // the repository's own page.
	if err != nil {
		return err
	}
	intro := fmt.Sprintf("Measured on %s, %d cores, %s. The medians of %d rounds.\n\n",
		time.Now().UTC().Format("2 January 2006"), runtime.NumCPU(), runtime.Version(), o.rounds)
	updated, err := report.Insert(string(old), "bench-queues", intro+text)
	if err != nil {
		return fmt.Errorf("%s: %w", page, err)
	}
	return os.WriteFile(page, []byte(updated), 0o644) //nolint:gosec // a page that everybody may read.
}

// widths are how many connections send texts at the same time.
func widths() []int { return []int{1, 16, 128} }

// table writes the medians of all rounds, and in brackets what each is to the first contestant's in the same round.
func table(all []contestant, measured map[string]map[int][]result) string {
	var out strings.Builder
	head, line := "| texts accepted |", "|---|"
	for _, connections := range widths() {
		head += fmt.Sprintf(" %d: a second | %d: p99, ms |", connections, connections)
		line += "---|---|"
	}
	out.WriteString(head + "\n" + line + "\n")
	first := measured[all[0].name]
	for i, c := range all {
		out.WriteString("| " + c.name + " |")
		for _, connections := range widths() {
			for _, of := range []func(result) float64{result.rate, result.slowest} {
				own := measured[c.name][connections]
				cell := report.Number(median(own, of))
				if i > 0 {
					cell += " (" + report.Number(median(pairs(own, first[connections], of), func(f float64) float64 { return f })) + " ×)"
				}
				out.WriteString(" " + cell + " |")
			}
		}
		out.WriteString("\n")
	}
	return out.String()
}

// pairs are what each is to the other of the same round.
func pairs(own, other []result, of func(result) float64) []float64 {
	ratios := make([]float64, len(own))
	for i := range own {
		ratios[i] = of(own[i]) / of(other[i])
	}
	return ratios
}

func median[T any](all []T, of func(T) float64) float64 {
	values := make([]float64, len(all))
	for i, one := range all {
		values[i] = of(one)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
