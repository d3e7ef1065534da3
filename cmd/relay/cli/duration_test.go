package cli

import (
	"testing"
	"time"

	"github.com/spf13/pflag"
)

func TestDurationsAsPeopleWriteThem(t *testing.T) {
	for d, want := range map[time.Duration]string{
		9600 * time.Hour: "400d", 48 * time.Hour: "2d", 24 * time.Hour: "24h", 25 * time.Hour: "25h", 90 * time.Second: "1m30s", 0: "0s",
		49 * time.Hour: "49h",
	} {
		if got := Written(d); got != want {
			t.Errorf("%v is %s, want %s", time.Duration(d), got, want)
		}
	}
	var got time.Duration
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	DurationVar(flags, &got, "timeout", 2*day, "how long")
	if value := flags.Lookup("timeout").DefValue; value != "2d" || got != 2*day {
		t.Errorf("default %s, %v", value, got)
	}
	if err := flags.Parse([]string{"--timeout", "3d"}); err != nil || got != 3*day {
		t.Errorf("3d is %v, error %v", got, err)
	}
	if err := flags.Parse([]string{"--timeout", "soon"}); err == nil {
		t.Error("soon is taken")
	}
}

// TestSettingsReadDays wherever a setting is a duration.
func TestSettingsReadDays(t *testing.T) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	AddFlags(flags, ServeSettings())
	for _, s := range ServeSettings() {
		set := LookupOf(ServeSettings(), flags, func(string) (string, bool) { return "30d", true })
		value, _ := set(s.Env)
		if want := map[bool]string{true: "720h0m0s", false: "30d"}[s.Duration]; value != want {
			t.Errorf("%s is %s, want %s", s.Env, value, want)
		}
	}
	if value, _ := LookupOf(ServeSettings(), flags, func(string) (string, bool) { return "", false })(EnvRetention); value != "9600h0m0s" {
		t.Errorf("the default retention is %s", value)
	}
}
