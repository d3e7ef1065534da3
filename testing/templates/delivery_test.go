package templates

import (
	"fmt"
	"regexp"
	"time"

	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/duration"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

func deliveryChecks() []check {
	return []check{{"the sender's parameters have the code's defaults and bounds", findDeliveryParameters, []mutation{
		{"another default of a number", setParameter("MaxAttempts", "Default", 9)},
		{"fewer attempts than may be", setParameter("MaxAttempts", "MinValue", 0)},
		{"more looks than may be", setParameter("ReconcileLooks", "MaxValue", 21)},
		{"another default of a time", setParameter("SendTimeout", "Default", "9s")},
		{"a longer timeout", setParameter("SendTimeout", "AllowedPattern", "^[0-9]+s$")},
		{"a longer interval", setParameter("ReconcileInterval", "AllowedPattern", "^[0-9]{1,3}s$")},
		{"a shorter retention", setParameter("LedgerRetention", "AllowedPattern", "^([0-9]{3,5}h|400d)$")},
		{"a retention of fewer days", setParameter("LedgerRetention", "AllowedPattern", "^[0-9]{2,3}d$")},
		{"a retention in hours only", setParameter("LedgerRetention", "Default", "9600h")},
		{"not the default", setParameter("LedgerRetention", "AllowedPattern", "^360h$")},
		{"a function that works longer than its timers wait", set("SenderFunction", "Timeout", 121)},
	}}}
}

func setParameter(name, field string, value any) func(t template) {
	return func(t template) { mapping(at(t, "Parameters."+name))[field] = value }
}

// findDeliveryParameters: what the template lets through, the sender has to start with.
func findDeliveryParameters(t template, _ code, report reporter) {
	if timeout := time.Duration(number(t.functions()["SenderFunction"], "Timeout")) * time.Second; timeout > delivery.LongestInvocation {
		report("SenderFunction: works up to %v, and its timers rely on at most %v", timeout, delivery.LongestInvocation)
	}
	for name, want := range map[string][3]int{
		"MaxAttempts":    {delivery.DefaultMaxAttempts, delivery.MinMaxAttempts, delivery.MaxMaxAttempts},
		"ReconcileLooks": {delivery.DefaultReconcileLooks, delivery.MinReconcileLooks, delivery.MaxReconcileLooks},
	} {
		for i, field := range []string{"Default", "MinValue", "MaxValue"} {
			if got := fmt.Sprint(at(t, "Parameters."+name+"."+field)); got != fmt.Sprint(want[i]) {
				report("%s: its %s is %s, should be %d", name, field, got, want[i])
			}
		}
	}
	for name, p := range map[string]struct {
		fallback, shortest, longest time.Duration
		units                       string
	}{
		"RetryBase":         {delivery.DefaultRetryBase, 0, 1 << 62, "s"},
		"SendTimeout":       {delivery.DefaultSendTimeout, delivery.MinSendTimeout, delivery.MaxSendTimeout, "s"},
		"ReconcileInterval": {delivery.DefaultReconcileInterval, delivery.MinReconcileInterval, delivery.MaxReconcileInterval, "s"},
		"LedgerRetention":   {ledger.DefaultRetention, ledger.MinRetention, ledger.MaxRetention, "hd"},
	} {
		fallback := text(t, "Parameters."+name+".Default")
		if want := duration.Text(p.fallback); fallback != want {
			report("%s: is %q by default, should be %q", name, fallback, want)
		}
		pattern, err := regexp.Compile(text(t, "Parameters."+name+".AllowedPattern"))
		if err != nil || !pattern.MatchString(fallback) {
			report("%s: should accept its default, %v", name, err)
			continue
		}
		if written := tooLongOrShort(pattern, p.units, p.shortest, p.longest); written != "" {
			report("%s: accepts %q, and the sender would not start", name, written)
		}
	}
}

// tooLongOrShort returns a duration that the pattern accepts and the sender does not, or "". It tries whole numbers of each unit.
func tooLongOrShort(pattern *regexp.Regexp, units string, shortest, longest time.Duration) string {
	for _, unit := range units {
		for n := range 100_000 {
			written := fmt.Sprintf("%d%c", n, unit)
			if !pattern.MatchString(written) {
				continue
			}
			if d, err := duration.Parse(written); err != nil || d < shortest || d > longest {
				return written
			}
		}
	}
	return ""
}
