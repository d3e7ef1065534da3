// Package drawing draws the dashboard of the SAM template from metrics that functions printed, so that it can be seen
// without an AWS account: which widgets there are the template says, what they show the lines of a run. It knows graphs of
// metrics over time, and no other widget, no metric math and no alarm.
package drawing

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Dashboard is the graphs of one dashboard.
type Dashboard struct {
	// Name is the dashboard's.
	Name    string
	Widgets []Widget
}

// Widget is one graph, with its place on the dashboard's grid of 24 columns.
type Widget struct {
	X, Y, Width, Height int
	Title               string
	// Left and Right are the labels of the two axes.
	Left, Right string
	Metrics     []Metric
}

// Metric is one line of a graph.
type Metric struct {
	Key

	// Label is what the legend calls it, Stat how the values of a period become one (Sum, Maximum, p99, …), Period how long
	// that is, in seconds.
	Label  string
	Stat   string
	Period int
	// Right means that it is drawn against the right axis.
	Right bool
}

// Key tells one metric from another.
type Key struct {
	Namespace, Name string
	// Dimensions are "Name=Value", in order, separated by commas; empty of a metric without any.
	Dimensions string
}

// String names the metric in a message.
func (k Key) String() string {
	if k.Dimensions == "" {
		return k.Namespace + " " + k.Name
	}
	return k.Namespace + " " + k.Name + " " + k.Dimensions
}

// KeyOf returns the key of a metric with these dimensions, "Name=Value" in any order.
func KeyOf(namespace, name string, dimensions ...string) Key {
	slices.Sort(dimensions)
	return Key{Namespace: namespace, Name: name, Dimensions: strings.Join(dimensions, ",")}
}

// The body of a dashboard, as far as it is drawn. (CloudWatch calls the language Dashboard Body Structure.)
type (
	body struct {
		Widgets []bodyWidget `json:"widgets"`
	}
	bodyWidget struct {
		Type       string         `json:"type"`
		X          int            `json:"x"`
		Y          int            `json:"y"`
		Width      int            `json:"width"`
		Height     int            `json:"height"`
		Properties bodyProperties `json:"properties"`
	}
	bodyProperties struct {
		Title   string              `json:"title"`
		Stat    string              `json:"stat"`
		Period  int                 `json:"period"`
		Metrics [][]json.RawMessage `json:"metrics"`
		YAxis   struct{ Left, Right struct{ Label string } }
	}
	bodyOptions struct {
		Label  string `json:"label"`
		Stat   string `json:"stat"`
		Period int    `json:"period"`
		YAxis  string `json:"yAxis"`
	}
)

var errRow = errors.New("a metric's row is a namespace, a name, pairs of a dimension and its value, and options")

// parse reads a dashboard's body.
func parse(name, text string) (Dashboard, error) {
	var b body
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		return Dashboard{}, fmt.Errorf("dashboard's body: %w", err)
	}
	d := Dashboard{Name: name}
	for _, w := range b.Widgets {
		if w.Type != "metric" {
			continue
		}
		widget := Widget{
			X: w.X, Y: w.Y, Width: w.Width, Height: w.Height, Title: w.Properties.Title,
			Left: w.Properties.YAxis.Left.Label, Right: w.Properties.YAxis.Right.Label,
		}
		for _, row := range w.Properties.Metrics {
			m, err := w.Properties.metric(row)
			if err != nil {
				return Dashboard{}, fmt.Errorf("widget %q: %w", w.Properties.Title, err)
			}
			widget.Metrics = append(widget.Metrics, m)
		}
		d.Widgets = append(d.Widgets, widget)
	}
	if len(d.Widgets) == 0 {
		return Dashboard{}, errors.New("the dashboard has no graph")
	}
	return d, nil
}

// metric reads one row. The short forms, "." and "…", and expressions are refused: they would be drawn wrong.
func (p bodyProperties) metric(row []json.RawMessage) (Metric, error) {
	options := bodyOptions{Stat: p.Stat, Period: p.Period}
	if n := len(row); n > 0 && len(row[n-1]) > 0 && row[n-1][0] == '{' {
		if err := json.Unmarshal(row[n-1], &options); err != nil {
			return Metric{}, err
		}
		row = row[:n-1]
	}
	words := make([]string, len(row))
	for i, item := range row {
		if err := json.Unmarshal(item, &words[i]); err != nil {
			return Metric{}, errRow
		}
	}
	if len(words) < 2 || len(words)%2 != 0 || slices.ContainsFunc(words, func(w string) bool { return strings.Trim(w, ".") == "" }) {
		return Metric{}, errRow
	}
	var dimensions []string
	for pair := range slices.Chunk(words[2:], 2) {
		dimensions = append(dimensions, pair[0]+"="+pair[1])
	}
	m := Metric{
		Key: KeyOf(words[0], words[1], dimensions...), Label: options.Label,
		Stat: options.Stat, Period: options.Period, Right: options.YAxis == "right",
	}
	if m.Label == "" {
		m.Label = words[1]
	}
	if m.Period < 1 || !isStat(m.Stat) {
		return Metric{}, fmt.Errorf("%s: stat %q over %d s is not drawn here", m.Key, m.Stat, m.Period)
	}
	return m, nil
}
