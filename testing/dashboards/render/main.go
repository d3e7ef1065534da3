package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	dashboard "quickdumpnow.com/smsrelay/testing/dashboards/render"
)

func (p program) dashboardCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dashboard",
		Short: "See the dashboard of the AWS template without AWS",
		Long: `dashboard is about the CloudWatch dashboard that stands in template.yaml. It makes and changes nothing on AWS: that is
for sam deploy.`,
		SuggestionsMinimumDistance: 2,
		Args:                       unknownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.renderCommand())
	return cmd
}

// rendering is what dashboard render is asked for.
type rendering struct {
	template   string
	metrics    []string
	parameters []string
	out        string
	asJSON     bool
}

func (p program) renderCommand() *cobra.Command {
	var r rendering
	cmd := &cobra.Command{
		Use:   "render",
		Short: "Draw the dashboard from metrics in a file",
		Long: `render draws the graphs of the dashboard in template.yaml into one picture, from metrics in CloudWatch's embedded metric
format: the lines that the functions print, one JSON object a line. Other lines are skipped. Each graph has the place and each
line the period and statistic that the template says; what has no values says "no data".

Of which namespace a metric is does not matter. AWS's own, such as the depth of a queue, have the dimensions of the template:
queues and tables by the names that it gives them, functions and the API by their logical ids (FunctionName=SenderFunction).`,
		Example: `  relay dashboard render --metrics run.jsonl --out dashboard.png
  relay dashboard render --metrics run.jsonl --json | jq '.[].title'`,
		Args: func(cmd *cobra.Command, args []string) error {
			if err := noArguments(cmd, args); err != nil {
				return err
			}
			return r.check()
		},
		RunE: func(*cobra.Command, []string) error { return p.render(r) },
	}
	cmd.Flags().StringVar(&r.template, "template", "template.yaml", "the SAM template")
	cmd.Flags().StringArrayVar(&r.metrics, "metrics", nil, "a file of lines with metrics; may be given more than once")
	cmd.Flags().StringArrayVar(&r.parameters, "parameter", nil, "a parameter of the stack, as Name=Value; may be given more than once")
	cmd.Flags().StringVar(&r.out, "out", "", "where to write the picture, a PNG")
	cmd.Flags().BoolVar(&r.asJSON, "json", false, "print JSON instead: an array of graphs with their points")
	return cmd
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

func (p program) render(r rendering) error {
	d, err := r.read()
	if err != nil {
		return err
	}
	metrics := &dashboard.Metrics{}
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
		return json.NewEncoder(p.stdout).Encode(graphs)
	}
	return p.draw(r.out, d.Name, graphs, metrics)
}

// read reads the dashboard out of the template.
func (r rendering) read() (dashboard.Dashboard, error) {
	parameters := map[string]string{}
	for _, pair := range r.parameters {
		name, value, found := strings.Cut(pair, "=")
		if !found {
			return dashboard.Dashboard{}, usageError{fmt.Errorf("--parameter %s: want Name=Value", pair)}
		}
		parameters[name] = value
	}
	text, err := os.ReadFile(r.template)
	if err != nil {
		return dashboard.Dashboard{}, hintedError{err, "--template names the template.yaml of this project"}
	}
	template, err := dashboard.ReadTemplate(text, parameters)
	if err != nil {
		return dashboard.Dashboard{}, fmt.Errorf("%s: %w", r.template, err)
	}
	d, err := template.Dashboard()
	if err != nil {
		return dashboard.Dashboard{}, fmt.Errorf("%s: %w", r.template, err)
	}
	return d, nil
}

func readInto(metrics *dashboard.Metrics, name string) (err error) {
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
func (p program) draw(out, name string, graphs []dashboard.Graph, metrics *dashboard.Metrics) error {
	var picture bytes.Buffer
	if err := dashboard.Draw(&picture, name, graphs); err != nil {
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
	fmt.Fprintf(p.stdout, "%s: %d graphs, %d of them with data, from %d lines (%d others skipped)\n", out, len(graphs), with, metrics.Lines, metrics.Skipped)
	return nil
}
