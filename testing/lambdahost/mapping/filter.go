package mapping

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Filter decides which records of a stream the function is given; those that it does not want count as done. The zero value wants all.
type Filter struct{ pattern any }

// ParseFilter reads the pattern of a filter. Of Lambda's syntax it knows what the template uses: an object for each level, and at its
// end a list of beginnings, [{"prefix": "…"}].
func ParseFilter(pattern string) (Filter, error) {
	var f Filter
	if err := json.Unmarshal([]byte(pattern), &f.pattern); err != nil {
		return Filter{}, fmt.Errorf("filter pattern: %w", err)
	}
	return f, checkPattern(f.pattern)
}

func checkPattern(pattern any) error {
	switch p := pattern.(type) {
	case map[string]any:
		for _, inner := range p {
			if err := checkPattern(inner); err != nil {
				return err
			}
		}
		return nil
	case []any:
		for _, condition := range p {
			if _, ok := prefixOf(condition); !ok {
				return fmt.Errorf("filter pattern: nothing is known of the condition %v", condition)
			}
		}
		return nil
	default:
		return fmt.Errorf("filter pattern: %v is neither an object nor a list", pattern)
	}
}

// prefixOf returns the beginning that a condition asks for.
func prefixOf(condition any) (prefix string, ok bool) {
	fields, _ := condition.(map[string]any)
	prefix, ok = fields["prefix"].(string)
	return prefix, ok && len(fields) == 1
}

// wanted returns the records of a batch that the function is given.
func (f Filter) wanted(batch []Record) []Record {
	if f.pattern == nil {
		return batch
	}
	var wanted []Record
	for _, record := range batch {
		var value any
		if err := json.Unmarshal(record.Text, &value); err == nil && matches(f.pattern, value) {
			wanted = append(wanted, record)
		}
	}
	return wanted
}

func matches(pattern, value any) bool {
	if conditions, ok := pattern.([]any); ok {
		text, isText := value.(string)
		for _, condition := range conditions {
			if prefix, _ := prefixOf(condition); isText && strings.HasPrefix(text, prefix) {
				return true
			}
		}
		return false
	}
	fields, _ := value.(map[string]any)
	levels, _ := pattern.(map[string]any)
	for name, inner := range levels {
		if !matches(inner, fields[name]) {
			return false
		}
	}
	return true
}
