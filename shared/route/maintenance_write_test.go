package route_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// TestWriteMaintenance leaves out what a file does not say. That it is read back as it is is tested in cmd/relay/routing.
func TestWriteMaintenance(t *testing.T) {
	bare := routeAt("+18585550100", "+18585550122", time.Time{}, 7, "anna")
	settled := routeAt("+18585550101", "+18585550122", noon.In(time.FixedZone("", 3600)).Add(time.Millisecond), 7, "anna")
	settled.Active, settled.FallbackCarriers, settled.OptedOut = false, []sms.PhoneNumber{"+18585550133"}, []sms.PhoneNumber{"+18585550133"}
	settled.OnUncertain, settled.DeliveryTimeout, settled.MaxAge, settled.PaceNumber = route.Park, route.Duration(90*time.Second),
		route.Duration(time.Hour), "off"
	settled.AnswerWindow, settled.HoldTime = route.Duration(168*time.Hour), route.Duration(5*time.Minute)
	settled.Threads = []sms.PhoneNumber{"+18585550111", "+18585550110"}
	settled.Phones, settled.Owner = []route.Phone{{Name: "Bo", Number: "+18585550155", Also: []sms.PhoneNumber{"+18585550156"}}}, "Bo"
	removed := routeAt("+18585550102", "+18585550122", noon, 7, "anna")
	removed.Active, removed.Removed = false, noon
	const want = `{
  "routes": [
    {
      "TwilioNumber": "+18585550100",
      "DestinationCarrier": "+18585550122",
      "FallbackCarriers": [],
      "Active": true
    },
    {
      "TwilioNumber": "+18585550101",
      "DestinationCarrier": "+18585550122",
      "FallbackCarriers": [
        "+18585550133"
      ],
      "Active": false,
      "Threads": [
        "+18585550111",
        "+18585550110"
      ],
      "Phones": [
        {
          "Name": "Bo",
          "Number": "+18585550155",
          "Also": [
            "+18585550156"
          ]
        }
      ],
      "Owner": "Bo",
      "OnUncertain": "park",
      "DeliveryTimeout": "1m30s",
      "MaxAge": "1h",
      "PaceNumber": "off",
      "AnswerWindow": "168h",
      "HoldTime": "5m",
      "LastUpdated": "2026-11-24T12:00:00.001Z"
    }
  ]
}
`
	var got strings.Builder
	if err := route.WriteMaintenance(&got, []route.Route{bare, settled, removed}); err != nil || cmp.Diff(want, got.String()) != "" {
		t.Errorf("error %v (-want +got):\n%s", err, cmp.Diff(want, got.String()))
	}
	got.Reset()
	if err := route.WriteMaintenance(&got, nil); err != nil || got.String() != "{\n  \"routes\": []\n}\n" {
		t.Errorf("no routes: %s, error %v", got.String(), err)
	}
}
