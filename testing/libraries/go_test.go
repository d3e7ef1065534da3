package libraries

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	twilioclient "github.com/twilio/twilio-go/client"
	twilioapi "github.com/twilio/twilio-go/rest/api/v2010"
	messaging "github.com/twilio/twilio-go/rest/messaging/v1"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
)

// toFake is a transport that takes requests for Twilio to the fake. twilio-go has no setting for its address.
type toFake struct{ base *url.URL }

// RoundTrip sends a request on.
func (f toFake) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = f.base.Scheme, f.base.Host, f.base.Host
	return http.DefaultTransport.RoundTrip(r)
}

// application is texted, and hears what becomes of its messages.
type application struct {
	mu  sync.Mutex
	saw saw
}

// ServeHTTP answers Twilio's webhooks and callbacks.
func (a *application) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	a.mu.Lock()
	defer a.mu.Unlock()
	validator := twilioclient.NewRequestValidator(token)
	form, badForm := url.ParseQuery(string(body))
	if err != nil || badForm != nil || !validator.ValidateBody("http://"+r.Host+r.URL.Path, body, r.Header.Get("X-Twilio-Signature")) {
		a.saw.Forged++
		w.WriteHeader(http.StatusForbidden)
		return
	}
	if r.URL.Path == "/status" {
		a.saw.Statuses = append(a.saw.Statuses, form.Get("MessageStatus"))
		return
	}
	a.saw.Texts = append(a.saw.Texts, form.Get("Body"))
	w.Header().Set("Content-Type", "text/xml")
	_, _ = io.WriteString(w, "<Response><Message>Thanks, "+form.Get("From")+"</Message></Response>")
}

// TestGo points the library by a transport that rewrites the host.
func TestGo(t *testing.T) {
	server, address := fake(t)
	base, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	client := &twilioclient.Client{
		Credentials: twilioclient.NewCredentials(account, token), HTTPClient: &http.Client{Transport: toFake{base}},
	}
	client.SetAccountSid(account)
	handler := twilioclient.NewRequestHandler(client)
	api := twilioapi.NewApiService(handler)
	app := &application{}
	own := httptest.NewServer(app)
	t.Cleanup(own.Close)

	// A customer texts the number, and gets the answer.
	numbers, err := api.ListIncomingPhoneNumber((&twilioapi.ListIncomingPhoneNumberParams{}).SetPhoneNumber(string(number)))
	if err != nil || len(numbers) != 1 {
		t.Fatal(numbers, err)
	}
	_, err = api.UpdateIncomingPhoneNumber(*numbers[0].Sid, (&twilioapi.UpdateIncomingPhoneNumberParams{}).SetSmsUrl(own.URL+"/text"))
	if err != nil {
		t.Fatal(err)
	}
	text(t, server, "Is the sofa gone?")
	settle(t, server)

	// The application texts the customer, and hears what became of it.
	params := (&twilioapi.CreateMessageParams{}).SetFrom(string(number)).SetTo(string(customer)).SetBody("It is on its way")
	sent, err := api.CreateMessage(params.SetStatusCallback(own.URL + "/status"))
	if err != nil {
		t.Fatal(err)
	}
	settle(t, server)
	fetched, err := api.FetchMessage(*sent.Sid, nil)
	if err != nil {
		t.Fatal(err)
	}
	listed, err := api.ListMessage((&twilioapi.ListMessageParams{}).SetTo(string(customer)).SetLimit(1))
	if err != nil || len(listed) != 1 {
		t.Fatal(listed, err)
	}

	serve(t, server, api, messaging.NewApiService(handler), app)

	// A customer who has opted out is not texted.
	text(t, server, "STOP")
	_, err = api.CreateMessage((&twilioapi.CreateMessageParams{}).SetFrom(string(number)).SetTo(string(customer)).SetBody("One more"))
	refused, _ := errors.AsType[*twilioclient.TwilioRestError](err)
	if refused == nil {
		t.Fatalf("the last text was answered %v", err)
	}
	app.mu.Lock()
	defer app.mu.Unlock()
	app.saw.Delivered, app.saw.Listed, app.saw.Refused = *fetched.Status, []string{*listed[0].Body}, refused.Code
	check(t, server, app.saw)
}

// serve gets the number into a Messaging Service, whose campaign the carriers verify. Then the service texts.
func serve(t *testing.T, server *twiliofake.Server, api *twilioapi.ApiService, services *messaging.ApiService, app *application) {
	t.Helper()
	made, err := services.CreateService((&messaging.CreateServiceParams{}).SetFriendlyName("Dumpsters").SetUseInboundWebhookOnNumber(true))
	if err != nil {
		t.Fatal(err)
	}
	numbers, err := api.ListIncomingPhoneNumber(&twilioapi.ListIncomingPhoneNumberParams{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := services.CreatePhoneNumber(*made.Sid, (&messaging.CreatePhoneNumberParams{}).SetPhoneNumberSid(*numbers[0].Sid)); err != nil {
		t.Fatal(err)
	}
	campaign, err := services.CreateUsAppToPerson(*made.Sid, (&messaging.CreateUsAppToPersonParams{}).
		SetBrandRegistrationSid("BN00000000000000000000000000000001").SetUsAppToPersonUsecase("CUSTOMER_CARE").
		SetDescription("Customers who rent a dumpster text us, and we answer them.").
		SetMessageFlow("Customers text the number that stands on our dumpsters and on our web site.").
		SetMessageSamples([]string{"Your dumpster comes at two.", "We take the mattress along."}).
		SetHasEmbeddedLinks(false).SetHasEmbeddedPhone(false))
	if err != nil {
		t.Fatal(err)
	}
	statuses := []string{*campaign.CampaignStatus}
	for last := ""; last != "VERIFIED"; time.Sleep(time.Millisecond) {
		listed, err := services.ListUsAppToPerson(*made.Sid, nil)
		if err != nil || len(listed) != 1 {
			t.Fatal(listed, err)
		}
		if last = *listed[0].CampaignStatus; last == "VERIFIED" {
			statuses = append(statuses, last)
		}
	}
	members, err := services.ListPhoneNumber(*made.Sid, nil)
	if err != nil || len(members) != 1 {
		t.Fatal(members, err)
	}
	service, err := services.FetchService(*made.Sid)
	if err != nil {
		t.Fatal(err)
	}
	sent, err := api.CreateMessage(
		(&twilioapi.CreateMessageParams{}).SetMessagingServiceSid(*made.Sid).SetTo(string(customer)).SetBody("It is there"))
	if err != nil {
		t.Fatal(err)
	}
	settle(t, server)
	fetched, err := api.FetchMessage(*sent.Sid, nil)
	if err != nil {
		t.Fatal(err)
	}
	app.mu.Lock()
	defer app.mu.Unlock()
	app.saw.Campaigns, app.saw.Members = statuses, []string{*members[0].PhoneNumber}
	app.saw.Registered, app.saw.Sender = []bool{*service.UsAppToPersonRegistered}, *fetched.From
}

func text(t *testing.T, server *twiliofake.Server, body string) {
	t.Helper()
	if _, err := server.SendInbound(t.Context(), twiliofake.Inbound{From: customer, To: number, Body: body}, ""); err != nil {
		t.Fatal(err)
	}
}

func settle(t *testing.T, server *twiliofake.Server) {
	t.Helper()
	if err := server.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
}
