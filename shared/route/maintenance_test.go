package route_test

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

const maintenance = `{
  "routes": [
    {
      "TwilioNumber": "+18585550100",
      "DestinationCarrier": "+18585550122",
      "FallbackCarriers": ["+18585550133", "+18585550144"],
      "Active": true,
      "LastUpdated": "2026-11-24T12:00:00Z",
      "OnUncertain": "resend",
      "DeliveryTimeout": "90s",
      "MaxAge": "2h",
      "PaceNumber": "3/1s",
      "AnswerWindow": "36h",
      "HoldTime": "15m",
      "Threads": ["+18585550110", "+18585550111"],
      "Phones": [{"Name": "Ann", "Number": "+18585550122"}, {"Name": "Bo Lee", "Number": "+18585550155", "Also": ["+18585550156"]}],
      "Owner": "Bo Lee",
      "TimeZone": "America/Los_Angeles",
      "Schedule": [{"Days": "Mon-Fri", "From": "07:00", "To": "18:00", "Phones": ["Ann", "Bo:  Lee"]}],
      "Overrides": [{"Date": "2026-12-24", "LastDate": "2026-12-26", "Phones": ["+18585550155"]}, {"Date": "2027-01-01", "To": "12:00"}],
      "Closed": "night",
      "NightPhones": ["Ann"]
    },
    {"TwilioNumber": "+18585550101", "DestinationCarrier": "+18585550122", "Active": false}
  ]
}
`

func TestParseMaintenance(t *testing.T) {
	want := []route.Route{
		{
			TwilioNumber: "+18585550100", DestinationCarrier: "+18585550122", FallbackCarriers: []sms.PhoneNumber{"+18585550133", "+18585550144"},
			Active: true, LastUpdated: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC),
			OnUncertain: route.Resend, DeliveryTimeout: route.Duration(90 * time.Second), MaxAge: route.Duration(2 * time.Hour), PaceNumber: "3/1s",
			AnswerWindow: route.Duration(36 * time.Hour), HoldTime: route.Duration(15 * time.Minute),
			Threads: []sms.PhoneNumber{"+18585550110", "+18585550111"},
			Phones: []route.Phone{
				{Name: "Ann", Number: "+18585550122"}, {Name: "Bo Lee", Number: "+18585550155", Also: []sms.PhoneNumber{"+18585550156"}},
			},
			Owner: "Bo Lee", TimeZone: "America/Los_Angeles",
			Schedule: []route.Shift{{Days: "Mon-Fri", From: "07:00", To: "18:00", Phones: []string{"Ann", "Bo Lee"}}},
			Overrides: []route.Override{
				{Date: "2026-12-24", LastDate: "2026-12-26", Phones: []string{"+18585550155"}}, {Date: "2027-01-01", To: "12:00"},
			},
			Closed: route.ClosedNight, NightPhones: []string{"Ann"},
		},
		{TwilioNumber: "+18585550101", DestinationCarrier: "+18585550122"},
	}
	got, err := route.ParseMaintenance(strings.NewReader(maintenance), route.Reading{})
	if err != nil {
		t.Fatalf("ParseMaintenance: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("routes (-want +got):\n%s", diff)
	}
}

func TestParseMaintenanceOfNoRoutes(t *testing.T) {
	if got, err := route.ParseMaintenance(strings.NewReader(`{"routes":[]}`), route.Reading{}); err != nil || len(got) != 0 {
		t.Errorf("ParseMaintenance = %v, %v; want no routes and no error", got, err)
	}
}

const good = `{"TwilioNumber":"+18585550100","DestinationCarrier":"+18585550122","Active":true}`

// refused is a file and what ParseMaintenance says of it.
type refused struct{ name, file, want string }

