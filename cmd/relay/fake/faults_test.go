package fake

import (
	"testing"
	"time"

	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
)

// TestFaultFlagsReachTheFake sets what is sure to happen, each by its flag.
func TestFaultFlagsReachTheFake(t *testing.T) {
	tests := []struct {
		flag    string
		receipt twiliofake.CallbackFault
		latency time.Duration
	}{
		{"--receipts=duplicate:1", twiliofake.CallbackFault{Duplicate: true}, 0},
		{"--receipts=reorder:1", twiliofake.CallbackFault{AfterNext: true}, 0},
		{"--receipts=drop:1", twiliofake.CallbackFault{Drop: true}, 0},
		{"--receipts=drop:100%, reorder:100%", twiliofake.CallbackFault{Drop: true, AfterNext: true}, 0},
		{"--latency=1s", twiliofake.CallbackFault{}, time.Second},
		{"--latency=2s-2s", twiliofake.CallbackFault{}, 2 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.flag, func(t *testing.T) {
			var f faultFlags
			flags := pflag.NewFlagSet("fake-twilio", pflag.ContinueOnError)
			f.add(flags)
			if err := flags.Parse([]string{test.flag}); err != nil {
				t.Fatal(err)
			}
			asked, err := f.misbehaviour()
			if err != nil {
				t.Fatal(err)
			}
			faults := asked.Faults()
			if receipt, latency := faults.BeforeCallback(twiliofake.Message{}), faults.Latency(); receipt != test.receipt ||
				latency != test.latency {
				t.Errorf("receipt %+v, latency %s", receipt, latency)
			}
		})
	}
}
