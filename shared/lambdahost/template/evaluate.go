package template

import (
	"fmt"
	"strings"
)

// evaluator puts parameters, conditions and mappings into effect.
type evaluator struct{ values, conditions, mappings Object }

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

// substitute fills parameters into a pattern of Fn::Sub, but for names that the pattern has of its own.
func (e evaluator) substitute(pattern string, own Object) string {
	for name, value := range e.values {
		if _, hidden := own[name]; !hidden {
			pattern = strings.ReplaceAll(pattern, "${"+name+"}", Expression(value))
		}
	}
	return pattern
}

// condition decides a named condition.
func (e evaluator) condition(name string) (bool, error) {
	definition, ok := e.conditions[name]
	if !ok {
		return false, fmt.Errorf("there is no condition %s", name)
	}
	return e.holds(definition)
}

// holds decides a condition made of Fn::Equals, Fn::Not, Fn::And, Fn::Or and names of others.
func (e evaluator) holds(definition any) (bool, error) {
	c := object(definition)
	if name, ok := c["Condition"].(string); ok {
		return e.condition(name)
	}
	if operands, ok := c["Fn::Equals"].([]any); ok && len(operands) == 2 {
		left, _, err := e.value(operands[0])
		if err != nil {
			return false, err
		}
		right, _, err := e.value(operands[1])
		return Expression(left) == Expression(right), err
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
