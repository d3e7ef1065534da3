package templates

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// root is the module's folder.
var root = filepath.Join("..", "..")

// template is template.yaml for one set of parameters: references to parameters and conditions are resolved, and
// references to resources stand in the long form, {"Ref": id} and {"Fn::GetAtt": "id.Attribute"}. Under "Values" are the
// parameters.
type template map[string]any

// object is one resource, function, event source or statement.
type object = map[string]any

func readTemplate(t *testing.T, parameters object) template {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parseTemplate(text, parameters)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func parseTemplate(text []byte, parameters object) (template, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, fmt.Errorf("parse template: %w", err)
	}
	whole := mapping(plain(document.Content[0]))
	values := object{}
	for name, p := range mapping(whole["Parameters"]) {
		values[name] = mapping(p)["Default"]
		if given, ok := parameters[name]; ok {
			values[name] = given
		}
	}
	r := resolver{values: values, conditions: mapping(whole["Conditions"]), mappings: mapping(whole["Mappings"])}
	resolved, _ := r.resolve(whole)
	parsed := mapping(resolved)
	parsed["Values"] = values
	return parsed, nil
}

// plain turns a YAML node into maps, lists and scalars, and CloudFormation's short tags into their long form.
func plain(n *yaml.Node) any {
	tag := n.ShortTag()
	if !strings.HasPrefix(tag, "!") || strings.HasPrefix(tag, "!!") {
		return untagged(n)
	}
	bare := *n
	bare.Tag = ""
	if n.Kind == yaml.ScalarNode {
		bare.Tag = "!!str"
	}
	name := strings.TrimPrefix(tag, "!")
	if name != "Ref" && name != "Condition" {
		name = "Fn::" + name
	}
	return object{name: untagged(&bare)}
}

func untagged(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		m := object{}
		for i := 0; i < len(n.Content); i += 2 {
			m[n.Content[i].Value] = plain(n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range n.Content {
			list = append(list, plain(item))
		}
		return list
	case yaml.ScalarNode, yaml.AliasNode, yaml.DocumentNode:
	}
	var v any
	if err := n.Decode(&v); err != nil {
		return n.Value
	}
	return v
}

// resolver puts parameters, conditions and mappings into effect.
type resolver struct{ values, conditions, mappings object }

// resolve returns v with its parameters filled in; keep is false for AWS::NoValue.
func (r resolver) resolve(v any) (resolved any, keep bool) {
	switch v := v.(type) {
	case object:
		return r.resolveObject(v)
	case []any:
		list := []any{}
		for _, item := range v {
			if item, keep := r.resolve(item); keep {
				list = append(list, item)
			}
		}
		return list, true
	default:
		return v, true
	}
}

func (r resolver) resolveObject(m object) (resolved any, keep bool) {
	if name, ok := m["Ref"].(string); ok {
		value, isParameter := r.values[name]
		if isParameter {
			return value, true
		}
		return m, name != "AWS::NoValue"
	}
	if branches, ok := m["Fn::If"].([]any); ok {
		if r.holds(r.conditions[expression(branches[0])]) {
			return r.resolve(branches[1])
		}
		return r.resolve(branches[2])
	}
	if keys, ok := m["Fn::FindInMap"].([]any); ok {
		return r.find(keys), true
	}
	if pattern, ok := m["Fn::Sub"].(string); ok {
		return object{"Fn::Sub": r.fill(pattern)}, true
	}
	object := object{}
	for key, item := range m {
		if item, keep := r.resolve(item); keep {
			object[key] = item
		}
	}
	return object, true
}

// find returns what a mapping has under its two keys, or nil.
func (r resolver) find(keys []any) any {
	var found any = r.mappings
	for _, key := range keys {
		key, _ := r.resolve(key)
		found = mapping(found)[expression(key)]
	}
	return found
}

func (r resolver) fill(pattern string) string {
	for name, value := range r.values {
		pattern = strings.ReplaceAll(pattern, "${"+name+"}", expression(value))
	}
	return pattern
}

// holds evaluates a condition made of Fn::Not and Fn::Equals, which is all that the template uses.
func (r resolver) holds(condition any) bool {
	c := mapping(condition)
	if operands, ok := c["Fn::Not"].([]any); ok {
		return !r.holds(operands[0])
	}
	operands, ok := c["Fn::Equals"].([]any)
	if !ok {
		panic(fmt.Sprintf("condition of an unknown kind: %v", condition))
	}
	left, _ := r.resolve(operands[0])
	right, _ := r.resolve(operands[1])
	return expression(left) == expression(right)
}

// resources returns the resources of one type.
func (t template) resources(kind string) map[string]object {
	found := map[string]object{}
	for id, resource := range mapping(t["Resources"]) {
		if text(resource, "Type") == kind {
			found[id] = mapping(resource)
		}
	}
	return found
}

// resource returns a resource's properties, or nil.
func (t template) resource(id string) object { return mapping(at(t, "Resources."+id+".Properties")) }

// functions returns the properties of all functions, with those of Globals that they do not set themselves.
func (t template) functions() map[string]object {
	functions := map[string]object{}
	for id, resource := range t.resources("AWS::Serverless::Function") {
		functions[id] = merged(mapping(at(t, "Globals.Function")), mapping(resource["Properties"]))
	}
	return functions
}

func merged(base, over object) object {
	m := maps.Clone(base)
	for key, value := range over {
		inner, both := m[key].(object)
		if m[key] = value; both {
			m[key] = merged(inner, mapping(value))
		}
	}
	return m
}

// events returns a function's event sources of one type, by name.
func events(function object, kind string) map[string]object {
	found := map[string]object{}
	for name, event := range mapping(function["Events"]) {
		if text(event, "Type") == kind {
			found[name] = mapping(mapping(event)["Properties"])
		}
	}
	return found
}

// at returns what stands at a path of keys separated by dots, or nil.
func at(v any, path string) any {
	for key := range strings.SplitSeq(path, ".") {
		v = mapping(v)[key]
	}
	return v
}

func mapping(v any) object {
	switch m := v.(type) {
	case object:
		return m
	case template:
		return m
	default:
		return nil
	}
}

// items returns a list, or the one item that may stand for it.
func items(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

func text(v any, path string) string { return expression(at(v, path)) }

func number(v any, path string) int {
	n, _ := at(v, path).(int)
	return n
}

func isTrue(v any, path string) bool {
	b, _ := at(v, path).(bool)
	return b
}

// expression writes a value in the language of Fn::Sub, in which each has one form: "${Queue.Arn}".
func expression(v any) string {
	m := mapping(v)
	switch {
	case v == nil:
		return ""
	case m["Ref"] != nil:
		return "${" + expression(m["Ref"]) + "}"
	case m["Fn::GetAtt"] != nil:
		return "${" + strings.Join(expressions(m["Fn::GetAtt"]), ".") + "}"
	case m["Fn::Sub"] != nil:
		return strings.Join(expressions(m["Fn::Sub"]), " ")
	default:
		return fmt.Sprint(v)
	}
}

func expressions(v any) []string {
	var list []string
	for _, item := range items(v) {
		list = append(list, expression(item))
	}
	return list
}

// sorted returns the keys of m in order, so that problems are always told in the same one.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
