// Package template reads a SAM template as CloudFormation does: it checks and fills in parameters, decides conditions,
// evaluates intrinsic functions and leaves out what a condition rules out. References to resources stay until Resolve is
// told their values. It knows the intrinsic functions that the relay's template uses, and refuses any other.
package template

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Object is a part of a template: one resource's properties, one statement.
type Object = map[string]any

// Template is a template for one set of parameters. In it references to parameters, conditions and mappings are resolved;
// references to resources are in the long form, {"Ref": id} and {"Fn::GetAtt": "id.Attribute"} or a list of both.
type Template struct {
	// Whole is the whole document, with the parameters' values under "Values".
	Whole Object
}

// Resource is one resource.
type Resource struct {
	Type string
	// Properties are resolved but for references to resources.
	Properties Object
	// DependsOn names resources that have to be there first.
	DependsOn []string
	// Condition is the condition that let it in, "" if it needs none.
	Condition string
}

// Read reads a template and decides nothing: everything in it is there, with every reference in its long form.
func Read(text []byte) (*Template, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, fmt.Errorf("parse template: %w", err)
	}
	if len(document.Content) == 0 {
		return nil, errors.New("parse template: it is empty")
	}
	return &Template{Whole: object(plain(document.Content[0]))}, nil
}

// Parse reads a template. parameters are the stack's; the others have their defaults. The error names every parameter that is
// unknown, missing or not allowed.
func Parse(text []byte, parameters map[string]any) (*Template, error) {
	read, err := Read(text)
	if err != nil {
		return nil, err
	}
	whole := read.Whole
	values, err := fill(object(whole["Parameters"]), parameters)
	if err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	e := evaluator{values: values, conditions: object(whole["Conditions"]), mappings: object(whole["Mappings"])}
	parsed, err := e.document(whole)
	if err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	parsed["Values"] = values
	return &Template{Whole: parsed}, nil
}

// All returns all resources by logical id.
func (t *Template) All() map[string]Resource {
	all := map[string]Resource{}
	for id, r := range object(t.Whole["Resources"]) {
		all[id] = resourceOf(r)
	}
	return all
}

// Resources returns the resources of one type by logical id.
func (t *Template) Resources(kind string) map[string]Resource {
	all := t.All()
	maps.DeleteFunc(all, func(_ string, r Resource) bool { return r.Type != kind })
	return all
}

// Resource returns the resource of that logical id; ok is false if there is none.
func (t *Template) Resource(id string) (r Resource, ok bool) {
	found, ok := object(t.Whole["Resources"])[id]
	return resourceOf(found), ok
}

func resourceOf(v any) Resource {
	r := Resource{
		Type: Expression(object(v)["Type"]), Properties: object(object(v)["Properties"]), Condition: Expression(object(v)["Condition"]),
	}
	for _, id := range Items(object(v)["DependsOn"]) {
		r.DependsOn = append(r.DependsOn, Expression(id))
	}
	return r
}

// Functions returns the properties of all functions, with those of Globals that they do not set themselves.
func (t *Template) Functions() map[string]Object {
	functions := map[string]Object{}
	for id, r := range t.Resources("AWS::Serverless::Function") {
		functions[id] = Merged(object(object(t.Whole["Globals"])["Function"]), r.Properties)
	}
	return functions
}

// Merged returns base with what over says, map by map.
func Merged(base, over Object) Object {
	m := Object{}
	maps.Copy(m, base)
	for key, value := range over {
		inner, both := m[key].(Object)
		if m[key] = value; both {
			m[key] = Merged(inner, object(value))
		}
	}
	return m
}

// Items returns a list, or the one item that may be written in its place.
func Items(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

// Expression writes a value in the language of Fn::Sub, in which each has one form: "${Queue.Arn}".
func Expression(v any) string {
	m := object(v)
	switch {
	case v == nil:
		return ""
	case m["Ref"] != nil:
		return "${" + Expression(m["Ref"]) + "}"
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
	for _, item := range Items(v) {
		list = append(list, Expression(item))
	}
	return list
}

func object(v any) Object {
	m, _ := v.(Object)
	return m
}

// sorted returns the keys of m in order, so that problems are always told in the same one.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
