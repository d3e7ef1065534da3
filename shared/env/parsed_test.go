package env_test

import (
	"errors"
	"testing"

	"quickdumpnow.com/smsrelay/shared/env"
)

func TestParsed(t *testing.T) {
	parse := func(text string) (int, error) {
		if text == "two" {
			return 2, nil
		}
		return 9, errors.New("not the word two")
	}
	run(t, func(r *env.Reader) int { return env.Parsed(r, "NAME", 1, parse) }, []check{
		{"unset", unset, 1, ""},
		{"empty", "", 1, ""},
		{"right", "two", 2, ""},
		{"wrong", "secret", 1, "NAME is wrong: not the word two"},
	})
}
