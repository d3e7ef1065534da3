package fake

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
)

// faultFlags are the flags of fake-twilio that make it misbehave.
type faultFlags struct {
	acceptThenDrop, errorRate probability
	listLag                   time.Duration
	receipts                  receiptOdds
	latency                   timeRange
	loopGuard                 int
	seed                      uint64
	// given holds only these flags, to know which of them were set.
	given *pflag.FlagSet
}

const (
	flagSeed      = "seed"
	flagLoopGuard = "loop-guard"
)

// add makes the flags and adds them to all.
func (f *faultFlags) add(all *pflag.FlagSet) {
	flags := pflag.NewFlagSet("faults", pflag.ContinueOnError)
	flags.Var(&f.acceptThenDrop, "accept-then-drop", "how many messages are accepted but not answered: the connection closes")
	flags.Var(&f.errorRate, "error-rate", "how many messages are answered 500, 503 or 429, in turn; half of the 5xx come after the "+
		"message was accepted")
	cli.DurationVar(flags, &f.listLag, "list-lag", 0, "how long a new message is missing from the list of messages")
	flags.Var(&f.receipts, "receipts", "what happens to status callbacks: duplicate, reorder and drop, separated by commas, each with "+
		"its probability if it is not 0.3 (drop: 0.1), such as duplicate:0.5,drop")
	flags.Var(&f.latency, "latency", "how long each answer is delayed, such as 200ms, or 50ms-2s for a random time")
	flags.IntVar(&f.loopGuard, flagLoopGuard, 0, "how many messages from one number to another are allowed within 30 s; further ones fail "+
		"with 14107 (default off; 15 without a number)")
	flags.Lookup(flagLoopGuard).NoOptDefVal = "15"
	flags.Uint64Var(&f.seed, flagSeed, uint64(rand.Uint32()), "random seed, to repeat the same faults (default: a new one, printed at "+
		"the start)")
	flags.Lookup(flagSeed).DefValue = "0" // not worth showing
	f.given = flags
	all.AddFlagSet(flags)
}

// misbehaviour returns what the flags ask for, or what is wrong with them together.
func (f *faultFlags) misbehaviour() (twiliofake.Misbehaviour, error) {
	odds := twiliofake.Odds{
		AcceptThenDrop: float64(f.acceptThenDrop), ErrorRate: float64(f.errorRate),
		DropCallback: float64(f.receipts.drop), DuplicateCallback: float64(f.receipts.duplicate), ReorderCallback: float64(f.receipts.reorder),
		LatencyLeast: f.latency.least, LatencyMost: f.latency.most,
	}
	asked := twiliofake.Misbehaviour{Odds: odds, ListLag: f.listLag, LoopGuard: f.loopGuard, Seed: f.seed}
	return asked, asked.Validate()
}

// String returns the flags that make the same faults again, "" if there are none.
func (f *faultFlags) String() string {
	var given []string
	f.given.VisitAll(func(flag *pflag.Flag) {
		if flag.Changed && flag.Name != flagSeed {
			given = append(given, fmt.Sprintf("--%s=%s", flag.Name, flag.Value))
		}
	})
	if len(given) == 0 {
		return ""
	}
	return fmt.Sprintf("%s --%s=%d", strings.Join(given, " "), flagSeed, f.seed)
}

// probability is a flag's value from 0 to 1: 0.05, or 5%.
type probability float64

// String writes it as a number.
func (p *probability) String() string { return strconv.FormatFloat(float64(*p), 'g', -1, 64) }

// Type is what help calls it.
func (p *probability) Type() string { return "probability" }

// Set reads it.
func (p *probability) Set(text string) error {
	number, isPercent := strings.CutSuffix(text, "%")
	value, err := strconv.ParseFloat(number, 64)
	if isPercent {
		value /= 100
	}
	if err != nil || !(value >= 0 && value <= 1) { // NaN is neither
		return errors.New("want a probability from 0 to 1, or from 0% to 100%")
	}
	*p = probability(value)
	return nil
}

// The probabilities of what happens to receipts if none are given.
const (
	defaultReceiptOdds probability = 0.3
	defaultDropOdds    probability = 0.1 // a receipt that never comes is the hardest of the three
)

// receiptOdds is a flag's value: how often each thing happens to a status callback.
type receiptOdds struct {
	duplicate, reorder, drop probability
}

// String writes what may happen, in the form that Set reads.
func (o *receiptOdds) String() string {
	var parts []string
	for _, part := range []struct {
		name string
		odds probability
	}{{"duplicate", o.duplicate}, {"reorder", o.reorder}, {"drop", o.drop}} {
		if part.odds > 0 {
			parts = append(parts, part.name+":"+part.odds.String())
		}
	}
	return strings.Join(parts, ",")
}

// Type is what help calls it.
func (o *receiptOdds) Type() string { return "faults" }

// Set reads a list such as "duplicate,drop:0.2". What it does not name does not happen.
func (o *receiptOdds) Set(text string) error {
	var read receiptOdds
	for part := range strings.SplitSeq(text, ",") {
		if err := read.set(strings.TrimSpace(part)); err != nil {
			return err
		}
	}
	*o = read
	return nil
}

func (o *receiptOdds) set(part string) error {
	name, odds, hasOdds := strings.Cut(part, ":")
	var target *probability
	standard := defaultReceiptOdds
	switch name {
	case "duplicate":
		target = &o.duplicate
	case "reorder":
		target = &o.reorder
	case "drop":
		target, standard = &o.drop, defaultDropOdds
	default:
		return fmt.Errorf("%q is not one of duplicate, reorder and drop", name)
	}
	if !hasOdds {
		*target = standard
		return nil
	}
	if err := target.Set(odds); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// timeRange is a flag's value: a time such as 200ms, or any time from one to another such as 50ms-2s.
type timeRange struct {
	least, most time.Duration
}

// String writes it in the form that Set reads.
func (r *timeRange) String() string {
	switch {
	case r.most == 0:
		return "0"
	case r.least == r.most:
		return r.most.String()
	default:
		return r.least.String() + "-" + r.most.String()
	}
}

// Type is what help calls it.
func (r *timeRange) Type() string { return "duration" }

// Set reads it.
func (r *timeRange) Set(text string) error {
	from, to, isRange := strings.Cut(text, "-")
	least, err := time.ParseDuration(from)
	most := least
	if isRange && err == nil {
		most, err = time.ParseDuration(to)
	}
	if err != nil || most < least { // a negative time is not a range either
		return errors.New("want a time such as 200ms, or a range of times such as 50ms-2s")
	}
	*r = timeRange{least: least, most: most}
	return nil
}
