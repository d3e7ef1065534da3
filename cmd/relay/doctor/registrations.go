package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Only Twilio's console shows these settings, so these checks use what happened to the texts of the last week.
func registrationChecks() []Check {
	return []Check{
		{"geo-permissions", "Twilio sends only to countries that are switched on for the account.", both, geoPermissions},
		{
			"compliance-registration", "Without a compliance profile, or verification of a toll-free number, Twilio or the carriers refuse texts.",
			both, compliance,
		},
		{"10dlc", "US carriers block or slow down texts from numbers whose brand and campaign are not registered.", both, tenDLC},
	}
}

const codeGeoPermission = 21408

// geoPermissions uses the last attempts: Twilio has an API for the countries of calls, but not for those of texts.
func geoPermissions(_ context.Context, e *exam) Finding {
	const fix = "Twilio's console, Messaging, Settings, Geo permissions: switch the country on"
	attempts, err := e.attempts()
	if err != nil {
		return skipped("the texts could not be listed: %v", err)
	}
	routes, err := e.routed()
	if err != nil {
		return skipped("the routes could not be read: %v", err)
	}
	var findings []Finding
	for _, r := range routes {
		for _, hop := range r.AllPhones() {
			// The newest attempt to this phone counts.
			at := slices.IndexFunc(attempts, func(a attempt) bool {
				return sms.Same(a.To, hop) &&
					(a.Accepted() || a.ErrorCode == codeGeoPermission)
			})
			switch {
			case at < 0:
				findings = append(findings, Finding{
					Skipped,
					fmt.Sprintf("nothing was sent to %s lately, and Twilio's API does not say: look in its console", hop.Mask()), fix,
				})
			case attempts[at].ErrorCode == codeGeoPermission:
				findings = append(findings, fail(fix, "Twilio may not send to the country of %s (%d)", hop.Mask(), codeGeoPermission))
			default:
				findings = append(findings, ok("Twilio accepts texts to every phone of the routes"))
			}
		}
	}
	return together(findings)
}

func compliance(_ context.Context, e *exam) Finding {
	return e.byCodes([]int{21608, 30024, 30032, 30532, 30533},
		"Twilio's console, Trust Hub: finish the compliance profile, or the verification of a toll-free number",
		func(attempt) bool { return true })
}

func tenDLC(_ context.Context, e *exam) Finding {
	return e.byCodes([]int{30034, 30022, 30007}, "Twilio's console, Messaging, Regulatory compliance, A2P 10DLC: register brand and "+
		"campaign, and add the number to the campaign's service",
		func(a attempt) bool { return strings.HasPrefix(string(a.To), "+1") })
}

// byCodes finds the newest attempt of each number that was either delivered or failed with one of the codes.
func (e *exam) byCodes(codes []int, fix string, concerns func(attempt) bool) Finding {
	attempts, err := e.attempts()
	if err != nil {
		return skipped("the texts could not be listed: %v", err)
	}
	told := map[phone]bool{}
	var findings []Finding
	for _, a := range attempts {
		blocked := slices.Contains(codes, a.ErrorCode)
		if told[a.from] || !concerns(a) || (!blocked && a.Status != sms.StatusDelivered) {
			continue
		}
		told[a.from] = true
		if blocked {
			findings = append(findings, fail(fix, "the newest text from %s with a known result was blocked with %d", a.from.Mask(), a.ErrorCode))
		} else {
			findings = append(findings, ok("the newest texts were delivered"))
		}
	}
	if len(findings) == 0 {
		return Finding{
			Status: Skipped, Found: "no text was delivered or blocked lately, so this is not known: look in Twilio's console",
			Fix: fix,
		}
	}
	return together(findings)
}
