package twiliofake_test

import (
	"bytes"
	"context"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// described is the interface under /fake/ with its document. It fails the test at an exchange that is not as the document says, and knows
// which answers were seen.
type described struct {
	account *account
	router  routers.Router
	missing map[string]bool // operation and status of each documented answer that was not seen yet
}

func describe(t *testing.T, account *account) *described {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		t.Fatal(err)
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	d := &described{account: account, router: router, missing: map[string]bool{}}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			for status := range operation.Responses.Map() {
				d.missing[method+" "+path+" "+status] = true
			}
		}
	}
	return d
}

// ask makes a request and holds it, if it is a good one, and its answer against the document.
func (d *described) ask(t *testing.T, method, target, contentType, body string, want int) *httptest.ResponseRecorder {
	t.Helper()
	build := func() *http.Request {
		request := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
		if contentType != "" {
			request.Header.Set("Content-Type", contentType)
		}
		return request
	}
	recorded := httptest.NewRecorder()
	d.account.ServeHTTP(recorded, build())
	if recorded.Code != want {
		t.Errorf("%s %s: %d %s, want %d", method, target, recorded.Code, recorded.Body, want)
	}
	route, parameters, err := d.router.FindRoute(build())
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	input := &openapi3filter.RequestValidationInput{
		Request: build(), PathParams: parameters, Route: route, Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}
	if want/100 == 2 {
		if err := openapi3filter.ValidateRequest(t.Context(), input); err != nil {
			t.Errorf("%s %s: %v", method, target, err)
		}
	}
	if recorded.Header().Get("Content-Type") != "image/png" { // the document says nothing of what is in one
		err = openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
			RequestValidationInput: input, Status: recorded.Code, Header: recorded.Header(), Options: input.Options,
			Body: io.NopCloser(bytes.NewReader(recorded.Body.Bytes())),
		})
		if err != nil {
			t.Errorf("%s %s: %v", method, target, err)
		}
	}
	delete(d.missing, method+" "+route.Path+" "+strconv.Itoa(recorded.Code))
	return recorded
}

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)

// TestControlIsAsDescribed makes each request of the document, and has each answer of it.
func TestControlIsAsDescribed(t *testing.T) {
	app := receive(t, nil)
	account := start(t, func(c *twiliofake.Config) {
		c.Webhook.URL, c.Numbers, c.Exchanges = app.url, []sms.PhoneNumber{ours}, 100
	})
	d := describe(t, account)
	d.controlTexts(t)
	sid := account.mustCreate(t, params("StatusCallback", app.url))
	account.settle(t)
	d.ask(t, http.MethodPost, "/fake/reactions", formType, url.Values{"MessageSid": {sid}, "Emoji": {"👍"}}.Encode(), 200)
	d.ask(t, http.MethodPost, "/fake/reactions", formType, "MessageSid=SM1&Emoji=x", 400)
	for target, want := range map[string]int{
		"/fake/messages": 200, "/fake/messages?limit=1&direction=inbound": 200, "/fake/messages?limit=x": 400,
		"/fake/messages?direction=sideways": 400, "/fake/wait?text=mattress": 200, "/fake/wait?text=piano&timeout=1ms": 409,
		"/fake/wait?timeout=1h": 400, "/fake/wait?count=-1": 400, "/fake/assert?to=%2B18585550111": 200, "/fake/assert?count=0": 409,
		"/fake/assert?count=x": 400, "/fake/exchanges": 200, "/fake/exchanges?limit=1&kind=callback": 200, "/fake/exchanges?before=x": 400,
		"/fake/faults": 200, "/fake/numbers": 200, "/fake/openapi.json": 200, "/fake/media/ME1": 404,
	} {
		d.ask(t, http.MethodGet, target, "", "", want)
	}
	d.ask(t, http.MethodPut, "/fake/faults", jsonType, `{"error_rate":0.5,"latency_most":"1ms","seed":7}`, 200)
	d.ask(t, http.MethodPut, "/fake/faults", jsonType, `{"error_rate":2}`, 400)
	d.ask(t, http.MethodPut, "/fake/faults", jsonType, `{"errors":1}`, 400)
	d.ask(t, http.MethodPut, "/fake/faults", jsonType, `{"list_lag":"soon"}`, 400)
	d.ask(t, http.MethodPut, "/fake/numbers/"+string(ours), jsonType, `{"registration":"none"}`, 200)
	d.ask(t, http.MethodPut, "/fake/numbers/"+string(ours), jsonType, `{"registration":"perhaps"}`, 400)
	d.ask(t, http.MethodPut, "/fake/numbers/+18585550199", jsonType, `{"registration":"none"}`, 404)
	d.controlCampaigns(t)
	pair := "/fake/opt-outs/" + string(ours) + "/" + string(customer)
	d.ask(t, http.MethodPut, pair, "", "", 204)
	d.ask(t, http.MethodGet, "/fake/opt-outs", "", "", 200)
	d.ask(t, http.MethodDelete, pair, "", "", 204)
	d.ask(t, http.MethodDelete, pair, "", "", 404)
	d.ask(t, http.MethodPut, "/fake/opt-outs/"+string(ours)+"/ann", "", "", 400)
	d.ask(t, http.MethodPut, "/fake/opt-outs/+18585550199/"+string(customer), "", "", 404)
	d.ask(t, http.MethodPost, "/fake/reset", "", "", 204)
	for _, unseen := range slices.Sorted(maps.Keys(d.missing)) {
		if !strings.HasSuffix(unseen, " 503") { // the fake closes meanwhile
			t.Errorf("nobody has seen %s", unseen)
		}
	}
}

