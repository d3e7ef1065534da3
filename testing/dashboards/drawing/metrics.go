package drawing

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Metrics are the values of a run.
type Metrics struct {
	samples map[Key][]sample
	// Lines counts the lines with metrics, Skipped the others.
	Lines, Skipped int
}

// sample is one value at its time.
type sample struct {
	at    time.Time
	value float64
}

// directive is the "_aws" member of a line in CloudWatch's embedded metric format.
type directive struct {
	Timestamp         int64 `json:"Timestamp"`
	CloudWatchMetrics []struct {
		Namespace  string                  `json:"Namespace"`
		Dimensions [][]string              `json:"Dimensions"`
		Metrics    []struct{ Name string } `json:"Metrics"`
	} `json:"CloudWatchMetrics"`
}

// maxLine is the longest line that is read. CloudWatch keeps none that is longer than 1 MiB.
const maxLine = 1 << 20

// ReadMetrics reads lines in the embedded metric format, as functions print them among the lines of their log, and adds
// them to what is there. A line that is something else is skipped.
func (m *Metrics) ReadMetrics(r io.Reader) error {
	if m.samples == nil {
		m.samples = map[Key][]sample{}
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		line := bytes.TrimSpace(lines.Bytes())
		switch {
		case len(line) == 0:
		case m.add(line):
			m.Lines++
		default:
			m.Skipped++
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("line %d is longer than %d bytes", m.Lines+m.Skipped+1, maxLine)
	}
	return lines.Err()
}

// add takes a line in, and reports whether it had a metric.
func (m *Metrics) add(line []byte) bool {
	var members map[string]json.RawMessage
	if json.Unmarshal(line, &members) != nil {
		return false
	}
	var d directive
	if json.Unmarshal(members["_aws"], &d) != nil || d.Timestamp <= 0 {
		return false
	}
	added := false
	for _, one := range d.CloudWatchMetrics {
		for _, set := range one.Dimensions {
			dimensions, ok := dimensionsOf(set, members)
			for _, metric := range one.Metrics {
				values := valuesOf(members[metric.Name])
				if !ok || len(values) == 0 {
					continue
				}
				key := KeyOf(one.Namespace, metric.Name, slices.Clone(dimensions)...)
				for _, value := range values {
					m.samples[key] = append(m.samples[key], sample{time.UnixMilli(d.Timestamp).UTC(), value})
				}
				added = true
			}
		}
	}
	return added
}

// dimensionsOf returns a set of dimensions with their values. ok is false if one has none: then CloudWatch has no metric.
func dimensionsOf(set []string, members map[string]json.RawMessage) (dimensions []string, ok bool) {
	for _, name := range set {
		var value string
		if json.Unmarshal(members[name], &value) != nil || value == "" {
			return nil, false
		}
		dimensions = append(dimensions, name+"="+value)
	}
	return dimensions, true
}

// valuesOf reads a number or a list of numbers.
func valuesOf(member json.RawMessage) []float64 {
	var values []float64
	if json.Unmarshal(member, &values) == nil {
		return values
	}
	var value float64
	if json.Unmarshal(member, &value) != nil {
		return nil
	}
	return []float64{value}
}

// Keys returns the metrics that there are, in order.
func (m *Metrics) Keys() []Key {
	keys := make([]Key, 0, len(m.samples))
	for key := range m.samples {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b Key) int {
		return slices.Compare([]string{a.Namespace, a.Name, a.Dimensions}, []string{b.Namespace, b.Name, b.Dimensions})
	})
	return keys
}
