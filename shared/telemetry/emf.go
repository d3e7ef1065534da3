package telemetry

import (
	"cmp"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"sort"
	"sync"
	"time"
)

// Namespace is the CloudWatch namespace of all the relay's metrics.
const Namespace = "SMSRelay"

// NewEMF returns an Emit that writes CloudWatch's embedded metric format to w: one line of JSON for each value of a dimension,
// so one line if the measurements have no dimension. Each metric with a dimension is published twice: with the dimension and
// in total. now is the clock.
func NewEMF(w io.Writer, now func() time.Time) Emit {
	var mu sync.Mutex
	return func(measurements ...Measurement) {
		groups := map[Dimension][]Measurement{}
		for _, m := range measurements {
			groups[m.Dimension] = append(groups[m.Dimension], m)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, dimension := range sorted(slices.Collect(maps.Keys(groups))) {
			line, err := json.Marshal(document(dimension, groups[dimension], now()))
			if err != nil {
				continue // Strings and finite numbers always encode.
			}
			// A metric that cannot be written is lost; the work it measures is not undone.
			_, _ = w.Write(append(line, '\n'))
		}
	}
}

// sorted sorts in place. sort.Slice has no code of its own for each type: that would be 10 kB of each function.
func sorted(dimensions []Dimension) []Dimension {
	sort.Slice(dimensions, func(i, k int) bool {
		a, b := dimensions[i], dimensions[k]
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value)) < 0
	})
	return dimensions
}

// emfDirective is the "_aws" member.
type emfDirective struct {
	Timestamp         int64       `json:"Timestamp"`
	CloudWatchMetrics []emfMetric `json:"CloudWatchMetrics"`
}

type emfMetric struct {
	Namespace  string     `json:"Namespace"`
	Dimensions [][]string `json:"Dimensions"`
	Metrics    []emfName  `json:"Metrics"`
}

type emfName struct {
	Name string `json:"Name"`
	Unit Unit   `json:"Unit"`
}

// document builds one line: counts of the same name are added up, the values of distributions are listed.
func document(dimension Dimension, measurements []Measurement, at time.Time) map[string]any {
	doc := map[string]any{}
	var names []emfName
	for _, m := range measurements {
		switch earlier := doc[m.Name].(type) {
		case nil:
			names = append(names, emfName{Name: m.Name, Unit: m.Unit})
			doc[m.Name] = m.Value
		case float64:
			if m.Unit == Count {
				doc[m.Name] = earlier + m.Value
			} else {
				doc[m.Name] = []float64{earlier, m.Value}
			}
		case []float64:
			doc[m.Name] = append(earlier, m.Value)
		}
	}
	dimensions := [][]string{{}}
	if dimension.Name != "" {
		dimensions = append(dimensions, []string{dimension.Name})
		doc[dimension.Name] = dimension.Value
	}
	doc["_aws"] = emfDirective{
		Timestamp:         at.UnixMilli(),
		CloudWatchMetrics: []emfMetric{{Namespace: Namespace, Dimensions: dimensions, Metrics: names}},
	}
	return doc
}
