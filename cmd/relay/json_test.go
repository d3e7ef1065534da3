package main

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestJSONHasOneSpelling of names in what every command prints: snake_case. Only a maintenance.json keeps its own.
func TestJSONHasOneSpelling(t *testing.T) {
	data := hostileRelay(t)
	_, url := newFake(t, nil)
	sid, number := relaytest.MessageSid(1), string(testNumber)
	for _, line := range []string{
		"dlq ls", "dlq show " + relaytest.MessageSid(2), "dlq redrive", "dlq drop --settled", "uncertain ls", "status", "status " + sid,
		"status --trail " + sid, "status --show-text " + sid, "resend --since 1d", "sweep --grace 0s", "audit trace " + sid, "audit verify",
		"audit export --format jsonl", "route ls", "route history " + number, "route get " + number, "route check",
		"route set " + number + " --max-age 2h", "route off " + number + " --dry-run", "number ls",
		"contact ls", "conversation ls " + number, "phone ls " + number, "contact set " + number + " +13125550147 Ann",
		"contact rm " + number + " +13125550147 --dry-run",
		"reply " + number + " +13125550147 Hello --dry-run", "send " + number + " --body Hello --dry-run", "explain codes",
		"explain answer --from +16195550177 --to " + number + " --body Hello", "explain state sent",
		"doctor --only routes-valid", "doctor --list", "version", "status --state none",
	} {
		args := strings.Fields(line)
		if !strings.HasPrefix(line, "audit export") {
			args = append(args, "--json")
		}
		out := ran(t, url, data, args)
		decoder := json.NewDecoder(strings.NewReader(out))
		values := 0
		for decoder.More() {
			var value any
			if err := decoder.Decode(&value); err != nil {
				t.Errorf("relay %s: %v in %s", line, err, out)
				break
			}
			values++
			for _, name := range oddNames(value) {
				t.Errorf("relay %s: the name %q is not snake_case", line, name)
			}
		}
		if values == 0 {
			t.Errorf("relay %s prints no JSON", line)
		}
	}
	if !slices.Equal(oddNames(map[string]any{"TwilioNumber": []any{map[string]any{"aB": 1, "a_b": 2}}}), []string{"TwilioNumber", "aB"}) {
		t.Error("wrong names are not noticed")
	}
}

var snake = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// oddNames returns the names in a JSON value that are not snake_case.
func oddNames(value any) (odd []string) {
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			if !snake.MatchString(name) {
				odd = append(odd, name)
			}
			odd = append(odd, oddNames(inner)...)
		}
	case []any:
		for _, inner := range value {
			odd = append(odd, oddNames(inner)...)
		}
	}
	return odd
}
