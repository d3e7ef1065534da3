package template

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

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
	return Object{name: untagged(&bare)}
}

func untagged(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		m := Object{}
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
