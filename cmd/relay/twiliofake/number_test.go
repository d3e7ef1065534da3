package twiliofake_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	twilioapi "github.com/twilio/twilio-go/rest/api/v2010"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/sms"
)

const numbersPath = "/2010-04-01/Accounts/" + accountSid + "/IncomingPhoneNumbers.json"

// withNumbers is an account of the given numbers.
func withNumbers(numbers ...sms.PhoneNumber) func(*twiliofake.Config) {
	return func(c *twiliofake.Config) {
		c.Numbers = numbers
		c.Webhook = twiliofake.Webhook{URL: "https://relay.example.com/sms/inbound#rc=2"}
		c.Webhooks = map[sms.PhoneNumber]twiliofake.Webhook{"+18585550102": {}}
	}
}

func TestNumbersOverTwiliosOwnLibrary(t *testing.T) {
	a := start(t, withNumbers("+18585550101", "+18585550102", "+18585550103"))
	library := libraryFor(t, a)
	list := func(pattern string) (numbers, urls []string) {
		t.Helper()
		params := (&twilioapi.ListIncomingPhoneNumberParams{}).SetPageSize(2)
		if pattern != "" {
			params.SetPhoneNumber(pattern)
		}
		found, err := library.ListIncomingPhoneNumber(params)
		if err != nil {
			t.Fatal(err)
		}
		for _, number := range found {
			numbers, urls = append(numbers, *number.PhoneNumber), append(urls, *number.SmsUrl)
		}
		return numbers, urls
	}
	numbers, urls := list("")
	if diff := cmp.Diff([]string{"+18585550101", "+18585550102", "+18585550103"}, numbers); diff != "" {
		t.Errorf("all numbers (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"https://relay.example.com/sms/inbound#rc=2", "", "https://relay.example.com/sms/inbound#rc=2"},
		urls); diff != "" {
		t.Errorf("their webhooks (-want +got):\n%s", diff)
	}
	if one, _ := list("+18585550103"); !slices.Equal(one, []string{"+18585550103"}) {
		t.Errorf("by number: %v", one)
	}
	if none, _ := list("+18585550199"); len(none) != 0 {
		t.Errorf("by a number of someone else's: %v", none)
	}
}

// TestANumberIsConfigured changes what is asked for and nothing else, and texts then go there.
func TestANumberIsConfigured(t *testing.T) {
	a := start(t, withNumbers(ours))
	hook := newReceiver(t)
	library := libraryFor(t, a)
	found, err := library.ListIncomingPhoneNumber(&twilioapi.ListIncomingPhoneNumberParams{})
	if err != nil || len(found) != 1 {
		t.Fatalf("%d numbers, %v", len(found), err)
	}
	if _, err := library.UpdateIncomingPhoneNumber(*found[0].Sid,
		(&twilioapi.UpdateIncomingPhoneNumberParams{}).SetSmsFallbackUrl("https://fallback.example.com/sms/inbound")); err != nil {
		t.Fatal(err)
	}
	if _, err := library.UpdateIncomingPhoneNumber(*found[0].Sid, (&twilioapi.UpdateIncomingPhoneNumberParams{}).SetSmsUrl(hook)); err != nil {
		t.Fatal(err)
	}
	fetched, err := library.FetchIncomingPhoneNumber(*found[0].Sid, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{*fetched.SmsUrl, *fetched.SmsMethod, *fetched.SmsFallbackUrl}
	if diff := cmp.Diff([]string{hook, "POST", "https://fallback.example.com/sms/inbound"}, got); diff != "" {
		t.Errorf("configured (-want +got):\n%s", diff)
	}
	response, err := a.SendInbound(t.Context(), twiliofake.Inbound{From: customer, To: ours, Body: "hello"}, "")
	if err != nil || !response.Taken || response.URL != hook {
		t.Errorf("a text went to %s (accepted %v, error %v), want %s", response.URL, response.Taken, err, hook)
	}
}

// newReceiver accepts every webhook with TwiML.
func newReceiver(t *testing.T) (address string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		_, _ = w.Write([]byte("<Response/>"))
	}))
	t.Cleanup(server.Close)
	return server.URL + "/sms/inbound"
}

func TestNumberRefusals(t *testing.T) {
	a := start(t, withNumbers(ours))
	number, found := a.Number(ours)
	if !found {
		t.Fatal("the account has no number")
	}
	address := a.url + "/2010-04-01/Accounts/" + accountSid + "/IncomingPhoneNumbers/" + number.Sid
	for _, tt := range []struct {
		name, method, address string
		params                url.Values
		status                int
		code                  float64
	}{
		{"no URL", http.MethodPost, address + ".json", url.Values{"SmsUrl": {"relay"}}, 400, 21402},
		{
			"invalid overrides", http.MethodPost, address + ".json",
			url.Values{"SmsUrl": {"https://relay.example.com/#rp=never"}},
			400,
			21402,
		},
		{"no method", http.MethodPost, address + ".json", url.Values{"SmsMethod": {"PUT"}}, 400, 21403},
		{"no JSON", http.MethodGet, address, nil, 404, 20404},
		{"another's", http.MethodGet, a.url + "/2010-04-01/Accounts/" + accountSid + "/IncomingPhoneNumbers/PN1.json", nil, 404, 20404},
		{"deleting", http.MethodDelete, address + ".json", nil, 405, 20004},
		{"another account", http.MethodGet, a.url + "/2010-04-01/Accounts/AC00000000000000000000000000000009.json", nil, 404, 20404},
	} {
		if got := a.do(t, tt.method, tt.address, tt.params); got.status != tt.status || got.body["code"] != tt.code {
			t.Errorf("%s: %d %v, want %d with %v", tt.name, got.status, got.body, tt.status, tt.code)
		}
	}
	if after, _ := a.Number(ours); after.Webhook != number.Webhook {
		t.Errorf("what was refused changed the number: %+v", after)
	}
}

func TestTheAccount(t *testing.T) {
	a := start(t, func(c *twiliofake.Config) { c.AccountStatus = "suspended" })
	account, err := libraryFor(t, a).FetchAccount(accountSid)
	if err != nil || *account.Status != "suspended" || *account.Sid != accountSid {
		t.Errorf("%+v, %v", account, err)
	}
	if _, err := twiliofake.New(twiliofake.Config{AccountStatus: "happy"}); err == nil {
		t.Error("an account may be happy")
	}
}

// TestAnAccountWithoutAListHasEveryNumber that it is asked for.
func TestAnAccountWithoutAListHasEveryNumber(t *testing.T) {
	a := start(t, func(c *twiliofake.Config) { c.Numbers = nil })
	page := a.list(t, numbersPath+"?PhoneNumber=%2B18585550142")
	if numbers, ok := page["incoming_phone_numbers"].([]any); !ok || len(numbers) != 1 {
		t.Errorf("page %v", page)
	}
}
