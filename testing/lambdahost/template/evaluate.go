package template

import (
	"fmt"
	"slices"
	"strings"
)

// evaluator puts parameters, conditions and mappings into effect.
type evaluator struct {
	values, conditions, mappings Object
	// deciding are the conditions that wait for the one at hand.
	deciding []string
}

// document evaluates everything but what says how to: parameters, conditions and mappings stay as they are.
func (e evaluator) document(whole Object) (Object, error) {
	parsed := Object{}
	for _, section := range sorted(whole) {
		switch section {
		case "Parameters", "Conditions", "Mappings":
			parsed[section] = whole[section]
			continue
		}
		parts, isMap := whole[section].(Object)
		if !isMap {
			parsed[section] = whole[section]
			continue
		}
		kept := Object{}
		for _, id := range sorted(parts) {
			if err := e.part(kept, id, parts[id]); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", section, id, err)
			}
		}
		parsed[section] = kept
	}
	return parsed, nil
}

// part evaluates one resource or output, unless its condition rules it out.
func (e evaluator) part(kept Object, id string, part any) error {
	if name, ok := object(part)["Condition"].(string); ok {
		holds, err := e.condition(name)
		if err != nil || !holds {
			return err
		}
	}
	value, keep, err := e.value(part)
	if keep && err == nil {
		kept[id] = value
	}
	return err
}

// value evaluates v; keep is false for AWS::NoValue.
func (e evaluator) value(v any) (value any, keep bool, err error) {
	switch v := v.(type) {
	case Object:
		return e.object(v)
	case []any:
		list := []any{}
		for _, item := range v {
			item, keep, err := e.value(item)
			if err != nil {
				return nil, false, err
			}
			if keep {
				list = append(list, item)
			}
		}
		return list, true, nil
	default:
		return v, true, nil
	}
}

func (e evaluator) object(m Object) (value any, keep bool, err error) {
	if name, ok := m["Ref"].(string); ok && len(m) == 1 {
		if value, isParameter := e.values[name]; isParameter {
			return value, true, nil
		}
		return m, name != "AWS::NoValue", nil
	}
	if branches, ok := m["Fn::If"].([]any); ok && len(branches) == 3 {
		holds, err := e.condition(Expression(branches[0]))
		if err != nil {
			return nil, false, err
		}
		if holds {
			return e.value(branches[1])
		}
		return e.value(branches[2])
	}
	if keys, ok := m["Fn::FindInMap"].([]any); ok {
		value, err := e.find(keys)
		return value, true, err
	}
	if pattern, ok := m["Fn::Sub"].(string); ok {
		return Object{"Fn::Sub": e.substitute(pattern, nil)}, true, nil
	}
	evaluated := Object{}
	for _, key := range sorted(m) {
		item, keep, err := e.value(m[key])
		if err != nil {
			return nil, false, err
		}
		if keep {
			evaluated[key] = item
		}
	}
	if parts, ok := evaluated["Fn::Sub"].([]any); ok && len(parts) == 2 {
		evaluated["Fn::Sub"] = []any{e.substitute(Expression(parts[0]), object(parts[1])), parts[1]}
	}
	return evaluated, true, nil
}

// find returns what a mapping has under its two keys.
func (e evaluator) find(keys []any) (any, error) {
	var found any = e.mappings
	for _, key := range keys {
		key, _, err := e.value(key)
		if err != nil {
			return nil, err
		}
		next, ok := object(found)[Expression(key)]
		if !ok {
			return nil, fmt.Errorf("no mapping has %q", expressions(keys))
		}
		found = next
	}
	return found, nil
}

// substitute fills parameters into a pattern of Fn::Sub, but for names that the pattern has of its own. What a parameter's
// value says is not read again: "${" in it is text.
func (e evaluator) substitute(pattern string, own Object) string {
	return reference.ReplaceAllStringFunc(pattern, func(found string) string {
		name := strings.TrimSpace(found[2 : len(found)-1])
		value, isParameter := e.values[name]
		if _, hidden := own[name]; hidden || !isParameter {
			return found
		}
		return strings.ReplaceAll(Expression(value), "${", "${!")
	})
}

// condition decides a named condition.
func (e evaluator) condition(name string) (bool, error) {
	definition, ok := e.conditions[name]
	if !ok {
		return false, fmt.Errorf("there is no condition %s", name)
	}
	if slices.Contains(e.deciding, name) {
		return false, fmt.Errorf("condition %s depends on itself", name)
	}
	e.deciding = append(slices.Clone(e.deciding), name)
	return e.holds(definition)
}

// operand evaluates what a condition compares. It is known before any resource is there, so that a reference to one, or to
// what only the account knows, is an error: compared as it is it would equal nothing.
func (e evaluator) operand(v any) (string, error) {
	value, _, err := e.value(v)
	if err != nil {
		return "", err
	}
	nothing := Physical(func(string, string) (string, bool) { return "", false })
	if value, err = nothing.value(value); err != nil {
		return "", fmt.Errorf("condition: %w", err)
	}
	return Expression(value), nil
}

// holds decides a condition made of Fn::Equals, Fn::Not, Fn::And, Fn::Or and names of others.
func (e evaluator) holds(definition any) (bool, error) {
	c := object(definition)
	if name, ok := c["Condition"].(string); ok {
		return e.condition(name)
	}
	if operands, ok := c["Fn::Equals"].([]any); ok && len(operands) == 2 {
		left, err := e.operand(operands[0])
		if err != nil {
			return false, err
		}
		right, err := e.operand(operands[1])
		return left == right, err
	}
	if operands, ok := c["Fn::Not"].([]any); ok && len(operands) == 1 {
		holds, err := e.holds(operands[0])
		return !holds, err
	}
	for _, junction := range []struct {
		name string
		// ends is the operand that decides.
		ends bool
	}{{"Fn::And", false}, {"Fn::Or", true}} {
		operands, ok := c[junction.name].([]any)
		if !ok {
			continue
		}
		for _, operand := range operands {
			if holds, err := e.holds(operand); err != nil || holds == junction.ends {
				return holds, err
			}
		}
		return !junction.ends, nil
	}
	return false, fmt.Errorf("condition of an unknown kind: %v", definition)
}
