package twiliofake_test

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"testing"

	twilioclient "github.com/twilio/twilio-go/client"
	twilioapi "github.com/twilio/twilio-go/rest/api/v2010"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
)

// libraryFor is Twilio's own client with its requests turned to the account.
func libraryFor(t *testing.T, a *account) *twilioapi.ApiService {
	t.Helper()
	base, err := url.Parse(a.url)
	if err != nil {
		t.Fatal(err)
	}
	client := &twilioclient.Client{
		Credentials: twilioclient.NewCredentials(accountSid, authToken),
		HTTPClient: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			r = r.Clone(r.Context())
			r.URL.Scheme, r.URL.Host, r.Host = base.Scheme, base.Host, base.Host
			return http.DefaultTransport.RoundTrip(r)
		})},
	}
	client.SetAccountSid(accountSid)
	return twilioapi.NewApiService(twilioclient.NewRequestHandler(client))
}

func createParams(to, body string) *twilioapi.CreateMessageParams {
	return (&twilioapi.CreateMessageParams{}).SetFrom(string(ours)).SetTo(to).SetBody(body)
}

func TestTwiliosOwnLibrary(t *testing.T) {
	account := start(t)
	library := libraryFor(t, account)
	var sids []string
	for range 5 {
		message, err := library.CreateMessage(createParams(string(carrier), "Mattress"))
		if err != nil {
			t.Fatal(err)
		}
		sids = append(sids, *message.Sid)
	}
	account.settle(t)
	fetched, err := library.FetchMessage(sids[0], nil)
	if err != nil || *fetched.Status != "delivered" || *fetched.Body != "Mattress" {
		t.Errorf("fetched %+v, %v", fetched, err)
	}
	list := (&twilioapi.ListMessageParams{}).SetTo(string(carrier)).SetDateSentAfter(noon).SetPageSize(2)
	messages, err := library.ListMessage(list)
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, message := range messages {
		listed = append(listed, *message.Sid)
	}
	slices.Reverse(listed)
	if !slices.Equal(sids, listed) {
		t.Errorf("listed %v, want %v", listed, sids)
	}
}

func TestTwiliosOwnLibraryReadsRefusals(t *testing.T) {
	library := libraryFor(t, start(t))
	_, err := library.CreateMessage(createParams("+15005550004", "Mattress"))
	refusal, ok := errors.AsType[*twilioclient.TwilioRestError](err)
	if !ok || refusal.Code != 21610 || refusal.Status != http.StatusBadRequest || refusal.Message == "" {
		t.Errorf("got %v", err)
	}
}

func TestTwiliosOwnLibraryAfterADrop(t *testing.T) {
	account := start(t, after(twiliofake.Fault{DropConnection: true}))
	message, err := libraryFor(t, account).CreateMessage(createParams(string(carrier), "Mattress"))
	if err == nil || message != nil || len(account.Messages()) != 1 {
		t.Errorf("got %v, %v, %d messages", message, err, len(account.Messages()))
	}
}
