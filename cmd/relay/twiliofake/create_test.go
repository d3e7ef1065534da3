package twiliofake_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/sms"
)

func TestCreateAnswersTheResource(t *testing.T) {
	account := start(t)
	got := account.create(t, params())
	sid := "SM00000000000000000000000000000001"
	path := "/2010-04-01/Accounts/" + accountSid + "/Messages/" + sid
	want := map[string]any{
		"sid": sid, "account_sid": accountSid, "messaging_service_sid": nil,
		"from": string(ours), "to": string(carrier), "body": "Mattress, 3rd floor",
		"status": "queued", "direction": "outbound-api", "num_segments": "1", "num_media": "0",
		"date_created": "Tue, 24 Nov 2026 12:00:00 +0000", "date_updated": "Tue, 24 Nov 2026 12:00:00 +0000",
		"date_sent": nil, "error_code": nil, "error_message": nil, "price": nil, "price_unit": "USD",
		"api_version": "2010-04-01", "uri": path + ".json",
		"subresource_uris": map[string]any{"media": path + "/Media.json"},
	}
	if got.status != http.StatusCreated {
		t.Errorf("status %d, want 201", got.status)
	}
	if diff := cmp.Diff(want, got.body); diff != "" {
		t.Errorf("resource (-want +got):\n%s", diff)
	}
}

func TestCreateTakes(t *testing.T) {
	tests := []struct {
		name   string
		params url.Values
		want   map[string]any
	}{
		{"media alone", params("Body", "", "MediaUrl", "https://example.com/a.jpg"), map[string]any{"num_media": "1", "num_segments": "1"}},
		{"body of 1,600 characters", params("Body", strings.Repeat("é", 1600)), map[string]any{"num_segments": "11"}},
		{"body in UCS-2", params("Body", strings.Repeat("ç", 71)), map[string]any{"num_segments": "2"}},
		{"from a short code", params("From", "24365"), map[string]any{"from": "24365"}},
		{"from an alphanumeric sender", params("From", "QuickDump"), map[string]any{"from": "QuickDump"}},
		{"from Twilio's valid magic number", params("From", "+15005550006"), map[string]any{"from": "+15005550006"}},
		{"over WhatsApp", params("From", "whatsapp:+18585550100", "To", "whatsapp:+18585550111"), map[string]any{"to": "whatsapp:+18585550111"}},
		{"through a Messaging Service", params("From", "", "MessagingServiceSid", serviceSid), map[string]any{
			"status": "accepted", "from": nil, "num_segments": "0", "messaging_service_sid": serviceSid,
		}},
		{"validity period of one second", params("ValidityPeriod", "1"), map[string]any{"status": "queued"}},
		{"unknown parameter", params("Fancy", "yes"), map[string]any{"status": "queued"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			account := start(t)
			got := account.create(t, test.params)
			if got.status != http.StatusCreated {
				t.Fatalf("status %d: %v", got.status, got.body)
			}
			for field, want := range test.want {
				if diff := cmp.Diff(want, got.body[field]); diff != "" {
					t.Errorf("%s (-want +got):\n%s", field, diff)
				}
			}
		})
	}
}

func TestCreateRefuses(t *testing.T) {
	eleven := params()
	for range 11 {
		eleven.Add("MediaUrl", "https://example.com/a.jpg")
	}
	tests := []struct {
		name   string
		params url.Values
		code   float64
	}{
		{"no To", params("To", ""), 21604},
		{"no From", params("From", ""), 21603},
		{"neither Body nor media", params("Body", ""), 21602},
		{"Body over 1,600 characters", params("Body", strings.Repeat("x", 1601)), 21617},
		{"To is no number", params("To", "not a number"), 21211},
		{"To lacks a digit", params("To", "+1619555012"), 21211},
		{"To lacks its country code", params("To", "+6195550123"), 21211},
		{"To has an exchange that there is none of", params("To", "+16191550123"), 21211},
		{"To lacks its plus sign", params("To", "18585550111"), 21211},
		{"To of an unknown channel", params("To", "pigeon:+18585550111"), 21211},
		{"To is a short code", params("To", "24365"), 21265},
		{"To equals From", params("To", string(ours)), 21266},
		{"From is no sender", params("From", "8585550100"), 21212},
		{"From is too long a name", params("From", "QuickDumpNow"), 21212},
		{"From is not ours", params("From", "+18585550199"), 21606},
		{"From is a name that is not ours", params("From", "SlowDump"), 21606},
		{"channels differ", params("To", "whatsapp:+18585550111"), 21910},
		{"StatusCallback is relative", params("StatusCallback", "/sms/status-callback"), 21609},
		{"StatusCallback is no web address", params("StatusCallback", "ftp://example.com/"), 21609},
		{"StatusCallback has an underscore in its host", params("StatusCallback", "https://my_host.example.com/"), 21609},
		{"StatusCallback is over 4,000 characters", params("StatusCallback", "https://example.com/?"+strings.Repeat("x", 4000)), 21609},
		{"MediaUrl is no web address", params("MediaUrl", "a.jpg"), 21620},
		{"eleven media", eleven, 21623},
		{"validity period of no seconds", params("ValidityPeriod", "0"), 21624},
		{"validity period of over ten hours", params("ValidityPeriod", "36001"), 21624},
		{"malformed Messaging Service", params("MessagingServiceSid", "MG1"), 21705},
		{"magic To 0001", params("To", "+15005550001"), 21211},
		{"magic To 0002", params("To", "+15005550002"), 21612},
		{"magic To 0003", params("To", "+15005550003"), 21408},
		{"magic To 0004", params("To", "+15005550004"), 21610},
		{"magic To 0009", params("To", "+15005550009"), 21614},
		{"magic From 0001", params("From", "+15005550001"), 21212},
		{"magic From 0007", params("From", "+15005550007"), 21606},
		{"magic From 0008", params("From", "+15005550008"), 21611},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var seen events
			account := start(t, func(c *twiliofake.Config) { c.OnEvent = seen.observe })
			got := account.create(t, test.params)
			if got.status != http.StatusBadRequest || got.body["code"] != test.code {
				t.Errorf("got %d %v, want 400 %v", got.status, got.body, test.code)
			}
			if messages := account.Messages(); len(messages) != 0 {
				t.Errorf("a refused message exists: %+v", messages)
			}
			if diff := cmp.Diff([]twiliofake.EventKind{twiliofake.EventMessageRefused}, seen.kinds()); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryNumberIsOursIfNoneIsNamed(t *testing.T) {
	account := start(t, func(c *twiliofake.Config) { c.Numbers = nil })
	account.mustCreate(t, params("From", "+18585550177"))
	if got := account.create(t, params("From", "QuickDump")); got.body["code"] != 21606.0 {
		t.Errorf("a name: %v, want 21606", got.body)
	}
}

func TestCreateReadsOnlyForms(t *testing.T) {
	account := start(t)
	tests := []struct {
		name, contentType, body string
		code                    float64
	}{
		{"JSON counts as no parameters", "application/json", `{"To":"+18585550111"}`, 21604},
		{"an invalid form", "application/x-www-form-urlencoded", "To=%zz", 20001},
		{"too large", "application/x-www-form-urlencoded", "Body=" + strings.Repeat("x", 300<<10), 20001},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, account.messagesURL(), strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			request.SetBasicAuth(accountSid, authToken)
			request.Header.Set("Content-Type", test.contentType)
			if got := send(t, request); got.status != http.StatusBadRequest || got.body["code"] != test.code {
				t.Errorf("got %d %v, want 400 %v", got.status, got.body, test.code)
			}
		})
	}
}

