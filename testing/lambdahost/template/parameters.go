package template

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// fill returns the values of all parameters. A list may be given as one, or as a string with commas, as CloudFormation takes
// it; it comes as a list.
func fill(declared Object, given map[string]any) (Object, error) {
	var problems []error
	for _, name := range sorted(given) {
		if declared[name] == nil {
			problems = append(problems, fmt.Errorf("there is no parameter %s", name))
		}
	}
	values := Object{}
	for _, name := range sorted(declared) {
		p := object(declared[name])
		value, ok := given[name]
		if !ok {
			value, ok = p["Default"]
		}
		if !ok {
			problems = append(problems, fmt.Errorf("parameter %s is not set and has no default", name))
			continue
		}
		text := strings.Join(expressions(value), ",")
		if err := allowed(p, text); err != nil {
			problems = append(problems, fmt.Errorf("parameter %s: %w", name, err))
		}
		if Expression(p["Type"]) == "CommaDelimitedList" {
			value = listOf(text)
		}
		values[name] = value
	}
	return values, errors.Join(problems...)
}

func listOf(text string) []any {
	list := []any{}
	for part := range strings.SplitSeq(text, ",") {
		list = append(list, strings.TrimSpace(part))
	}
	return list
}

// allowed holds a value against what the parameter says of it.
func allowed(p Object, value string) error {
	if pattern := Expression(p["AllowedPattern"]); pattern != "" {
		form, err := regexp.Compile("^(?:" + pattern + ")$")
		if err != nil {
			return fmt.Errorf("its AllowedPattern: %w", err)
		}
		if !form.MatchString(value) {
			return fmt.Errorf("%q should be %s", value, strings.TrimSuffix(Expression(p["ConstraintDescription"]), "."))
		}
	}
	if list := expressions(p["AllowedValues"]); len(list) > 0 && !slices.Contains(list, value) {
		return fmt.Errorf("%q is not one of %s", value, strings.Join(list, ", "))
	}
	return within(p, value)
}

func within(p Object, value string) error {
	if Expression(p["Type"]) != "Number" {
		return nil
	}
	n, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return fmt.Errorf("%q is no number", value)
	}
	if least, err := strconv.ParseFloat(Expression(p["MinValue"]), 64); err == nil && n < least {
		return fmt.Errorf("%s is less than %v", value, least)
	}
	if most, err := strconv.ParseFloat(Expression(p["MaxValue"]), 64); err == nil && n > most {
		return fmt.Errorf("%s is more than %v", value, most)
	}
	return nil
}
