package twiliofake_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	messaging "github.com/twilio/twilio-go/rest/messaging/v1"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/sms"
)

const second sms.PhoneNumber = "+18585550101"

// campaign are good terms of a campaign.
func campaign(changes ...string) url.Values {
	values := url.Values{
		"BrandRegistrationSid": {"BN0123456789abcdef0123456789abcdef"}, "UsAppToPersonUsecase": {"CUSTOMER_CARE"},
		"Description":      {"Customers who rent a dumpster text us, and we answer them."},
		"MessageFlow":      {"Customers text the number that stands on our dumpsters and on our web site."},
		"MessageSamples":   {"Your dumpster comes at two.", "We take the mattress along."},
		"HasEmbeddedLinks": {"false"}, "HasEmbeddedPhone": {"false"},
	}
	for i := 0; i < len(changes); i += 2 {
		values.Set(changes[i], changes[i+1])
	}
	return values
}

// post asks messaging.twilio.com, which has to answer with this status.
func (a *account) post(t *testing.T, path string, params url.Values, status int) map[string]any {
	t.Helper()
	got := a.do(t, http.MethodPost, a.url+"/v1/Services"+path, params)
	if got.status != status {
		t.Fatalf("%s: status %d, want %d: %v", path, got.status, status, got.body)
	}
	return got.body
}

// newService makes a Messaging Service of numbers, and returns its path below /v1/Services.
func (a *account) newService(t *testing.T, settings url.Values, numbers ...sms.PhoneNumber) string {
	t.Helper()
	settings.Set("FriendlyName", "Dumpsters")
	path := "/" + text(t, a.post(t, "", settings, http.StatusCreated), "sid")
	for _, number := range numbers {
		known, _ := a.Number(number)
		a.post(t, path+"/PhoneNumbers", url.Values{"PhoneNumberSid": {known.Sid}}, http.StatusCreated)
	}
	return path
}

// TestServicesHaveTwiliosFields: each resource has the fields that Twilio's library reads, and no others.
func TestServicesHaveTwiliosFields(t *testing.T) {
	account := start(t, withNumbers(ours))
	path := account.newService(t, url.Values{}, ours)
	account.post(t, path+"/Compliance/Usa2p", campaign(), http.StatusCreated)
	for target, as := range map[string]any{
		path:                       &messaging.MessagingV1Service{},
		path + "/PhoneNumbers":     &messaging.ListPhoneNumberResponse{},
		path + "/Compliance/Usa2p": &messaging.ListUsAppToPersonResponse{},
		"?PageSize=1":              &messaging.ListServiceResponse{},
	} {
		got := account.do(t, http.MethodGet, account.url+"/v1/Services"+target, nil)
		raw, err := json.Marshal(got.body)
		if err != nil {
			t.Fatal(err)
		}
		decoder := json.NewDecoder(strings.NewReader(string(raw)))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(as); err != nil {
			t.Errorf("%s: the library cannot read %s: %v", target, raw, err)
		}
		resource, list := got.body, reflect.TypeOf(as).Elem()
		for _, key := range []string{"services", "phone_numbers", "compliance"} {
			if all, ok := got.body[key].([]any); ok {
				resource, _ = all[0].(map[string]any)
				field, _ := list.FieldByNameFunc(func(name string) bool { return name != "Meta" })
				list = field.Type.Elem()
			}
		}
		for field := range list.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if _, found := resource[name]; !found {
				t.Errorf("%s has no %s", target, name)
			}
		}
	}
}

