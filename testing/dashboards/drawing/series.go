package drawing

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Graph is a widget with its lines.
type Graph struct {
	Title  string   `json:"title"`
	Series []Series `json:"series"`

	widget Widget
}

// HasData reports whether there is anything to draw.
func (g Graph) HasData() bool {
	return slices.ContainsFunc(g.Series, func(s Series) bool { return len(s.Points) > 0 })
}

// Series is one line of a graph.
type Series struct {
	Label      string  `json:"label"`
	Namespace  string  `json:"namespace"`
	Name       string  `json:"metric"`
	Dimensions string  `json:"dimensions,omitempty"`
	Stat       string  `json:"stat"`
	Period     int     `json:"period_seconds"`
	Points     []Point `json:"points"`

	right bool
}

// Point is the value of one period, at its beginning.
type Point struct {
	Time  time.Time `json:"time"`
	Value float64   `json:"value"`
}

// Graphs returns the dashboard's graphs of the metrics.
func (d Dashboard) Graphs(m *Metrics) []Graph {
	graphs := make([]Graph, 0, len(d.Widgets))
	for _, w := range d.Widgets {
		g := Graph{Title: w.Title, widget: w}
		for _, metric := range w.Metrics {
			g.Series = append(g.Series, Series{
				Label: metric.Label, Namespace: metric.Namespace, Name: metric.Name, Dimensions: metric.Dimensions,
				Stat: metric.Stat, Period: metric.Period, Points: aggregate(m.samples[metric.Key], metric.Stat, metric.Period), right: metric.Right,
			})
		}
		graphs = append(graphs, g)
	}
	return graphs
}

// aggregate makes one value of those of each period. Periods without a value have no point.
func aggregate(samples []sample, stat string, period int) []Point {
	periods := map[int64][]float64{}
	for _, s := range samples {
		start := s.at.Unix() - s.at.Unix()%int64(period)
		periods[start] = append(periods[start], s.value)
	}
	points := make([]Point, 0, len(periods))
	for _, start := range slices.Sorted(maps.Keys(periods)) {
		points = append(points, Point{time.Unix(start, 0).UTC(), statOf(stat, periods[start])})
	}
	return points
}

// isStat reports whether statOf knows the statistic.
func isStat(stat string) bool {
	switch stat {
	case "Sum", "Average", "Minimum", "Maximum", "SampleCount":
		return true
	}
	_, ok := percentile(stat)
	return ok
}

// percentile reads p50, p99.9 and the like.
func percentile(stat string) (float64, bool) {
	digits, found := strings.CutPrefix(stat, "p")
	p, err := strconv.ParseFloat(digits, 64)
	return p, found && err == nil && p > 0 && p <= 100
}

// statOf makes one value of several, by CloudWatch's name of how. A percentile is the smallest of the values that as many
// of them do not exceed; CloudWatch, which keeps no single values, interpolates.
func statOf(stat string, values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	switch stat {
	case "Sum":
		return sum
	case "Average":
		return sum / float64(len(values))
	case "Minimum":
		return slices.Min(values)
	case "Maximum":
		return slices.Max(values)
	case "SampleCount":
		return float64(len(values))
	}
	p, _ := percentile(stat)
	ordered := slices.Sorted(slices.Values(values))
	rank := int(math.Ceil(p / 100 * float64(len(ordered))))
	return ordered[max(rank, 1)-1]
}