// settingsRefused are bad values of the settings. Each answer says what is wanted.
func settingsRefused() []refused {
	with := func(settings string) string {
		return `{"routes":[` + strings.TrimSuffix(good, "}") + "," + settings + `}]}`
	}
	const optedOut = "routes[0]: OptedOut is kept by the relay, from the STOP and START that phones text: leave it out"
	return []refused{
		{"a field twice", with("\"MaxAge\":\"4h\",\n\"MaxAge\":\"5h\""), "routes[0]: line 2: MaxAge is there twice: leave one out"},
		{"a field in two spellings", with(`"active":false`), "routes[0]: line 1: active is there already, as Active: leave one out"},
		{"a field in another spelling", with(`"maxAge":"4h"`), `routes[0]: line 1: unknown field "maxAge"; did you mean "MaxAge"?`},
		{
			"a field with a letter missing", with(`"FallbackCarrier":[]`),
			`routes[0]: line 1: unknown field "FallbackCarrier"; did you mean "FallbackCarriers"?`,
		},
		{"neither of the two", with(`"OnUncertain":"retry"`), "routes[0]: OnUncertain is neither park nor resend"},
		{"true for it", with(`"OnUncertain":true`), `routes[0]: line 1: OnUncertain must not be a JSON bool: want "park" or "resend"`},
		{"no duration", with(`"DeliveryTimeout":"soon"`), `routes[0]: DeliveryTimeout "soon" is not a duration such as 90s or 4h`},
		{"no unit", with(`"MaxAge":"90"`), `routes[0]: MaxAge "90" is not a duration such as 90s or 4h`},
		{"an empty text", with(`"MaxAge":""`), `routes[0]: MaxAge "" is not a duration such as 90s or 4h`},
		{
			"no quotes around a duration", with(`"MaxAge":90`),
			`routes[0]: line 1: MaxAge must not be a JSON number: want a duration in quotes, such as "90s" or "4h"`,
		},
		{
			"no quotes around a hold", with(`"HoldTime":3600`),
			`routes[0]: line 1: HoldTime must not be a JSON number: want a duration in quotes, such as "90s" or "4h"`,
		},
		{
			"too short", with(`"DeliveryTimeout":"9s","MaxAge":"59s","AnswerWindow":"59m","HoldTime":"299s"`),
			"routes[0]: DeliveryTimeout is not from 10s to 12h\nroutes[0]: MaxAge is not from 1m to 72h" +
				"\nroutes[0]: AnswerWindow is not from 1h to 168h\nroutes[0]: HoldTime is not from 5m to 12h",
		},
		{
			"too long", with(`"DeliveryTimeout":"13h","MaxAge":"73h"`),
			"routes[0]: DeliveryTimeout is not from 10s to 12h\nroutes[0]: MaxAge is not from 1m to 72h",
		},
		{"no pace", with(`"PaceNumber":"3 per second"`), "routes[0]: PaceNumber: pace is neither a number and a time such as 10/30s nor off"},
		{
			"a number for a pace", with(`"PaceNumber":3`),
			`routes[0]: line 1: PaceNumber must not be a JSON number: want a pace in quotes, such as "3/1s" or "off"`,
		},
		{
			"threads of another form", with(`"Threads":["858 555 0110","+18585550100"]`),
			`routes[0]: Threads[0] "858 555 0110" is not E.164: want a plus sign, country code and number, such as +18585550110` +
				"\nroutes[0]: thread +18585550100 is the Twilio number itself: name further numbers",
		},
		{
			"one thread without a list", with(`"Threads":"+18585550110"`),
			`routes[0]: line 1: Threads must not be a JSON string: want a list of numbers, such as ["+18585550110"]`,
		},
		{
			"too many threads", with(`"Threads":["+18585550110","+18585550111","+18585550112","+18585550113","+18585550114",` +
				`"+18585550115","+18585550116","+18585550117","+18585550118"]`), "routes[0]: Threads has 9 numbers, at most 8",
		},
		{"what the relay keeps", with(`"OptedOut":["+18585550122"]`), optedOut},
		{"what the relay keeps, empty", with(`"OptedOut":[]`), optedOut},
		{"what the relay keeps, null", with(`"OptedOut":null`), optedOut},
		{"a setting of no route", with(`"MaxAgo":"4h"`), `routes[0]: line 1: unknown field "MaxAgo"; did you mean "MaxAge"?`},
		{
			"all of it", with(`"OnUncertain":"drop","DeliveryTimeout":"now","MaxAge":"1s","PaceNumber":"","OptedOut":{}`),
			"routes[0]: DeliveryTimeout \"now\" is not a duration such as 90s or 4h\n" + optedOut +
				"\nroutes[0]: OnUncertain is neither park nor resend\nroutes[0]: MaxAge is not from 1m to 72h",
		},
	}
}

