package env_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/env"
)

// unset is the value of a variable that is not set.
const unset = "\x00"

// reader returns a Reader of an environment that has one variable, NAME.
func reader(value string) *env.Reader {
	return env.New(func(name string) (string, bool) { return value, name == "NAME" && value != unset })
}

// check is one value of the variable and what is to be read from it.
type check struct {
	name, value string
	want        any
	// problem is what is said of the variable, "" if nothing is wrong with it.
	problem string
}

// run holds the rows against read.
func run[T any](t *testing.T, read func(*env.Reader) T, rows []check) {
	t.Helper()
	for _, tt := range rows {
		t.Run(tt.name, func(t *testing.T) {
			r := reader(tt.value)
			got := read(r)
			if diff := cmp.Diff(tt.want, any(got)); diff != "" {
				t.Errorf("value (-want +got):\n%s", diff)
			}
			text := ""
			if err := r.Err(); err != nil {
				text = err.Error()
			}
			if text != tt.problem {
				t.Errorf("problem %q, want %q", text, tt.problem)
			}
		})
	}
}

func TestDurationWithin(t *testing.T) {
	read := func(r *env.Reader) time.Duration {
		return r.DurationWithin("NAME", 8*time.Second, time.Second, 20*time.Second)
	}
	run(t, read, []check{
		{"unset", unset, 8 * time.Second, ""},
		{"least", "1s", time.Second, ""},
		{"most", "20s", 20 * time.Second, ""},
		{"less", "999ms", 8 * time.Second, "NAME is not from 1s to 20s"},
		{"more", "2m", 8 * time.Second, "NAME is not from 1s to 20s"},
		{"no duration", "8", 8 * time.Second, "NAME is not a duration above zero such as 500ms, 2s, 1h30m or 3d"},
	})
	days := func(r *env.Reader) time.Duration {
		return r.DurationWithin("NAME", 9600*time.Hour, 360*time.Hour, 90*time.Minute+720*time.Hour)
	}
	run(t, days, []check{
		{"days", "20d", 480 * time.Hour, ""},
		{"days and hours", "15d12h", 372 * time.Hour, ""},
		{"hours", "360h", 360 * time.Hour, ""},
		{"too few days", "14d", 9600 * time.Hour, "NAME is not from 15d to 721h30m"},
	})
}

func TestString(t *testing.T) {
	run(t, func(r *env.Reader) string { return r.String("NAME", "fallback") }, []check{
		{"set", "value", "value", ""},
		{"unset", unset, "fallback", ""},
		{"empty", "", "fallback", ""},
		{"blanks are a value", " ", " ", ""},
		{"blanks around it stay", " value\n", " value\n", ""},
	})
}

func TestRequired(t *testing.T) {
	run(t, func(r *env.Reader) string { return r.Required("NAME") }, []check{
		{"set", "value", "value", ""},
		{"unset", unset, "", "NAME is not set"},
		{"empty", "", "", "NAME is not set"},
	})
}

func TestList(t *testing.T) {
	const empty = "NAME has an empty part: want values separated by single commas"
	none := []string(nil)
	run(t, func(r *env.Reader) []string { return r.List("NAME") }, []check{
		{"unset", unset, none, ""},
		{"empty", "", none, ""},
		{"one", "a", []string{"a"}, ""},
		{"several, in their order", "c,a,b", []string{"c", "a", "b"}, ""},
		{"blanks around the parts", " a ,\tb\n", []string{"a", "b"}, ""},
		{"blanks within a part", "a b,c", []string{"a b", "c"}, ""},
		{"a comma at the end", "a,", none, empty},
		{"a comma at the start", ",a", none, empty},
		{"two commas", "a,,b", none, empty},
		{"a blank part", "a, ,b", none, empty},
		{"nothing but a blank", " ", none, empty},
	})
}

func TestURLs(t *testing.T) {
	const wrong = "NAME has a part that is not an absolute URL such as https://relay.example.com"
	run(t, func(r *env.Reader) []string { return r.URLs("NAME") }, []check{
		{"unset", unset, []string(nil), ""},
		{"one", "https://relay.example.com", []string{"https://relay.example.com"}, ""},
		{"several", "https://a.example/x, http://127.0.0.1:8080", []string{"https://a.example/x", "http://127.0.0.1:8080"}, ""},
		{"an address of IPv6", "http://[::1]:8080", []string{"http://[::1]:8080"}, ""},
		{"no scheme", "relay.example.com", []string{"relay.example.com"}, wrong},
		{"no scheme, with a port", "relay.example.com:443", []string{"relay.example.com:443"}, wrong},
		{"another scheme", "ftp://relay.example.com", []string{"ftp://relay.example.com"}, wrong},
		{"no host", "https://", []string{"https://"}, wrong},
		{"no host but a path", "https:///path", []string{"https:///path"}, wrong},
		{"a path alone", "/sms", []string{"/sms"}, wrong},
		{"a bad escape", "https://relay.example.com/%zz", []string{"https://relay.example.com/%zz"}, wrong},
		{"one of two", "https://a.example,b.example", []string{"https://a.example", "b.example"}, wrong},
		{"an empty part", "https://a.example,", []string(nil), "NAME has an empty part: want values separated by single commas"},
	})
}

// TestURLWithoutAHost: a port alone is no place to send anyone to.
func TestURLWithoutAHost(t *testing.T) {
	r := reader("https://:8443")
	r.URLs("NAME")
	if r.Err() == nil {
		t.Error("https://:8443 is accepted as an absolute URL")
	}
}

