package twiliofake

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Number is one IncomingPhoneNumber resource: a number of the account and where its texts are posted. Its JSON form is
// Twilio's. A status callback of such a number is about calls, so nothing is posted to it here.
type Number struct {
	Sid         string
	AccountSid  string
	PhoneNumber sms.PhoneNumber
	Webhook     Webhook
	// Methods of the webhook's two URLs. The fake posts, whatever they say.
	SmsMethod         string
	SmsFallbackMethod string
	StatusCallback    string
	// Registration is no part of the resource: Twilio keeps it with the campaign.
	Registration Registration
	DateCreated  time.Time
	DateUpdated  time.Time
}

// numbers are the account's numbers with their settings.
type numbers struct {
	cfg Config

	mu    sync.Mutex
	known []*Number
}

// newNumbers gives each of the configured numbers the webhook that the configuration has for it.
func newNumbers(cfg Config) *numbers {
	n := &numbers{cfg: cfg}
	for _, number := range cfg.Numbers {
		n.of(number)
	}
	return n
}

// of returns the number, nil if the account has no such. An account without a list of numbers has every one that it is
// asked for.
func (n *numbers) of(number sms.PhoneNumber) *Number {
	at := slices.IndexFunc(n.known, func(known *Number) bool { return known.PhoneNumber == number })
	if at >= 0 {
		return n.known[at]
	}
	listed := len(n.cfg.Numbers) > 0
	if !number.IsE164() || (listed && !slices.Contains(n.cfg.Numbers, number)) {
		return nil
	}
	now := n.cfg.Now().UTC()
	made := &Number{
		Sid: numberSid(number), AccountSid: n.cfg.AccountSid, PhoneNumber: number, Webhook: n.cfg.webhookOf(number),
		SmsMethod: http.MethodPost, SmsFallbackMethod: http.MethodPost, DateCreated: now, DateUpdated: now,
		Registration: cmp.Or(n.cfg.Registrations[number], RegistrationVerified),
	}
	n.known = append(n.known, made)
	return made
}

// numberSid is the same for the same number, however often the fake is started.
func numberSid(number sms.PhoneNumber) string {
	sum := sha256.Sum256([]byte(number))
	return "PN" + hex.EncodeToString(sum[:16])
}

// webhookOf returns where a number's texts are posted, as it was configured last.
func (n *numbers) webhookOf(number sms.PhoneNumber) Webhook {
	n.mu.Lock()
	defer n.mu.Unlock()
	if found := n.of(number); found != nil {
		return found.Webhook
	}
	return n.cfg.webhookOf(number)
}

// list returns copies of the numbers that contain pattern; as at Twilio, a star in it matches any digits.
func (n *numbers) list(pattern string) []Number {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.of(sms.PhoneNumber(pattern))
	var found []Number
	for _, number := range n.known {
		if strings.Contains(string(number.PhoneNumber), strings.Trim(pattern, "*")) {
			found = append(found, *number)
		}
	}
	return found
}

// change edits the number of that Sid under the lock and returns what it then is.
func (n *numbers) change(sid string, edit func(*Number)) (Number, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, number := range n.known {
		if number.Sid == sid {
			edit(number)
			return *number, true
		}
	}
	return Number{}, false
}

// Number returns a number of the account, and whether there is such a one.
func (s *Server) Number(number sms.PhoneNumber) (Number, bool) {
	return s.numbers.change(numberSid(number), func(*Number) {})
}

func (s *Server) fetchNumber(w http.ResponseWriter, r *http.Request) {
	s.serveNumber(w, r, func(*Number) {})
}

// updateNumber serves POST …/IncomingPhoneNumbers/PN….json. A parameter that is not there leaves what it is about.
func (s *Server) updateNumber(w http.ResponseWriter, r *http.Request) {
	params, answer := readParams(w, r)
	if answer == nil {
		answer = checkNumberParams(params)
	}
	if answer != nil {
		s.writeRefusal(w, answer)
		return
	}
	s.serveNumber(w, r, func(number *Number) {
		for name, field := range map[string]*string{
			"SmsUrl": &number.Webhook.URL, "SmsMethod": &number.SmsMethod,
			"SmsFallbackUrl": &number.Webhook.FallbackURL, "SmsFallbackMethod": &number.SmsFallbackMethod,
			"StatusCallback": &number.StatusCallback,
		} {
			if params.Has(name) {
				*field = params.Get(name)
			}
		}
		number.DateUpdated = s.cfg.Now().UTC()
	})
}

// checkNumberParams refuses invalid URLs, with or without connection overrides, and invalid methods.
func checkNumberParams(params url.Values) *refusal {
	for _, name := range []string{"SmsUrl", "SmsFallbackUrl", "StatusCallback"} {
		given := params.Get(name)
		if given == "" {
			continue
		}
		if _, _, _, err := splitOverrides(given); err != nil || !isWebURL(given) {
			return badRequest(codeURLInvalid, "%s is not valid", name)
		}
	}
	for _, name := range []string{"SmsMethod", "SmsFallbackMethod"} {
		if given := params.Get(name); given != "" && given != http.MethodPost && given != http.MethodGet {
			return badRequest(codeMethodInvalid, "%s is not valid", name)
		}
	}
	return nil
}