func TestServiceRefusals(t *testing.T) {
	account := start(t, withNumbers(ours, second))
	path, other := account.newService(t, url.Values{}, ours), account.newService(t, url.Values{})
	known, _ := account.Number(ours)
	account.post(t, path+"/Compliance/Usa2p", campaign(), http.StatusCreated)
	for name, tt := range map[string]struct {
		path         string
		params       url.Values
		status, code float64
	}{
		"no name":           {"", url.Values{}, 400, 20001},
		"use case":          {"", url.Values{"FriendlyName": {"a"}, "Usecase": {"fun"}}, 400, 21713},
		"URL":               {path, url.Values{"InboundRequestUrl": {"relay"}}, 400, 21402},
		"method":            {path, url.Values{"FallbackMethod": {"PUT"}}, 400, 21403},
		"neither true":      {path, url.Values{"StickySender": {"perhaps"}}, 400, 20001},
		"validity":          {path, url.Values{"ValidityPeriod": {"36001"}}, 400, 21624},
		"no service":        {"/MG0", url.Values{}, 404, 20404},
		"no number":         {path + "/PhoneNumbers", url.Values{}, 400, 20001},
		"unknown number":    {path + "/PhoneNumbers", url.Values{"PhoneNumberSid": {"PN1"}}, 400, 21421},
		"in it already":     {path + "/PhoneNumbers", url.Values{"PhoneNumberSid": {known.Sid}}, 409, 21710},
		"in another":        {other + "/PhoneNumbers", url.Values{"PhoneNumberSid": {known.Sid}}, 409, 21712},
		"second campaign":   {path + "/Compliance/Usa2p", campaign(), 409, 20409},
		"no flow":           {other + "/Compliance/Usa2p", campaign("MessageFlow", ""), 400, 21727},
		"short description": {other + "/Compliance/Usa2p", campaign("Description", "Texts"), 400, 21728},
		"one sample":        {other + "/Compliance/Usa2p", campaign("MessageSamples", "Your dumpster comes at two."), 400, 21728},
		"short reply":       {other + "/Compliance/Usa2p", campaign("HelpMessage", "Help"), 400, 21728},
		"no brand":          {other + "/Compliance/Usa2p", campaign("BrandRegistrationSid", "BN1"), 400, 21717},
		"no campaign":       {other + "/Compliance/Usa2p/QE1", campaign("AgeGated", "false", "DirectLending", "false"), 404, 20404},
		"no such resource":  {path + "/ShortCodes", url.Values{}, 404, 20404},
	} {
		got := account.do(t, http.MethodPost, account.url+"/v1/Services"+tt.path, tt.params)
		if float64(got.status) != tt.status || got.body["code"] != tt.code {
			t.Errorf("%s: %d %v, want %v with %v", name, got.status, got.body, tt.status, tt.code)
		}
	}
	if services := account.Services(); len(services) != 2 || len(services[0].Numbers) != 1 || services[1].Campaign != nil {
		t.Errorf("what was refused has changed something: %+v", services)
	}
}

// TestServicesArePaged follows the pages' absolute URLs.
func TestServicesArePaged(t *testing.T) {
	account := start(t, withNumbers(ours))
	for range 3 {
		account.newService(t, url.Values{})
	}
	var sids []string
	for next, pages := account.url+"/v1/Services?PageSize=2", 0; next != ""; pages++ {
		got := account.do(t, http.MethodGet, next, nil)
		services, _ := got.body["services"].([]any)
		for _, one := range services {
			resource, _ := one.(map[string]any)
			sids = append(sids, text(t, resource, "sid"))
		}
		meta, _ := got.body["meta"].(map[string]any)
		next, _ = meta["next_page_url"].(string)
		if pages == 0 && next == "" {
			t.Fatalf("there is one page of %v", meta)
		}
	}
	if len(slices.Compact(sids)) != 3 {
		t.Errorf("listed are %v", sids)
	}
}

