package route_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// The phones of the tests of names.
const (
	ann     sms.PhoneNumber = "+16195550123"
	bo      sms.PhoneNumber = "+16195550124"
	boHome  sms.PhoneNumber = "+16195550125"
	cy      sms.PhoneNumber = "+16195550126"
	unknown sms.PhoneNumber = "+16195550199"
)

// crewed is a route to Ann, with Bo as a named phone and Cy as the owner.
func crewed() route.Route {
	return route.Route{
		TwilioNumber: ownNumber, DestinationCarrier: ann, Active: true,
		Phones: []route.Phone{{Name: "Ann", Number: ann}, {Name: "Bo Lee", Number: bo, Also: []sms.PhoneNumber{boHome}}},
		Owner:  string(cy),
	}
}

func TestWhoseAPhoneIs(t *testing.T) {
	r := crewed()
	for number, want := range map[sms.PhoneNumber]struct {
		name    string
		phone   sms.PhoneNumber
		isPhone bool
	}{
		ann: {"Ann", ann, true}, bo: {"Bo Lee", bo, true}, boHome: {"Bo Lee", bo, true}, cy: {"", cy, true},
		unknown: {"", unknown, false}, ownNumber: {"", ownNumber, false}, "": {"", "", false},
	} {
		if r.NameOf(number) != want.name || r.PhoneOf(number) != want.phone || r.IsPhone(number) != want.isPhone {
			t.Errorf("%s: name %q, phone %s, is a phone %t, want %+v", number, r.NameOf(number), r.PhoneOf(number), r.IsPhone(number), want)
		}
	}
	if got := r.AllPhones(); !slices.Equal(got, []sms.PhoneNumber{ann, bo, cy}) {
		t.Errorf("all phones are %v", got)
	}
	for name, want := range map[string]sms.PhoneNumber{"ann": ann, "BO LEE": bo, "Bo": "", "Bo Le": "", "": "", "Cy": ""} {
		if p, ok := r.PhoneNamed(name); p.Number != want || ok != (want != "") {
			t.Errorf("%q is %s, %t, want %s", name, p.Number, ok, want)
		}
	}
	r.Owner = "bo lee"
	if got := r.OwnerPhone(); got != bo {
		t.Errorf("the owner's phone is %s, want %s", got, bo)
	}
	if bare := relaytest.Route(); bare.OwnerPhone() != "" || !slices.Equal(bare.AllPhones(), bare.Hops()) {
		t.Errorf("a route without names has the phones %v and the owner %s", bare.AllPhones(), bare.OwnerPhone())
	}
}

func TestNamedPhonesAreChecked(t *testing.T) {
	names := func(names ...string) func(*route.Route) {
		return func(r *route.Route) {
			r.Phones = nil
			for i, name := range names {
				r.Phones = append(r.Phones, route.Phone{Name: name, Number: sms.PhoneNumber(fmt.Sprint("+161955501", 30+i))})
			}
		}
	}
	const form = " is not written as a text shows it: at most 20 letters of a short text message, no colon, no word that looks like a tag"
	for want, change := range map[string]func(*route.Route){
		"":                             func(*route.Route) {},
		"Phones[1].Name is missing":    names("Ann", ""),
		"Phones[0].Name" + form:        names("A47 Ann"),
		"Phones[1].Name" + form:        names("Ann", "Bo: home"),
		"Phones[0].Name has no letter": names("619"),
		"Phones[0].Name begins with /, as a command does":  names("/off"),
		"Phones[1].Name is the name of another phone, too": names("Ann", "ANN"),
		"Phones has 51 phones, at most 50": names(
			strings.Fields(strings.Repeat("x ", 51))...,
		),
		"Owner is neither a number nor the name of one of Phones": func(r *route.Route) {
			r.Owner = "Dee"
		},
		`Owner "+1619" is not E.164: want a plus sign, country code and number, such as +18585550100`: func(r *route.Route) {
			r.Owner = "+1619"
		},
		`Phones[0].Number "6195550123" is not E.164: want a plus sign, country code and number, such as +16195550123`: func(r *route.Route) {
			r.Phones[0].Number = "6195550123"
		},
		"phone +18585550100 is the Twilio number itself: texts would go round in a loop": func(r *route.Route) {
			r.Phones[1].Number = ownNumber
		},
		"phone +16195550123 is listed twice": func(r *route.Route) {
			r.Phones[1].Also[0] = ann
		},
		"+16195550125 is a further number of Bo Lee: texts go to +16195550124": func(r *route.Route) {
			r.DestinationCarrier = boHome
		},
		"thread +16195550125 is a hop, too: texts would go round in a loop": func(r *route.Route) {
			r.Threads = []sms.PhoneNumber{boHome}
		},
		"Phones[1].Also has 6 numbers, at most 5": func(r *route.Route) {
			r.Phones[1].Also = []sms.PhoneNumber{"+16195550130", "+16195550131", "+16195550132", "+16195550133", "+16195550134", "+16195550135"}
		},
	} {
		r := crewed()
		change(&r)
		got := ""
		if err := r.Validate(); err != nil {
			got = err.Error()
		}
		if first, _, _ := strings.Cut(got, "\n"); first != want {
			t.Errorf("problem %q, want %q", got, want)
		}
	}
}

