package template

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Physical returns the value of a reference: for a resource's logical id, or a pseudo parameter such as AWS::Region, the
// name (attribute "") or an attribute; ok is false if there is no such thing.
type Physical func(logicalID, attribute string) (value string, ok bool)

// Resolve returns v, a part of the template, with every reference replaced by its value and the functions around
// them carried out. The error names a reference that has no value.
func (t *Template) Resolve(v any, physical Physical) (any, error) { return physical.value(v) }

func (p Physical) value(v any) (any, error) {
	switch v := v.(type) {
	case Object:
		return p.object(v)
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			var err error
			if list[i], err = p.value(item); err != nil {
				return nil, err
			}
		}
		return list, nil
	default:
		return v, nil
	}
}

func (p Physical) object(m Object) (any, error) {
	if len(m) == 1 {
		for name, argument := range m {
			if name == "Ref" {
				return p.named(Expression(argument), "")
			}
			if strings.HasPrefix(name, "Fn::") {
				return p.call(name, argument)
			}
		}
	}
	resolved := Object{}
	for _, key := range sorted(m) {
		value, err := p.value(m[key])
		if err != nil {
			return nil, err
		}
		resolved[key] = value
	}
	return resolved, nil
}

func (p Physical) named(id, attribute string) (string, error) {
	if value, ok := p(id, attribute); ok {
		return value, nil
	}
	return "", fmt.Errorf("nothing is known of %s", strings.TrimSuffix(id+"."+attribute, "."))
}

// call carries out an intrinsic function.
func (p Physical) call(name string, argument any) (any, error) {
	if name == "Fn::GetAtt" {
		id, attribute, _ := strings.Cut(strings.Join(expressions(argument), "."), ".")
		return p.named(id, attribute)
	}
	resolved, err := p.value(argument)
	if err != nil {
		return nil, err
	}
	parts, _ := resolved.([]any)
	switch {
	case name == "Fn::Sub" && len(parts) == 2:
		return p.substitute(Expression(parts[0]), object(parts[1]))
	case name == "Fn::Sub":
		return p.substitute(Expression(resolved), nil)
	case name == "Fn::Join" && len(parts) == 2:
		return strings.Join(expressions(parts[1]), Expression(parts[0])), nil
	case name == "Fn::Split" && len(parts) == 2:
		list := []any{}
		for part := range strings.SplitSeq(Expression(parts[1]), Expression(parts[0])) {
			list = append(list, part)
		}
		return list, nil
	case name == "Fn::Select" && len(parts) == 2:
		list, index := Items(parts[1]), Expression(parts[0])
		if i, err := strconv.Atoi(index); err == nil && i >= 0 && i < len(list) {
			return list[i], nil
		}
		return nil, fmt.Errorf("Fn::Select: there is no item %s", index)
	default:
		return nil, fmt.Errorf("%s is not carried out here", name)
	}
}

// reference finds ${…} in a pattern of Fn::Sub. "${!" is the way to write "${" itself.
var reference = regexp.MustCompile(`\$\{[^}]*\}`)

func (p Physical) substitute(pattern string, own Object) (string, error) {
	var failure error
	filled := reference.ReplaceAllStringFunc(pattern, func(found string) string {
		name := strings.TrimSpace(found[2 : len(found)-1])
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			return "${" + literal + "}"
		}
		if value, ok := own[name]; ok {
			return Expression(value)
		}
		id, attribute, _ := strings.Cut(name, ".")
		value, err := p.named(id, attribute)
		if err != nil && failure == nil {
			failure = err
		}
		return value
	})
	return filled, failure
}