// TestServiceSends: the service picks the number, has its own status callback, and keeps to the number that a phone knows.
func TestServiceSends(t *testing.T) {
	account := start(t, withNumbers(ours, second, "+18585550102"))
	app := receive(t, nil)
	path := account.newService(t, url.Values{"StatusCallback": {app.url}}, second, ours)
	through := func(changes ...string) url.Values {
		return params(append([]string{"From", "", "MessagingServiceSid", path[1:]}, changes...)...)
	}
	from := func(values url.Values) string {
		t.Helper()
		sid := account.mustCreate(t, values)
		account.settle(t)
		return text(t, account.fetch(t, sid), "from")
	}
	if got := from(through()); got != string(second) {
		t.Errorf("the first message is from %s, want the service's first number", got)
	}
	if got := len(app.webhooks()); got != 3 {
		t.Errorf("the service's status callback was posted to %d times, want 3: queued, sent, delivered", got)
	}
	if got := from(params("To", string(customer), "From", string(ours))); got != string(ours) {
		t.Fatal(got)
	}
	if got := from(through("To", string(customer))); got != string(ours) {
		t.Errorf("the customer knows %s, and is texted by %s", ours, got)
	}
	account.post(t, path, url.Values{"StickySender": {"false"}}, http.StatusOK)
	if got := from(through("To", string(customer))); got != string(second) {
		t.Errorf("the service is not sticky, and the customer is texted by %s", got)
	}
	empty := account.newService(t, url.Values{})
	for name, tt := range map[string]struct {
		params url.Values
		code   float64
	}{
		"no such service":          {through("MessagingServiceSid", serviceSid), 21701},
		"service without a number": {through("MessagingServiceSid", empty[1:]), 21704},
		"number of another":        {through("From", "+18585550102"), 21711},
	} {
		if got := account.create(t, tt.params); got.body["code"] != tt.code {
			t.Errorf("%s: %v, want %v", name, got.body, tt.code)
		}
	}
}

// TestServiceReceives: texts go to the service's webhook, unless it leaves them to the numbers' own.
func TestServiceReceives(t *testing.T) {
	own, service := receive(t, nil), receive(t, nil)
	account := start(t, withNumbers(ours), func(c *twiliofake.Config) { c.Webhook.URL = own.url })
	path := account.newService(t, url.Values{}, ours)
	inbound := twiliofake.Inbound{From: customer, To: ours, Body: "Hello"}
	if _, err := account.SendInbound(t.Context(), inbound, ""); err == nil {
		t.Error("a service without a webhook takes texts")
	}
	account.post(t, path, url.Values{"InboundRequestUrl": {service.url}}, http.StatusOK)
	for target, useOwn := range map[*receiver]string{service: "false", own: "true"} {
		account.post(t, path, url.Values{"UseInboundWebhookOnNumber": {useOwn}}, http.StatusOK)
		if got, err := account.SendInbound(t.Context(), inbound, ""); err != nil || got.URL != target.url {
			t.Errorf("use the number's own webhook %s: the text went to %s, %v", useOwn, got.URL, err)
		}
		if got := target.webhooks(); len(got) != 1 || got[0].params.Get("MessagingServiceSid") != path[1:] {
			t.Errorf("use the number's own webhook %s: the webhook got %v", useOwn, got)
		}
	}
}

// TestOptOutIsOfTheWholeService: who texts STOP to one number of a service is not texted by the others.
func TestOptOutIsOfTheWholeService(t *testing.T) {
	app := receive(t, nil)
	account := start(t, withNumbers(ours, second, "+18585550102"), func(c *twiliofake.Config) { c.Webhook.URL = app.url })
	account.newService(t, url.Values{"UseInboundWebhookOnNumber": {"true"}}, ours, second)
	to := func(from sms.PhoneNumber) any {
		return account.create(t, params("From", string(from), "To", string(customer))).body["code"]
	}
	say := func(number sms.PhoneNumber, word string) {
		t.Helper()
		if _, err := account.SendInbound(t.Context(), twiliofake.Inbound{From: customer, To: number, Body: word}, ""); err != nil {
			t.Fatal(err)
		}
	}
	say(ours, "STOP")
	got := []any{to(ours), to(second), to("+18585550102")}
	say(second, "START")
	got = append(got, to(ours), to(second))
	if diff := cmp.Diff([]any{21610.0, 21610.0, nil, nil, nil}, got); diff != "" {
		t.Errorf("refusals (-want +got):\n%s", diff)
	}
}

