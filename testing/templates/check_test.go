package templates

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// check finds what is wrong with one part of the template.
type check struct {
	name string
	find func(t template, c code, report reporter)
	// mutations are changes of the template. The check has to find each of them.
	mutations []mutation
}

// reporter gets one problem.
type reporter func(format string, args ...any)

// mutation is one mistake in the template.
type mutation struct {
	name  string
	apply func(t template)
}

// always are the checks whose mistakes show in the variant "all parameters".
func always() []check {
	return slices.Concat(functionChecks(), sourceChecks(), queueChecks(), tableChecks(), logChecks(), policyChecks(), apiChecks(),
		surfaceChecks(), deliveryChecks(), seedingChecks(), alarmChecks(), viewChecks(), parameterChecks())
}

// sometimes are the checks whose mistakes show in another variant, by that variant.
func sometimes() map[string][]check {
	return map[string][]check{"existing tables": existingChecks(), "a domain": domainChecks(), "receipts off": optionChecks()}
}

func checks() []check {
	all := always()
	for _, variant := range sorted(sometimes()) {
		all = append(all, sometimes()[variant]...)
	}
	return all
}

func (c check) problems(t template, with code) []string {
	var problems []string
	c.find(t, with, func(format string, args ...any) {
		problems = append(problems, fmt.Sprintf(format, args...))
	})
	return problems
}

// variants are sets of parameters: as few as possible, and all.
func variants() map[string]object {
	few := object{
		"TwilioAccountSid":         "AC00000000000000000000000000000000",
		"TwilioAuthTokenSecretArn": "arn:aws:secretsmanager:us-east-1:000000000000:secret:twilio/token-AbCdEf",
	}
	all := merged(few, object{
		"TwilioApiKeySecretArn": "arn:aws:secretsmanager:us-east-1:000000000000:secret:twilio/key-AbCdEf",
		"TwilioApiBaseUrl":      "https://twilio.example.com",
		"TwilioSecretsKeyArn":   "arn:aws:kms:us-east-1:000000000000:key/00000000-0000-0000-0000-000000000000",
		"PublicBaseUrl":         "https://sms.example.com",
		"SenderConcurrency":     4,
		"AlarmEmail":            "alarms@example.com",
		"SeedBucket":            "seed-bucket",
		"SeedVersion":           "2026-11-26",
	})
	byID := merged(few, object{"SeedBucket": "seed-bucket", "SeedKey": "a/b.json", "SeedVersion": "v.1", "SeedByVersionId": "true"})
	return map[string]object{
		"few parameters": few, "all parameters": all, "a version of the seed": byID,
		"existing tables": merged(few, existingTables()), "a seed into an existing table": merged(all, existingTables()),
		"a domain": merged(few, domain()), "receipts off": merged(few, receiptsOff()),
	}
}

func TestTemplateAgreesWithTheCode(t *testing.T) {
	with := readCode(t)
	for variant, parameters := range variants() {
		whole := readTemplate(t, parameters)
		for _, c := range checks() {
			t.Run(variant+"/"+c.name, func(t *testing.T) {
				for _, problem := range c.problems(whole.clone(), with) {
					t.Error(problem)
				}
			})
		}
	}
}

// TestMistakesAreFound shows of each check that it can fail.
func TestMistakesAreFound(t *testing.T) {
	with := readCode(t)
	testMistakes(t, with, "all parameters", always())
	for variant, checks := range sometimes() {
		testMistakes(t, with, variant, checks)
	}
}

func testMistakes(t *testing.T, with code, variant string, checks []check) {
	t.Helper()
	original := readTemplate(t, variants()[variant])
	for _, c := range checks {
		before := c.problems(original, with)
		if len(c.mutations) == 0 {
			t.Errorf("%s: no mutation shows that it can fail", c.name)
		}
		for _, m := range c.mutations {
			t.Run(c.name+"/"+m.name, func(t *testing.T) {
				mutated := original.clone()
				m.apply(mutated)
				if cmp.Equal(mutated, original) {
					t.Fatal("the mutation changed nothing")
				}
				if cmp.Equal(c.problems(mutated, with), before) {
					t.Error("the mistake was not found")
				}
			})
		}
	}
}

// set puts a value at a path below the resource's properties.
func set(resource, path string, value any) func(template) {
	return func(t template) { put(t.resource(resource), path, value) }
}

// remove deletes what is at a path below the resource's properties.
func remove(resource, path string) func(template) {
	return func(t template) {
		parent, key := parentOf(t.resource(resource), path)
		delete(parent, key)
	}
}

// removeResource takes a resource away.
func removeResource(id string) func(template) {
	return func(t template) { delete(mapping(t["Resources"]), id) }
}

// add puts a further resource into the template.
func add(id, kind string, properties object) func(template) {
	return func(t template) { mapping(t["Resources"])[id] = object{"Type": kind, "Properties": properties} }
}

func put(m object, path string, value any) {
	parent, key := parentOf(m, path)
	parent[key] = value
}

// parentOf returns what holds the last key of a path, made where it is missing.
func parentOf(m object, path string) (parent object, key string) {
	for {
		first, rest, deeper := strings.Cut(path, ".")
		if !deeper {
			return m, first
		}
		if mapping(m[first]) == nil {
			m[first] = object{}
		}
		m, path = mapping(m[first]), rest
	}
}