func TestDuration(t *testing.T) {
	const wrong = "NAME is not a duration above zero such as 500ms, 2s, 1h30m or 3d"
	run(t, func(r *env.Reader) time.Duration { return r.Duration("NAME", time.Hour) }, []check{
		{"unset", unset, time.Hour, ""},
		{"empty", "", time.Hour, ""},
		{"seconds", "2s", 2 * time.Second, ""},
		{"minutes and seconds", "1m30s", 90 * time.Second, ""},
		{"a fraction", "0.5s", 500 * time.Millisecond, ""},
		{"the shortest", "1ns", time.Nanosecond, ""},
		{"zero", "0s", time.Hour, wrong},
		{"nothing without a unit", "0", time.Hour, wrong},
		{"below zero", "-1s", time.Hour, wrong},
		{"no unit", "2", time.Hour, wrong},
		{"a blank", "2 s", time.Hour, wrong},
		{"a word", "soon", time.Hour, wrong},
		{"days", "1d", 24 * time.Hour, ""},
		{"no days", "0d", time.Hour, wrong},
		{"days below zero", "-1d", time.Hour, wrong},
		{"longer than there is", "9999999h", time.Hour, wrong},
	})
}

func TestInt(t *testing.T) {
	const wrong = "NAME is not a whole number from 1 to 100"
	run(t, func(r *env.Reader) int { return r.Int("NAME", 8, 1, 100) }, []check{
		{"unset", unset, 8, ""},
		{"empty", "", 8, ""},
		{"the least", "1", 1, ""},
		{"the most", "100", 100, ""},
		{"too low", "0", 8, wrong},
		{"too high", "101", 8, wrong},
		{"below zero", "-1", 8, wrong},
		{"a fraction", "1.5", 8, wrong},
		{"a blank", " 5", 8, wrong},
		{"a word", "many", 8, wrong},
		{"another base", "0x10", 8, wrong},
		{"more than an int holds", "99999999999999999999", 8, wrong},
	})
}

// TestFallbackIsNotChecked: the program itself chooses the fallback for an unset variable.
func TestFallbackIsNotChecked(t *testing.T) {
	r := reader(unset)
	if got := r.Int("NAME", 0, 1, 100); got != 0 {
		t.Errorf("Int is %d, want the fallback 0", got)
	}
	if got := r.Duration("NAME", 0); got != 0 {
		t.Errorf("Duration is %v, want the fallback 0", got)
	}
	if err := r.Err(); err != nil {
		t.Errorf("problem %v", err)
	}
}

// readAll reads one variable of each kind.
func readAll(r *env.Reader) {
	r.String("STRING", "")
	r.Required("REQUIRED")
	r.List("LIST")
	r.URLs("URLS")
	r.Duration("DURATION", time.Second)
	r.Int("INT", 1, 1, 9)
}

func TestEverythingAtOnce(t *testing.T) {
	values := map[string]string{"LIST": "a,", "URLS": "x,y", "DURATION": "x", "INT": "10"}
	r := env.New(func(name string) (string, bool) { value, ok := values[name]; return value, ok })
	readAll(r)
	err := r.Err()
	if err == nil {
		t.Fatal("nothing is wrong")
	}
	var named []string
	for line := range strings.Lines(err.Error()) {
		name, _, _ := strings.Cut(line, " ")
		named = append(named, name)
	}
	// One line for each of the two URLs.
	if diff := cmp.Diff([]string{"REQUIRED", "LIST", "URLS", "URLS", "DURATION", "INT"}, named); diff != "" {
		t.Errorf("variables named (-want +got):\n%s", diff)
	}
	if joined, ok := errors.AsType[interface {
		error
		Unwrap() []error
	}](err); !ok || len(joined.Unwrap()) != 6 {
		t.Errorf("the problems are not joined: %v", err)
	}
}

func TestNothingWrong(t *testing.T) {
	values := map[string]string{"REQUIRED": "x", "LIST": "a,b", "URLS": "https://a.example", "DURATION": "1s", "INT": "9"}
	r := env.New(func(name string) (string, bool) { value, ok := values[name]; return value, ok })
	readAll(r)
	if err := r.Err(); err != nil {
		t.Errorf("problem %v", err)
	}
}

// problems is everything that may be said of the variables of readAll. No value is in it.
func problems() []string {
	return []string{
		"LIST has an empty part: want values separated by single commas",
		"URLS has an empty part: want values separated by single commas",
		"URLS has a part that is not an absolute URL such as https://relay.example.com",
		"DURATION is not a duration above zero such as 500ms, 2s, 1h30m or 3d",
		"INT is not a whole number from 1 to 9",
		"REQUIRED is not set",
	}
}

// FuzzErrorsKeepValues: whatever a variable holds, a secret for one, an error does not show it.
func FuzzErrorsKeepValues(f *testing.F) {
	for _, seed := range []string{
		"", "secret-token,", "https://user:secret-token@", "secret-token://x", "http://secret-token/%zz",
		"12345678s", "-1", "1s", "7",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		r := env.New(func(string) (string, bool) { return value, true })
		readAll(r)
		err := r.Err()
		if err == nil {
			return
		}
		for line := range strings.SplitSeq(err.Error(), "\n") {
			if !slices.Contains(problems(), line) {
				t.Errorf("of %q is said: %s", value, line)
			}
		}
	})
}
