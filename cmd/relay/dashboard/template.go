package dashboard

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Template is a SAM template, read for the names in it. Conditions are not decided: everything counts as there.
type Template struct {
	values    map[string]string
	resources map[string]resource
}

// resource is one resource as it stands in the template.
type resource struct {
	Type       string    `yaml:"Type"`
	Properties yaml.Node `yaml:"Properties"`
}

// ReadTemplate reads a template. parameters are the stack's, the others have their defaults; so have AWS::StackName and
// the other pseudo parameters, which can be given as well.
func ReadTemplate(text []byte, parameters map[string]string) (*Template, error) {
	var whole struct {
		Parameters map[string]struct {
			Default string `yaml:"Default"`
		} `yaml:"Parameters"`
		Resources map[string]resource `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &whole); err != nil {
		return nil, fmt.Errorf("parse template: %w", err)
	}
	values := map[string]string{"AWS::StackName": "relay", "AWS::Region": "region", "AWS::AccountId": "account", "AWS::Partition": "aws"}
	for name, p := range whole.Parameters {
		values[name] = p.Default
	}
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		if _, ok := values[name]; !ok {
			return nil, fmt.Errorf("the template has no parameter %s", name)
		}
		values[name] = parameters[name]
	}
	return &Template{values: values, resources: whole.Resources}, nil
}

// Resources returns the properties of the resources of one type, by logical id. A reference in them stands for a name: see
// Dashboard.
func (t *Template) Resources(kind string) map[string]map[string]any {
	found := map[string]map[string]any{}
	for id, r := range t.resources {
		if properties, ok := t.value(&r.Properties).(map[string]any); ok && r.Type == kind {
			found[id] = properties
		}
	}
	return found
}

// Dashboard returns the template's one dashboard. A reference to a queue's QueueName, a table or a log group stands for the
// name that the template gives it; one to anything else, which AWS names, for its logical id: the metrics of the
// SenderFunction have the dimension FunctionName=SenderFunction.
func (t *Template) Dashboard() (Dashboard, error) {
	dashboards := t.Resources("AWS::CloudWatch::Dashboard")
	if len(dashboards) != 1 {
		return Dashboard{}, fmt.Errorf("the template has %d dashboards, want one", len(dashboards))
	}
	for _, properties := range dashboards {
		name, _ := properties["DashboardName"].(string)
		if text, ok := properties["DashboardBody"].(string); ok {
			return parse(name, text)
		}
	}
	return Dashboard{}, errors.New("the dashboard has no body")
}

// value reads a part of the template, with the references in it carried out.
func (t *Template) value(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			m[n.Content[i].Value] = t.value(n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range n.Content {
			list = append(list, t.value(item))
		}
		return list
	case yaml.ScalarNode, yaml.AliasNode, yaml.DocumentNode:
	}
	switch n.ShortTag() {
	case "!Ref", "!GetAtt":
		return t.named(n.Value)
	case "!Sub":
		return reference.ReplaceAllStringFunc(n.Value, func(found string) string { return t.named(found[2 : len(found)-1]) })
	}
	var v any
	if err := n.Decode(&v); err != nil {
		return n.Value
	}
	return v
}

// reference finds ${…} in a pattern of Fn::Sub.
var reference = regexp.MustCompile(`\$\{[A-Za-z0-9:.]+\}`)

// named returns what a reference stands for.
func (t *Template) named(name string) string {
	if value, ok := t.values[name]; ok {
		return value
	}
	id, attribute, _ := strings.Cut(name, ".")
	if attribute == "" {
		attribute = map[string]string{"AWS::DynamoDB::Table": "TableName", "AWS::Logs::LogGroup": "LogGroupName"}[t.resources[id].Type]
	}
	properties := t.resources[id].Properties
	for i := 0; i+1 < len(properties.Content); i += 2 {
		if properties.Content[i].Value == attribute {
			if value, ok := t.value(properties.Content[i+1]).(string); ok {
				return value
			}
		}
	}
	return name
}