func TestParseMaintenanceRefuses(t *testing.T) {
	tests := []refused{
		{"empty file", "", "line 1: the file is empty"},
		{"null", "null", `no "routes" list`},
		{"no list", "{}", `no "routes" list`},
		{"null for the list", `{"routes":null}`, `no "routes" list`},
		{"cut", "{\"routes\":[\n", "line 1: the file ends early, as if it had been cut: its last brackets are missing"},
		{"more than one object", `{"routes":[]} {"routes":[]}`, "something follows the closing brace"},
		{"a comma at the end", `{"routes":[]},`, "something follows the closing brace"},
		{"no comma", "{\"routes\":[\n" + good + "\n" + good + "]}", "line 3: invalid character '{' after array element"},
		{"no quotes", "\n\n{\n\"routes\":[\n{x}]}", "line 5: invalid character 'x' looking for beginning of object key string"},
		{"nothing but blanks", "\ufeff \r\n", "line 1: the file is empty"},
		{
			"cut within a string", "{\"routes\":[\n{\"TwilioNumber\":\"+1858",
			"line 2: the file ends early, as if it had been cut: its last brackets are missing",
		},
		{"UTF-16", "\xff\xfe{\x00\"\x00", "line 1: the file is UTF-16: save it as UTF-8"},
		{"UTF-16 without a mark", "{\x00\"\x00", "line 1: the file is UTF-16: save it as UTF-8"},
		{"a list twice", `{"routes":[],"routes":[]}`, "line 1: routes is there twice: leave one out"},
		{"unknown field next to the list", `{"routes":[],"extra":1}`, `line 1: unknown field "extra"`},
		{
			"Active missing", `{"routes":[{"TwilioNumber":"+18585550100","DestinationCarrier":"+18585550122"}]}`,
			"routes[0]: Active is missing: say true or false",
		},
		{
			"Active null", `{"routes":[{"TwilioNumber":"+18585550100","DestinationCarrier":"+18585550122","Active":null}]}`,
			"routes[0]: Active is missing: say true or false",
		},
		{"a number twice", `{"routes":[` + good + `,` + good + `]}`, "routes[1]: TwilioNumber +18585550100 is already in routes[0]"},
		{
			"a number three times", `{"routes":[` + good + `,` + good + `,` + good + `]}`,
			"routes[1]: TwilioNumber +18585550100 is already in routes[0]\nroutes[2]: TwilioNumber +18585550100 is already in routes[0]",
		},
		{
			"to itself", `{"routes":[{"TwilioNumber":"+18585550100","DestinationCarrier":"+18585550100","Active":true}]}`,
			"routes[0]: hop +18585550100 is the Twilio number itself: texts would go round in a loop",
		},
		{
			"round in a loop", `{"routes":[` + good +
				`,{"TwilioNumber":"+18585550122","DestinationCarrier":"+18585550133","FallbackCarriers":["+18585550100"],"Active":false}]}`,
			"routes[0]: hop +18585550122 is itself routed in routes[1]: texts would go round in a loop\n" +
				"routes[1]: hop +18585550100 is itself routed in routes[0]: texts would go round in a loop",
		},
		{
			"a thread with a route", `{"routes":[` + strings.TrimSuffix(good, "}") + `,"Threads":["+18585550110","+18585550101"]}` +
				`,{"TwilioNumber":"+18585550101","DestinationCarrier":"+18585550122","Active":false}]}`,
			"routes[0]: thread +18585550101 is itself routed in routes[1]: a number belongs to one route",
		},
		{
			"a thread of two", `{"routes":[` + strings.TrimSuffix(good, "}") + `,"Threads":["+18585550110"]},{"TwilioNumber":"+18585550101",` +
				`"DestinationCarrier":"+18585550122","Active":true,"Threads":["+18585550111","+18585550110"]}]}`,
			"routes[0]: thread +18585550110 is a thread of routes[1]: a number belongs to one route\n" +
				"routes[1]: thread +18585550110 is a thread of routes[0]: a number belongs to one route",
		},
		{
			"to a thread", `{"routes":[` + good + `,{"TwilioNumber":"+18585550101","DestinationCarrier":"+18585550133","Active":true,` +
				`"Threads":["+18585550122"]}]}`,
			"routes[0]: hop +18585550122 is a thread of routes[1]: texts would go round in a loop",
		},
		{
			"to its own thread", `{"routes":[` + strings.TrimSuffix(good, "}") + `,"Threads":["+18585550122"]}]}`,
			"routes[0]: thread +18585550122 is a hop, too: texts would go round in a loop",
		},
		{
			"no E.164, second route", `{"routes":[` + good + `,{"TwilioNumber":"+18585550101","DestinationCarrier":"858 555 0122","Active":true}]}`,
			`routes[1]: DestinationCarrier "858 555 0122" is not E.164: want a plus sign, country code and number, such as +18585550122`,
		},
	}
	for _, tt := range append(tests, settingsRefused()...) {
		t.Run(tt.name, func(t *testing.T) {
			got, err := route.ParseMaintenance(strings.NewReader(tt.file), route.Reading{})
			if err == nil || err.Error() != tt.want || got != nil {
				t.Errorf("ParseMaintenance: %d routes, error:\n%v\nwant none, and:\n%s", len(got), err, tt.want)
			}
		})
	}
}

