package drawing

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"quickdumpnow.com/smsrelay/testing/lambdahost/template"
)

// Template is a SAM template, read for the names in it. Conditions are not decided: everything counts as there.
type Template struct {
	whole *template.Template
	// values are those of the parameters, and of CloudFormation's pseudo parameters.
	values map[string]string
}

// ReadTemplate reads a template. parameters are the stack's, the others have their defaults; so have AWS::StackName and
// the other pseudo parameters, which can be given as well.
func ReadTemplate(text []byte, parameters map[string]string) (*Template, error) {
	whole, err := template.Read(text)
	if err != nil {
		return nil, err
	}
	values := map[string]string{"AWS::StackName": "relay", "AWS::Region": "region", "AWS::AccountId": "account", "AWS::Partition": "aws"}
	declared, _ := whole.Whole["Parameters"].(template.Object)
	for name, p := range declared {
		parameter, _ := p.(template.Object)
		values[name] = template.Expression(parameter["Default"])
	}
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		if _, ok := values[name]; !ok {
			return nil, fmt.Errorf("the template has no parameter %s", name)
		}
		values[name] = parameters[name]
	}
	return &Template{whole: whole, values: values}, nil
}

// Resources returns the properties of the resources of one type, by logical id. A reference in them means a name: see
// Dashboard.
func (t *Template) Resources(kind string) (map[string]map[string]any, error) {
	found := map[string]map[string]any{}
	for id, r := range t.whole.Resources(kind) {
		resolved, err := t.whole.Resolve(r.Properties, t.named)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
		found[id], _ = resolved.(template.Object)
	}
	return found, nil
}

// Dashboard returns the template's one dashboard. A reference to a queue's QueueName, a table or a log group means the
// name that the template gives it; one to anything else, which AWS names, for its logical id: the metrics of the
// SenderFunction have the dimension FunctionName=SenderFunction.
func (t *Template) Dashboard() (Dashboard, error) {
	dashboards, err := t.Resources("AWS::CloudWatch::Dashboard")
	if err != nil {
		return Dashboard{}, err
	}
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

// named returns what a reference means; there is always something.
func (t *Template) named(id, attribute string) (string, bool) {
	if value, ok := t.values[id]; ok {
		return value, true
	}
	resource, _ := t.whole.Resource(id)
	of := attribute
	if of == "" {
		of = map[string]string{"AWS::DynamoDB::Table": "TableName", "AWS::Logs::LogGroup": "LogGroupName"}[resource.Type]
	}
	if property, ok := resource.Properties[of]; ok {
		if value, err := t.whole.Resolve(property, t.named); err == nil {
			return template.Expression(value), true
		}
	}
	if attribute != "" {
		id += "." + attribute
	}
	return id, true
}
