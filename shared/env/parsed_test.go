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
	run(t, func(r *env.Reader) int { return env.Parsed(r, "NAME", "two", parse) }, []check{
		{"unset", unset, 2, ""},
		{"empty", "", 2, ""},
		{"right", "two", 2, ""},
		{"wrong", "secret", 9, "NAME is wrong: not the word two"},
	})
}
