// Command render draws the graphs of the dashboard in template.yaml into one picture, from metrics in CloudWatch's embedded
// metric format: the lines that the functions print, one JSON object a line. Other lines are skipped. Each graph has the place,
// and each line of it the period and the statistic, that the template says; a line without values says "no data".
//
//	go run ./testing/dashboards/render -metrics run.jsonl -out dashboard.png
//	go run ./testing/dashboards/render -metrics run.jsonl -json | jq '.[].title'
//
// A metric's namespace does not matter. AWS's own metrics, such as the depth of a queue, have the dimensions of the template:
// queues and tables by the names that it gives them, functions and the API by their logical ids (FunctionName=SenderFunction).
//
// It is a tool for `make picture` and for those who change the dashboard. It makes and changes nothing on AWS: that is for
// sam deploy.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"quickdumpnow.com/smsrelay/testing/dashboards/drawing"
)

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// usageError is a mistake in the call, not in the work.
type usageError struct{ error }

// hintedError is an error with advice.
type hintedError struct {
	error
	hint string
}

// run is main without the process around it: it returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	r, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitDone
	}
	if err == nil {
		err = r.run(stdout)
	}
	if err == nil {
		return exitDone
	}
	fmt.Fprintf(stderr, "render: %v\n", err)
	if hinted, ok := errors.AsType[hintedError](err); ok {
		fmt.Fprintf(stderr, "  hint: %s\n", hinted.hint)
	}
	if _, ok := errors.AsType[usageError](err); ok {
		fmt.Fprintln(stderr, "  hint: render -help shows how it is used")
		return exitUsage
	}
	return exitFailed
}

// rendering is what render is asked for.
type rendering struct {
	template   string
	metrics    []string
	parameters []string
	out        string
	asJSON     bool
}

// parse reads the flags. The error is [flag.ErrHelp] if help was asked for and printed, else a usageError.
func parse(args []string, stderr io.Writer) (rendering, error) {
	var r rendering
	flags := flag.NewFlagSet("render", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&r.template, "template", "template.yaml", "the SAM template")
	flags.Func("metrics", "a `file` of lines with metrics; may be given more than once", appendTo(&r.metrics))
	flags.Func("parameter", "a parameter of the stack, as `Name=Value`; may be given more than once", appendTo(&r.parameters))
	flags.StringVar(&r.out, "out", "", "where to write the picture, a PNG")
	flags.BoolVar(&r.asJSON, "json", false, "print JSON instead: an array of graphs with their points")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		flags.SetOutput(stderr)
		flags.Usage()
		return r, err
	case err != nil:
		return r, usageError{err}
	case flags.NArg() > 0:
		return r, usageError{fmt.Errorf("unexpected argument %q", flags.Arg(0))}
	}
	return r, r.check()
}

// appendTo adds each value of a flag to list.
func appendTo(list *[]string) func(string) error {
	return func(value string) error {
		*list = append(*list, value)
		return nil
	}
}

func (r rendering) check() error {
	switch {
	case len(r.metrics) == 0:
		return usageError{errors.New("nothing to draw: --metrics names the file")}
	case !r.asJSON && r.out == "":
		return usageError{errors.New("nowhere to draw it: --out names the picture, or --json prints the points")}
	case r.asJSON && r.out != "":
		return usageError{errors.New("--json prints and --out draws: one of them")}
	case r.out != "" && !strings.EqualFold(filepath.Ext(r.out), ".png"):
		return usageError{fmt.Errorf("%s: the picture is a PNG, its name ends in .png", r.out)}
	}
	return nil
}

// run draws, or prints what would be drawn.
func (r rendering) run(stdout io.Writer) error {
	d, err := r.read()
	if err != nil {
		return err
	}
	metrics := &drawing.Metrics{}
	for _, name := range r.metrics {
		if err := readInto(metrics, name); err != nil {
			return err
		}
	}
	if metrics.Lines == 0 {
		return hintedError{
			fmt.Errorf("%s: %d lines, and none with a metric", strings.Join(r.metrics, ", "), metrics.Skipped),
			`the functions print them, one JSON object a line with a member "_aws"`,
		}
	}
	graphs := d.Graphs(metrics)
	if r.asJSON {
		return json.NewEncoder(stdout).Encode(graphs)
	}
	return draw(stdout, r.out, d.Name, graphs, metrics)
}

// read reads the dashboard out of the template.
func (r rendering) read() (drawing.Dashboard, error) {
	parameters := map[string]string{}
	for _, pair := range r.parameters {
		name, value, found := strings.Cut(pair, "=")
		if !found {
			return drawing.Dashboard{}, usageError{fmt.Errorf("--parameter %s: want Name=Value", pair)}
		}
		parameters[name] = value
	}
	text, err := os.ReadFile(r.template)
	if err != nil {
		return drawing.Dashboard{}, hintedError{err, "--template names the template.yaml of this project"}
	}
	template, err := drawing.ReadTemplate(text, parameters)
	if err != nil {
		return drawing.Dashboard{}, fmt.Errorf("%s: %w", r.template, err)
	}
	d, err := template.Dashboard()
	if err != nil {
		return drawing.Dashboard{}, fmt.Errorf("%s: %w", r.template, err)
	}
	return d, nil
}

func readInto(metrics *drawing.Metrics, name string) (err error) {
	file, err := os.Open(name) //nolint:gosec // the file that was asked for.
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := metrics.ReadMetrics(file); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

// draw writes the picture, whole or not at all, and says what is in it.
func draw(stdout io.Writer, out, name string, graphs []drawing.Graph, metrics *drawing.Metrics) error {
	var picture bytes.Buffer
	if err := drawing.Draw(&picture, name, graphs); err != nil {
		return err
	}
	if err := os.WriteFile(out, picture.Bytes(), 0o644); err != nil { //nolint:gosec // a picture for everyone.
		return err
	}
	with := 0
	for _, g := range graphs {
		if g.HasData() {
			with++
		}
	}
	fmt.Fprintf(stdout, "%s: %d graphs, %d of them with data, from %d lines (%d others skipped)\n", out, len(graphs), with,
		metrics.Lines, metrics.Skipped)
	return nil
}