func (s *Server) serveNumber(w http.ResponseWriter, r *http.Request, edit func(*Number)) {
	sid, isJSON := strings.CutSuffix(r.PathValue("file"), ".json")
	number, found := s.numbers.change(sid, edit)
	if !isJSON || !found {
		s.serveNotFound(w, r)
		return
	}
	s.writeJSON(w, http.StatusOK, number)
}

// numberPage is the answer of a list request.
type numberPage struct {
	Numbers         []Number `json:"incoming_phone_numbers"`
	FirstPageURI    string   `json:"first_page_uri"`
	PreviousPageURI *string  `json:"previous_page_uri"`
	NextPageURI     *string  `json:"next_page_uri"`
	URI             string   `json:"uri"`
	Page            int      `json:"page"`
	PageSize        int      `json:"page_size"`
	Start           int      `json:"start"`
	End             int      `json:"end"`
}

// listNumbers serves GET …/IncomingPhoneNumbers.json. Numbers are never taken away here, so that a page's number says
// enough of where it begins.
func (s *Server) listNumbers(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	asked, answer := readPageRequest(query)
	if answer != nil {
		s.writeRefusal(w, answer)
		return
	}
	found := s.numbers.list(query.Get("PhoneNumber"))
	start := min(asked.page*asked.size, len(found))
	end := min(start+asked.size, len(found))
	uri := func(page int) string {
		return pageURI(r.URL.Path, url.Values{"PhoneNumber": {query.Get("PhoneNumber")}}, asked.size, page, "")
	}
	page := numberPage{
		Numbers: append([]Number{}, found[start:end]...), FirstPageURI: uri(0), URI: uri(asked.page),
		Page: asked.page, PageSize: asked.size, Start: start, End: max(start, end-1),
	}
	if end < len(found) {
		page.NextPageURI = new(uri(asked.page + 1))
	}
	if asked.page > 0 {
		page.PreviousPageURI = new(uri(asked.page - 1))
	}
	s.writeJSON(w, http.StatusOK, page)
}

// MarshalJSON writes the number as Twilio's IncomingPhoneNumber resource: URLs that are not set are empty, not null.
func (n Number) MarshalJSON() ([]byte, error) {
	uri := "/" + apiVersion + "/Accounts/" + n.AccountSid + "/IncomingPhoneNumbers/" + n.Sid
	return json.Marshal(map[string]any{
		"sid": n.Sid, "account_sid": n.AccountSid, "phone_number": n.PhoneNumber, "friendly_name": string(n.PhoneNumber),
		"sms_url": n.Webhook.URL, "sms_method": n.SmsMethod,
		"sms_fallback_url": n.Webhook.FallbackURL, "sms_fallback_method": n.SmsFallbackMethod,
		"sms_application_sid": nil, "status_callback": n.StatusCallback, "status_callback_method": http.MethodPost,
		"voice_url": "", "voice_method": http.MethodPost, "voice_fallback_url": "", "voice_fallback_method": http.MethodPost,
		"voice_application_sid": nil, "voice_caller_id_lookup": false, "voice_receive_mode": "voice",
		"trunk_sid": nil, "address_sid": nil, "identity_sid": nil, "bundle_sid": nil, "emergency_address_sid": nil,
		"address_requirements": "none", "emergency_status": "Inactive", "emergency_address_status": "unregistered",
		"capabilities": map[string]bool{"sms": true, "mms": true, "voice": true, "fax": false},
		"beta":         false, "origin": "twilio", "status": "in-use", "type": "local", "api_version": apiVersion,
		"date_created": dateOrNull(n.DateCreated), "date_updated": dateOrNull(n.DateUpdated), "uri": uri + ".json",
	})
}

// fetchAccount serves GET …/Accounts/AC….json. It shows the Auth Token only to callers that used it, as Twilio does.
func (s *Server) fetchAccount(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("file") != s.cfg.AccountSid+".json" {
		s.serveNotFound(w, r)
		return
	}
	token := ""
	if user, _, _ := r.BasicAuth(); user == s.cfg.AccountSid {
		token = s.cfg.AuthToken
	}
	s.writeJSON(w, http.StatusOK, map[string]any{
		"sid": s.cfg.AccountSid, "owner_account_sid": s.cfg.AccountSid, "auth_token": token, "friendly_name": "fake",
		"status": s.cfg.AccountStatus, "type": "Full", "date_created": dateOrNull(s.cfg.Now()), "date_updated": dateOrNull(s.cfg.Now()),
		"uri": "/" + apiVersion + "/Accounts/" + s.cfg.AccountSid + ".json", "subresource_uris": map[string]string{},
	})
}