// TestParseMaintenanceNamesTheLine: of encoding/json's own words only the line and the field are ours to promise.
func TestParseMaintenanceNamesTheLine(t *testing.T) {
	tests := []struct {
		name, file string
		want       []string
	}{
		{"a list instead of an object", "\n[]", []string{"line 2: "}},
		{"an object instead of the list", "{\n\"routes\":{}}", []string{"line 2: ", "routes"}},
		{"a number for a number", "{\n\"routes\":[\n{\"TwilioNumber\":18585550100}]}", []string{"line 3: ", "TwilioNumber"}},
		{"a text for true", "{\r\n\"routes\":[\r\n{\"Active\":\"yes\"}]}", []string{"line 3: ", "Active"}},
		{"one text for the fallbacks", "{\"routes\":[\n\n\n{\"FallbackCarriers\":\"+18585550133\"}]}", []string{"line 4: ", "FallbackCarriers"}},
		{"the same route twice", "{\"routes\":[\n{\"Active\":1},\n{\"Active\":1}]}", []string{"routes[0]: line 2: ", "routes[1]: line 3: "}},
		{"unknown field", "{\"routes\":[{\"Destination\":\"+18585550133\"}]}", []string{`unknown field "Destination"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := route.ParseMaintenance(strings.NewReader(tt.file), route.Reading{})
			for _, part := range tt.want {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("ParseMaintenance = %v, want %q in it", err, part)
				}
			}
		})
	}
}

func TestParseMaintenanceSaysThatReadingFailed(t *testing.T) {
	broken := errors.New("disk on fire")
	if _, err := route.ParseMaintenance(iotest.ErrReader(broken), route.Reading{}); !errors.Is(err, broken) {
		t.Errorf("ParseMaintenance = %v, want the reader's error", err)
	}
}

// TestParseMaintenanceFindsWhatFollows: an editor left a brace too many.
func TestParseMaintenanceFindsWhatFollows(t *testing.T) {
	for _, file := range []string{`{"routes":[]}}`, `{"routes":[]}]`, "{\"routes\":[" + good + "]}\n}\n"} {
		if got, err := route.ParseMaintenance(strings.NewReader(file), route.Reading{}); err == nil {
			t.Errorf("ParseMaintenance(%s) = %d routes and no error", file, len(got))
		}
	}
}

// TestParseMaintenancePlacesEveryProblem: each problem has a line of its own, with its route's place.
func TestParseMaintenancePlacesEveryProblem(t *testing.T) {
	_, err := route.ParseMaintenance(strings.NewReader(`{"routes":[`+good+
		`,{"TwilioNumber":"858","DestinationCarrier":"x","FallbackCarriers":["y","y"]}]}`), route.Reading{})
	if err == nil {
		t.Fatal("ParseMaintenance: no error")
	}
	for line := range strings.Lines(err.Error()) {
		if !strings.HasPrefix(line, "routes[1]: ") {
			t.Errorf("problem without its place: %s", line)
		}
	}
}

// TestParseMaintenanceJoinsUnknownFields: an unknown field, or an invalid time, is one problem among others and has
// its place.
func TestParseMaintenanceJoinsUnknownFields(t *testing.T) {
	_, err := route.ParseMaintenance(strings.NewReader(`{"routes":[
		{"TwilioNumber":"858","DestinationCarrier":"+18585550122","Active":true},
		{"TwilioNumber":"+18585550101","DestinationCarrier":"+18585550122","Active":true,"Fallback":[]},
		{"TwilioNumber":"+18585550102","DestinationCarrier":"+18585550122","Active":true,"LastUpdated":"yesterday"}
	]}`), route.Reading{})
	if err == nil {
		t.Fatal("ParseMaintenance: no error")
	}
	problems := strings.Split(err.Error(), "\n")
	for place, problem := range map[string]string{"routes[0]": `TwilioNumber "858"`, "routes[1]": `"Fallback"`, "routes[2]": "yesterday"} {
		found := false
		for _, p := range problems {
			found = found || strings.Contains(p, place) && strings.Contains(p, problem)
		}
		if !found {
			t.Errorf("no problem with %s and %s in:\n%v", place, problem, err)
		}
	}
}

// TestParseMaintenanceFindsNoLoopThroughNowhere: what is left out is missing, and routes to nothing.
func TestParseMaintenanceFindsNoLoopThroughNowhere(t *testing.T) {
	_, err := route.ParseMaintenance(strings.NewReader(`{"routes":[{"DestinationCarrier":"+18585550122","Active":true},`+
		`{"TwilioNumber":"+18585550101","Active":true}]}`), route.Reading{})
	if err == nil || strings.Contains(err.Error(), "loop") {
		t.Errorf("ParseMaintenance = %v, want what is missing and no loop", err)
	}
}

// endless is a device that never ends.
type endless struct{ read int }

// Read fills p with blanks.
func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read += len(p)
	return len(p), nil
}

// A device, or a wrong file, does not fill the memory.
func TestMaintenanceIsBounded(t *testing.T) {
	device := &endless{}
	if _, err := route.ParseMaintenance(device, route.Reading{}); err == nil || !strings.Contains(err.Error(), "more than 16 MB") {
		t.Errorf("error %v", err)
	}
	if device.read > 64<<20 {
		t.Errorf("%d bytes were read", device.read)
	}
}