func TestAuthentication(t *testing.T) {
	keyed := start(t, func(c *twiliofake.Config) { c.APIKeySid, c.APIKeySecret = apiKeySid, apiSecret })
	keyless := start(t)
	tests := []struct {
		name           string
		asked          *account
		user, password string
		status         int
	}{
		{"account", keyed, accountSid, authToken, http.StatusOK},
		{"API key", keyed, apiKeySid, apiSecret, http.StatusOK},
		{"nobody", keyed, "", "", http.StatusUnauthorized},
		{"wrong token", keyed, accountSid, "wrong", http.StatusUnauthorized},
		{"API key with the token", keyed, apiKeySid, authToken, http.StatusUnauthorized},
		{"API key that is not configured", keyless, "", "", http.StatusUnauthorized},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, test.asked.messagesURL(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if test.user != "" {
				request.SetBasicAuth(test.user, test.password)
			}
			got := send(t, request)
			if got.status != test.status {
				t.Errorf("status %d, want %d", got.status, test.status)
			}
			if got.status == http.StatusUnauthorized && got.body["code"] != 20003.0 {
				t.Errorf("code %v, want 20003", got.body["code"])
			}
		})
	}
}

func TestRoutes(t *testing.T) {
	account := start(t)
	sid := account.mustCreate(t, params())
	const other = "ACffffffffffffffffffffffffffffffff"
	tests := []struct {
		name, method, path string
		status             int
		code               float64
	}{
		{"unknown message", http.MethodGet, "/2010-04-01/Accounts/" + accountSid + "/Messages/SM1.json", 404, 20404},
		{"message without .json", http.MethodGet, "/2010-04-01/Accounts/" + accountSid + "/Messages/" + sid, 404, 20404},
		{"another account's messages", http.MethodGet, "/2010-04-01/Accounts/" + other + "/Messages.json", 404, 20404},
		{"another account's message", http.MethodGet, "/2010-04-01/Accounts/" + other + "/Messages/" + sid + ".json", 404, 20404},
		{"unknown resource", http.MethodGet, "/2010-04-01/Accounts/" + accountSid + "/Calls.json", 404, 20404},
		{"no resource at all", http.MethodGet, "/2010-04-01/Accounts", 404, 20404},
		{"outside of the API", http.MethodGet, "/index.html", 404, 20404},
		{"deleting the list", http.MethodDelete, "/2010-04-01/Accounts/" + accountSid + "/Messages.json", 405, 20004},
		{"putting a message", http.MethodPut, "/2010-04-01/Accounts/" + accountSid + "/Messages/" + sid + ".json", 405, 20004},
		{"getting the inbound control", http.MethodGet, "/fake/inbound", 405, 20004},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := account.do(t, test.method, account.url+test.path, nil)
			if got.status != test.status || got.body["code"] != test.code {
				t.Errorf("got %d %v, want %d %v", got.status, got.body, test.status, test.code)
			}
		})
	}
}

func TestMessagesAreCopies(t *testing.T) {
	account := start(t)
	account.mustCreate(t, params())
	account.settle(t)
	account.Messages()[0].Params.Set("Body", "changed")
	account.Messages()[0].Status = sms.StatusFailed
	got := account.Messages()[0]
	if got.Params.Get("Body") != "Mattress, 3rd floor" || got.Status != sms.StatusDelivered {
		t.Errorf("the stored message changed: %+v", got)
	}
}
