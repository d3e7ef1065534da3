package templates

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	cfn "quickdumpnow.com/smsrelay/testing/lambdahost/template"
)

// root is the module's folder.
var root = filepath.Join("..", "..")

// template is template.yaml for one set of parameters: references to parameters and conditions are resolved, and
// references to resources are in the long form, {"Ref": id} and {"Fn::GetAtt": "id.Attribute"}, also where the template
// names a table by its parameter. Under "Values" are the parameters.
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
	parsed, err := cfn.Parse(text, parameters)
	if err != nil {
		return nil, err
	}
	whole := template(parsed.Whole)
	whole.asResources()
	return whole, nil
}

// clone returns a copy that shares nothing with t: to read the file again takes ten times as long.
func (t template) clone() template { return mapping(cloned(object(t))) }

func cloned(v any) any {
	switch v := v.(type) {
	case object:
		copied := make(object, len(v))
		for key, value := range v {
			copied[key] = cloned(value)
		}
		return copied
	case []any:
		copied := make([]any, len(v))
		for i, value := range v {
			copied[i] = cloned(value)
		}
		return copied
	default:
		return v
	}
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

func merged(base, over object) object { return cfn.Merged(base, over) }

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

// at returns what is at a path of keys separated by dots, or nil.
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

// items returns a list, or the one item that may be written in its place.
func items(v any) []any { return cfn.Items(v) }

func text(v any, path string) string { return expression(at(v, path)) }

func number(v any, path string) int {
	n, _ := at(v, path).(int)
	return n
}

func isTrue(v any, path string) bool {
	b, _ := at(v, path).(bool)
	return b
}

// expression writes a value in the language of Fn::Sub.
func expression(v any) string { return cfn.Expression(v) }

func expressions(v any) []string {
	var list []string
	for _, item := range items(v) {
		list = append(list, expression(item))
	}
	return list
}

// sorted returns the keys of m in order, so that problems are always told in the same one.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
