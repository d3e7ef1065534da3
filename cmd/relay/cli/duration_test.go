package cli

import (
	"testing"
	"time"

	"github.com/spf13/pflag"
)

func TestFlagsReadDays(t *testing.T) {
	var got time.Duration
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	DurationVar(flags, &got, "timeout", 48*time.Hour, "how long")
	if value := flags.Lookup("timeout").DefValue; value != "2d" || got != 48*time.Hour {
		t.Errorf("default %s, %v", value, got)
	}
	if err := flags.Parse([]string{"--timeout", "3d"}); err != nil || got != 72*time.Hour {
		t.Errorf("3d is %v, error %v", got, err)
	}
	if err := flags.Parse([]string{"--timeout", "soon"}); err == nil {
		t.Error("soon is accepted")
	}
}