// controlCampaigns sets how far a campaign is.
func (d *described) controlCampaigns(t *testing.T) {
	t.Helper()
	path := d.account.newService(t, url.Values{}, ours)
	d.ask(t, http.MethodGet, "/fake/services", "", "", 200)
	sid := text(t, d.account.post(t, path+"/Compliance/Usa2p", campaign(), http.StatusCreated), "sid")
	d.ask(t, http.MethodPut, "/fake/campaigns/"+sid, jsonType, `{"campaign_status":"SUSPENDED"}`, 200)
	d.ask(t, http.MethodPut, "/fake/campaigns/"+sid, jsonType, `{"campaign_status":"APPROVED"}`, 400)
	d.ask(t, http.MethodPut, "/fake/campaigns/QE1", jsonType, `{"campaign_status":"VERIFIED"}`, 404)
	d.ask(t, http.MethodGet, "/fake/services", "", "", 200)
}

// controlTexts texts the number in both forms, and looks at the picture.
func (d *described) controlTexts(t *testing.T) {
	t.Helper()
	text := url.Values{"From": {string(customer)}, "To": {string(ours)}, "Body": {"Sofa"}}
	d.ask(t, http.MethodPost, "/fake/inbound", formType, text.Encode(), 200)
	d.ask(t, http.MethodPost, "/fake/inbound", formType, "From=+16195550123", 400)
	var form bytes.Buffer
	writer := multipart.NewWriter(&form)
	for name, values := range text {
		if err := writer.WriteField(name, values[0]); err != nil {
			t.Fatal(err)
		}
	}
	part, err := writer.CreatePart(map[string][]string{
		"Content-Disposition": {`form-data; name="Media"; filename="a.png"`}, "Content-Type": {"image/png"},
	})
	if err == nil {
		_, err = part.Write([]byte("\x89PNG"))
	}
	if err != nil || writer.Close() != nil {
		t.Fatal(err)
	}
	d.ask(t, http.MethodPost, "/fake/inbound", writer.FormDataContentType(), form.String(), 200)
	found, _ := d.account.FindMessages(twiliofake.MessageFilter{Text: "sofa"})
	sids := d.account.MediaSids(found[len(found)-1].Sid)
	if len(sids) != 1 {
		t.Fatalf("attachments %v", sids)
	}
	answer := d.ask(t, http.MethodGet, "/fake/media/"+sids[0], "", "", 200)
	if answer.Body.String() != "\x89PNG" || answer.Header().Get("Content-Disposition") != "" ||
		answer.Header().Get("Content-Security-Policy") != "default-src 'none'; sandbox" {
		t.Errorf("the picture is answered with %v", answer.Header())
	}
}

// TestNoOtherSiteControls: a page of another site cannot use somebody's browser to text or to reset.
func TestNoOtherSiteControls(t *testing.T) {
	account := start(t)
	for _, target := range []string{"/fake/inbound", "/fake/reset"} {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, target, http.NoBody)
		request.Header.Set("Sec-Fetch-Site", "cross-site")
		recorded := httptest.NewRecorder()
		account.ServeHTTP(recorded, request)
		if recorded.Code != http.StatusForbidden {
			t.Errorf("%s: %d", target, recorded.Code)
		}
	}
}
