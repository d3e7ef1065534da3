package twilio

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/sms"
)

const numbersPath = "/2010-04-01/Accounts/" + testAccount + "/IncomingPhoneNumbers.json"

func numberSid(i int) string { return fmt.Sprintf("PN%032d", i) }

// numberResource is an IncomingPhoneNumber as Twilio writes it.
func numberResource(i int) map[string]any {
	return map[string]any{
		"sid": numberSid(i), "phone_number": fmt.Sprintf("+185855501%02d", i%100), "friendly_name": "Front desk",
		"sms_url": "https://relay.example.com/sms/inbound#rc=5", "sms_method": "POST", "sms_fallback_url": "", "sms_fallback_method": "POST",
		"status_callback": "", "sms_application_sid": nil,
		"capabilities": map[string]bool{"sms": true, "mms": false, "voice": true, "fax": false},
	}
}

// numberPages serves total numbers by page.
func numberPages(t *testing.T, total int) http.HandlerFunc {
	t.Helper()
	return func(w http.ResponseWriter, r *http.Request) {
		size, err := strconv.Atoi(r.URL.Query().Get("PageSize"))
		if err != nil {
			t.Errorf("PageSize: %v", err)
			size = 1
		}
		page, _ := strconv.Atoi(r.URL.Query().Get("Page"))
		numbers := []any{}
		for i := page * size; i < min(total, (page+1)*size); i++ {
			numbers = append(numbers, numberResource(i))
		}
		var next any
		if (page+1)*size < total {
			next = fmt.Sprintf("%s?PageSize=%d&Page=%d&PageToken=PA%s", numbersPath, size, page+1, numberSid(page))
		}
		answer(200, toJSON(t, map[string]any{"incoming_phone_numbers": numbers, "next_page_uri": next, "page": page, "page_size": size}))(w, r)
	}
}

func TestNumbersFollowsPages(t *testing.T) {
	client := newClient(t, serveChecked(t, numberPages(t, 2*numbersPage+1)))
	numbers, err := client.Numbers(t.Context(), "")
	if err != nil || len(numbers) != 2*numbersPage+1 || numbers[numbersPage].Sid != numberSid(numbersPage) {
		t.Fatalf("%d numbers, %v", len(numbers), err)
	}
	want := Number{
		Sid: numberSid(0), PhoneNumber: "+18585550100", FriendlyName: "Front desk", SMS: true, Voice: true,
		NumberSettings: NumberSettings{SmsURL: "https://relay.example.com/sms/inbound#rc=5", SmsMethod: "POST", SmsFallbackMethod: "POST"},
	}
	if diff := cmp.Diff(want, numbers[0]); diff != "" {
		t.Errorf("number (-want +got):\n%s", diff)
	}
}

// TestNumbersOfOne: Twilio takes the parameter for a pattern, so that others may be in the answer.
func TestNumbersOfOne(t *testing.T) {
	s := serve(t, numberPages(t, 3))
	numbers, err := newClient(t, s.URL).Numbers(t.Context(), "+18585550101")
	if err != nil || len(numbers) != 1 || numbers[0].PhoneNumber != "+18585550101" {
		t.Errorf("%+v, %v", numbers, err)
	}
	if query := s.seen()[0].rawQuery; !strings.Contains(query, "PhoneNumber=%2B18585550101") {
		t.Errorf("asked with %s", query)
	}
}

func TestConfigureNumberSendsWhatIsSet(t *testing.T) {
	settings := NumberSettings{
		SmsURL: "https://relay.example.com/sms/inbound#rc=5&rp=5xx,ct,rt", SmsMethod: "POST",
		SmsFallbackURL: "https://other.example.com/sms/inbound",
	}
	newClientChecked := newClient(t, serveChecked(t, answer(http.StatusOK, toJSON(t, numberResource(0)))))
	if _, err := newClientChecked.ConfigureNumber(t.Context(), numberSid(0), settings); err != nil {
		t.Errorf("against the document: %v", err)
	}
	s := serve(t, answer(http.StatusOK, toJSON(t, numberResource(0))))
	got, err := newClient(t, s.URL).ConfigureNumber(t.Context(), numberSid(0), settings)
	if err != nil || got.PhoneNumber != "+18585550100" {
		t.Fatalf("%+v, %v", got, err)
	}
	want := url.Values{"SmsUrl": {settings.SmsURL}, "SmsMethod": {"POST"}, "SmsFallbackUrl": {settings.SmsFallbackURL}}
	if diff := cmp.Diff(want, s.seen()[0].form); diff != "" {
		t.Errorf("form (-want +got):\n%s", diff)
	}
}

