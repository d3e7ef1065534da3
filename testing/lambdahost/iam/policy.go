// Package iam plays the part of IAM for functions that run on this machine: it has the address of all services,
// knows each function by its access key, checks every call against the function's policies, answers those that are not
// allowed as the service would, passes the others on, and counts them. It checks no signatures. What it does not understand
// it refuses: policies with conditions, and calls if it cannot tell what they ask for.
package iam

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Statement is one statement of a policy. Resources and actions may have the wildcards * and ?.
type Statement struct {
	Effect   string
	Action   oneOrMore
	Resource oneOrMore
	// Condition is here to be refused.
	Condition json.RawMessage `json:",omitempty"`
}

// oneOrMore is a list that a policy may write as its only item.
type oneOrMore []string

// UnmarshalJSON reads either form.
func (l *oneOrMore) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*l = oneOrMore{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(l))
}

var errCondition = errors.New("a statement has a condition, which is not understood here")

// check returns why a statement is not understood, or nil.
func (s Statement) check() error {
	switch {
	case len(s.Condition) > 0:
		return errCondition
	case s.Effect != "Allow" && s.Effect != "Deny":
		return fmt.Errorf("a statement's Effect is %q", s.Effect)
	case len(s.Action) == 0 || len(s.Resource) == 0:
		return errors.New("a statement has no Action or no Resource")
	default:
		return nil
	}
}

// matches reports whether the statement is about an action on a resource. In actions, the case of letters does not matter.
func (s Statement) matches(action, resource string) bool {
	action = strings.ToLower(action)
	about := func(pattern string) bool { return like(strings.ToLower(pattern), action) }
	on := func(pattern string) bool { return like(pattern, resource) }
	return slices.ContainsFunc(s.Action, about) && slices.ContainsFunc(s.Resource, on)
}

// like reports whether text has the form of a pattern with the wildcards * (any text) and ? (one character). Each call of
// each function asks it of each statement, so that nothing is compiled or allocated for it.
func like(pattern, text string) bool {
	// star is where the last * is, and resume where the text goes on if that * matches one character more.
	star, resume := -1, 0
	p, t := 0, 0
	for t < len(text) {
		_, size := utf8.DecodeRuneInString(text[t:])
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, resume = p, t
			p++
		case p < len(pattern) && pattern[p] == '?':
			p, t = p+1, t+size
		case p < len(pattern) && pattern[p] == text[t]:
			p, t = p+1, t+1
		case star >= 0:
			_, size := utf8.DecodeRuneInString(text[resume:])
			resume += size
			p, t = star+1, resume
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// allows reports whether the statements allow an action on a resource: one does, and none denies it.
func allows(statements []Statement, action, resource string) bool {
	allowed := false
	for _, s := range statements {
		if s.matches(action, resource) {
			if s.Effect == "Deny" {
				return false
			}
			allowed = true
		}
	}
	return allowed
}

// Permission is one action that a principal may do with one resource, as its policy writes them.
type Permission struct{ Principal, Action, Resource string }

// permissions lists what a principal's statements allow.
func permissions(principal string, statements []Statement) []Permission {
	var list []Permission
	for _, s := range statements {
		if s.Effect != "Allow" {
			continue
		}
		for _, action := range s.Action {
			for _, resource := range s.Resource {
				list = append(list, Permission{Principal: principal, Action: action, Resource: resource})
			}
		}
	}
	return list
}