// TestNamedPhonesMakeLoops: a text to a number that is routed itself would go round, whoever it is for.
func TestNamedPhonesMakeLoops(t *testing.T) {
	other := route.Route{TwilioNumber: otherNumber, DestinationCarrier: unknown, Active: true, Threads: []sms.PhoneNumber{threadA}}
	for _, change := range []func(*route.Route){
		func(r *route.Route) { r.Phones[1].Number = otherNumber },
		func(r *route.Route) { r.Phones[1].Also[0] = threadA },
		func(r *route.Route) { r.Owner = string(threadA) },
	} {
		r := crewed()
		if loops := route.Loops([]route.Route{other}, r); len(loops) != 0 {
			t.Fatalf("loops %v", loops)
		}
		change(&r)
		if loops := route.Loops([]route.Route{other}, r); len(loops) != 1 {
			t.Errorf("loops %v, want one", loops)
		}
	}
}

// TestPhonesInAFile: names are kept as texts show them, and what is wrong is said with its line.
func TestPhonesInAFile(t *testing.T) {
	file := func(phones string) string {
		return "{\"routes\":[{\"TwilioNumber\":\"+18585550100\",\"DestinationCarrier\":\"+16195550123\",\"Active\":true,\n" + phones + "}]}"
	}
	folded := file(`"Phones":[{"Name":" Łukasz:  Żak","Number":"+16195550124"}],"Owner":"Łukasz Żak"`)
	routes, err := route.ParseMaintenance(strings.NewReader(folded), route.Reading{})
	if err != nil || routes[0].Phones[0].Name != "Lukasz Zak" || routes[0].OwnerPhone() != bo {
		t.Errorf("routes %+v, error %v", routes, err)
	}
	for _, tt := range []struct{ want, phones string }{
		{
			`routes[0]: line 3: unknown field "Phone"`,
			"\"Phones\":[{\"Name\":\"Ann\",\"Number\":\"+16195550123\"},\n{\"Name\":\"Bo\",\"Phone\":\"+16195550124\"}]",
		},
		{
			`routes[0]: line 2: unknown field "Day"; did you mean "Days"?`,
			`"Schedule":[{"Day":"Mon","From":"07:00","To":"18:00","Phones":["Ann"]}]`,
		},
		{
			`routes[0]: line 3: unknown field "Until"`,
			"\"Overrides\":[{\"Date\":\"2026-12-24\"},\n{\"Date\":\"2026-12-25\",\"Until\":\"12:00\"}]",
		},
		{
			"routes[0]: line 2: Name is there twice",
			`"Phones":[{"Name":"Ann","Name":"Bo","Number":"+16195550123"}]`,
		},
		{
			"routes[0]: line 2: Phones must not be a JSON object: want a list of phones, such as",
			`"Phones":{"Ann":"+16195550123"}`,
		},
		{
			"routes[0]: line 2: Phones.Also must not be a JSON string: want a list of numbers",
			`"Phones":[{"Name":"Ann","Number":"+16195550123","Also":"+16195550124"}]`,
		},
	} {
		_, err := route.ParseMaintenance(strings.NewReader(file(tt.phones)), route.Reading{})
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("error %v, want %s", err, tt.want)
		}
	}
}
