package doctor

import (
	"testing"

	"quickdumpnow.com/smsrelay/shared/route"
)

func unverifiedProvocations() []provocation {
	return []provocation{
		{"unverified", Warn, "***0124 of ***0100", func(_ *testing.T, w *world) {
			w.routes[0].Verifications = []route.Verification{{Phone: testSecond}}
		}},
		{"unverified", Fail, "no phone of ***0100 is verified", func(_ *testing.T, w *world) {
			w.routes[0].Verifications = []route.Verification{{Phone: testPhone}, {Phone: testSecond}}
		}},
	}
}