// TestCampaigns: a campaign gets verified by itself, and until then and when it is suspended, messages do not arrive.
func TestCampaigns(t *testing.T) {
	account := start(t, withNumbers(ours))
	path := account.newService(t, url.Values{}, ours)
	made := account.post(t, path+"/Compliance/Usa2p", campaign(), http.StatusCreated)
	self := path + "/Compliance/Usa2p/" + text(t, made, "sid")
	account.check(t, self, "PENDING", 30034.0)
	account.clock.Advance(1)
	account.check(t, self, "VERIFIED", nil)
	for _, as := range []struct {
		status twiliofake.CampaignStatus
		code   float64
	}{{twiliofake.CampaignSuspended, 30033}, {twiliofake.CampaignInProgress, 30034}, {twiliofake.CampaignFailed, 30034}} {
		if _, found := account.SetCampaign(self[strings.LastIndex(self, "/")+1:], as.status); !found {
			t.Fatal("there is no campaign")
		}
		account.check(t, self, string(as.status), as.code)
		resource := account.do(t, http.MethodGet, account.url+"/v1/Services"+self, nil).body
		if problems, _ := resource["errors"].([]any); (len(problems) > 0) != (as.status == twiliofake.CampaignFailed) {
			t.Errorf("%s: errors %v", as.status, problems)
		}
	}
	edit := campaign("AgeGated", "true", "DirectLending", "false")
	if got := account.post(t, self, edit, http.StatusOK); got["age_gated"] != true || got["campaign_status"] != "PENDING" {
		t.Errorf("changed is %v", got)
	}
	account.SetCampaign(self[strings.LastIndex(self, "/")+1:], twiliofake.CampaignSuspended)
	if got := account.post(t, self, edit, http.StatusBadRequest); got["code"] != 21729.0 {
		t.Errorf("a suspended campaign is changed: %v", got)
	}
}

// check holds how far a campaign is, and what becomes of a message, against what they have to be.
func (a *account) check(t *testing.T, campaign, status string, code any) {
	t.Helper()
	if got := a.do(t, http.MethodGet, a.url+"/v1/Services"+campaign, nil).body["campaign_status"]; got != status {
		t.Errorf("the campaign is %v, want %s", got, status)
	}
	service := a.do(t, http.MethodGet, a.url+"/v1/Services"+campaign[:strings.Index(campaign, "/Compliance")], nil).body
	if got := service["us_app_to_person_registered"]; got != (status == "VERIFIED") {
		t.Errorf("%s: the service is registered: %v", status, got)
	}
	sid := a.mustCreate(t, params())
	a.settle(t)
	if got := a.fetch(t, sid)["error_code"]; got != code {
		t.Errorf("%s: a message ends with %v, want %v", status, got, code)
	}
}

// TestServicesGo: what is deleted is gone, and so is all with a reset.
func TestServicesGo(t *testing.T) {
	account := start(t, withNumbers(ours))
	path := account.newService(t, url.Values{}, ours)
	made := account.post(t, path+"/Compliance/Usa2p", campaign(), http.StatusCreated)
	known, _ := account.Number(ours)
	for _, target := range []string{path + "/Compliance/Usa2p/" + text(t, made, "sid"), path + "/PhoneNumbers/" + known.Sid, path} {
		for _, want := range []struct {
			method string
			status int
		}{{http.MethodGet, 200}, {http.MethodDelete, 204}, {http.MethodGet, 404}, {http.MethodDelete, 404}} {
			request, err := http.NewRequestWithContext(t.Context(), want.method, account.url+"/v1/Services"+target, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			request.SetBasicAuth(accountSid, authToken)
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if response.StatusCode != want.status {
				t.Errorf("%s %s: %d, want %d", want.method, target, response.StatusCode, want.status)
			}
		}
	}
	account.newService(t, url.Values{}, ours)
	account.Reset()
	if left := account.Services(); len(left) != 0 {
		t.Errorf("after a reset there are %v", left)
	}
}