func TestNumbersFail(t *testing.T) {
	tests := []struct {
		name    string
		handler http.HandlerFunc
		read    fault.Kind
		write   fault.Kind
	}{
		{"credentials", answer(401, refusal(t, 20003, 401)), fault.Fatal, fault.Fatal},
		{"broken off", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, fault.Transient, fault.Unknown},
		{"no JSON", answer(200, "<html>"), fault.Transient, fault.Unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := newClient(t, serve(t, tt.handler).URL)
			_, listed := client.Numbers(t.Context(), "")
			_, asked := client.Account(t.Context())
			_, configured := client.ConfigureNumber(t.Context(), numberSid(0), NumberSettings{SmsMethod: "POST"})
			for what, got := range map[string]struct {
				err  error
				want fault.Kind
			}{"list": {listed, tt.read}, "account": {asked, tt.read}, "configure": {configured, tt.write}} {
				failure, ok := errors.AsType[*fault.Error](got.err)
				if !ok || failure.Kind != got.want {
					t.Errorf("%s: %v, want %v", what, got.err, got.want)
					continue
				}
				checkNothingLeaks(t, got.err)
			}
		})
	}
	if _, err := newClient(t, "http://127.0.0.1:1").ConfigureNumber(t.Context(), "../Messages",
		NumberSettings{}); !errors.Is(err, errNoNumberSid) {
		t.Errorf("an invalid Sid: %v", err)
	}
}

func TestAccountTellsTheTime(t *testing.T) {
	body := toJSON(t, map[string]any{"sid": testAccount, "status": "active", "type": "Trial", "auth_token": testToken})
	for date, want := range map[string]time.Time{
		"Date: Thu, 26 Nov 2026 13:00:00 GMT": time.Date(2026, 11, 26, 13, 0, 0, 0, time.UTC),
		"Date: yesterday":                     {},
	} {
		client := newClient(t, serve(t, answer(200, body, date)).URL)
		got, err := client.Account(t.Context())
		if diff := cmp.Diff(Account{Sid: testAccount, Status: "active", Type: "Trial", Date: want}, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
	client := newClient(t, serveChecked(t, answer(200, body)))
	if _, err := client.Account(t.Context()); err != nil {
		t.Errorf("against the document: %v", err)
	}
}

// TestAServiceStandsInTheList: it decides where the texts of its numbers go.
func TestAServiceStandsInTheList(t *testing.T) {
	const service = "MG0123456789abcdef0123456789abcdef"
	client := newClient(t, serve(t,
		answer(200, listPage(t, []any{map[string]any{"sid": testSid, "messaging_service_sid": service}}, nil))).URL)
	found, err := client.List(t.Context(), ListFilter{To: sms.PhoneNumber("+18585550100"), Limit: 1})
	if err != nil || len(found) != 1 || found[0].MessagingServiceSid != service {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestRestoreNumberTakesAwayWhatWasNotThere(t *testing.T) {
	s := serve(t, answer(http.StatusOK, toJSON(t, numberResource(0))))
	was := NumberSettings{SmsURL: "https://old.example.com/", SmsMethod: "GET", StatusCallback: "https://calls.example.com/"}
	if _, err := newClient(t, s.URL).RestoreNumber(t.Context(), numberSid(0), was); err != nil {
		t.Fatal(err)
	}
	want := url.Values{"SmsUrl": {was.SmsURL}, "SmsMethod": {"GET"}, "SmsFallbackUrl": {""}}
	if diff := cmp.Diff(want, s.seen()[0].form); diff != "" {
		t.Errorf("form (-want +got):\n%s", diff)
	}
	if _, err := newClient(t, "http://127.0.0.1:1").RestoreNumber(t.Context(), "../Messages", was); !errors.Is(err, errNoNumberSid) {
		t.Errorf("an invalid Sid: %v", err)
	}
}
