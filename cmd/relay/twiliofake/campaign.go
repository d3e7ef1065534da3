package twiliofake

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// CampaignStatus is how far the carriers are with a campaign, in Twilio's words.
type CampaignStatus string

// The states of a campaign. It gets from the first to the third by itself, a step delay each. The last two are set by hand.
const (
	CampaignPending    CampaignStatus = "PENDING"
	CampaignInProgress CampaignStatus = "IN_PROGRESS"
	CampaignVerified   CampaignStatus = "VERIFIED"
	CampaignFailed     CampaignStatus = "FAILED"
	CampaignSuspended  CampaignStatus = "SUSPENDED"
)

// CampaignStatuses returns all there are.
func CampaignStatuses() []CampaignStatus {
	return []CampaignStatus{CampaignPending, CampaignInProgress, CampaignVerified, CampaignFailed, CampaignSuspended}
}

// Campaign is the A2P 10DLC campaign of a Messaging Service: Twilio's resource UsAppToPerson. While it is not verified, messages of the
// service's ordinary numbers do not reach phones in the United States.
type Campaign struct {
	Sid string
	// Status is what was set by hand, empty while it goes its way.
	Status CampaignStatus
	// Since is when it began to go its way.
	Since       time.Time
	DateCreated time.Time
	DateUpdated time.Time
	CampaignTerms
}

// CampaignTerms are what an application says of a campaign, in Twilio's form.
type CampaignTerms struct {
	BrandRegistrationSid string   `json:"brand_registration_sid"`
	Description          string   `json:"description"`
	MessageSamples       []string `json:"message_samples"`
	UsAppToPersonUsecase string   `json:"us_app_to_person_usecase"`
	HasEmbeddedLinks     bool     `json:"has_embedded_links"`
	HasEmbeddedPhone     bool     `json:"has_embedded_phone"`
	SubscriberOptIn      bool     `json:"subscriber_opt_in"`
	AgeGated             bool     `json:"age_gated"`
	DirectLending        bool     `json:"direct_lending"`
	MessageFlow          string   `json:"message_flow"`
	OptInMessage         *string  `json:"opt_in_message"`
	OptOutMessage        *string  `json:"opt_out_message"`
	HelpMessage          *string  `json:"help_message"`
	OptInKeywords        []string `json:"opt_in_keywords"`
	OptOutKeywords       []string `json:"opt_out_keywords"`
	HelpKeywords         []string `json:"help_keywords"`

	PrivacyPolicyURL      *string `json:"privacy_policy_url"`
	TermsAndConditionsURL *string `json:"terms_and_conditions_url"`
}

// StatusOf returns how far a campaign is now.
func (s *Server) StatusOf(c Campaign) CampaignStatus {
	gone := s.cfg.Now().Sub(c.Since)
	switch {
	case c.Status != "":
		return c.Status
	case gone <= s.cfg.StepDelay:
		return CampaignPending
	case gone <= 2*s.cfg.StepDelay:
		return CampaignInProgress
	default:
		return CampaignVerified
	}
}

// registrationOf returns what a number is registered as: what its campaign makes it, or what was set for it.
func (s *Server) registrationOf(number sms.PhoneNumber) Registration {
	in, found := s.services.find(withMember(number))
	if found && in.Campaign != nil && !isTollFree(number) {
		switch s.StatusOf(*in.Campaign) {
		case CampaignPending, CampaignInProgress:
			return RegistrationInProgress
		case CampaignFailed:
			return RegistrationFailed
		case CampaignSuspended:
			return RegistrationSuspended
		case CampaignVerified: // as it is with the number itself.
		}
	}
	return s.numbers.registrationOf(number)
}

// SetCampaign sets how far a campaign is, and reports whether there is one of that SID. It then stays so.
func (s *Server) SetCampaign(sid string, status CampaignStatus) (Service, bool) {
	of, found := s.services.find(func(one *Service) bool { return one.Campaign != nil && one.Campaign.Sid == sid })
	if !found {
		return Service{}, false
	}
	changed, answer := s.services.change(of.Sid, func(one *Service) *refusal {
		if one.Campaign == nil {
			return notFound(sid)
		}
		one.Campaign.Status, one.Campaign.DateUpdated = status, s.cfg.Now().UTC()
		return nil
	})
	s.bell.ring()
	return changed, answer == nil
}

// createCampaign serves POST …/Compliance/Usa2p. A service has one campaign.
func (s *Server) createCampaign(w http.ResponseWriter, r *http.Request) {
	params, answer := readParams(w, r)
	terms := CampaignTerms{
		SubscriberOptIn: true, OptOutMessage: new(stopReply("", "")), HelpMessage: new(helpReply), OptInKeywords: []string{},
		OptOutKeywords: []string{"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"}, HelpKeywords: []string{"HELP", "INFO"},
	}
	if answer == nil {
		answer = terms.read(params, "BrandRegistrationSid", "UsAppToPersonUsecase")
	}
	if answer != nil {
		s.writeRefusal(w, answer)
		return
	}
	now := s.cfg.Now().UTC()
	made := Campaign{Sid: s.cfg.NewSid("QE"), CampaignTerms: terms, Since: now, DateCreated: now, DateUpdated: now}
	s.serveService(w, r, func(one *Service) *refusal {
		if one.Campaign != nil {
			return refuse(http.StatusConflict, codeConflict, "The Messaging Service has a campaign already: "+one.Campaign.Sid)
		}
		one.Campaign = &made
		return nil
	}, func(one Service) { s.writeJSON(w, http.StatusCreated, s.campaignResource(r, one, CampaignPending)) })
}

// read changes what the parameters name. Those that every campaign needs, and the further ones that are named, have to be there.
func (t *CampaignTerms) read(params url.Values, needed ...string) *refusal {
	needed = append(needed, "Description", "MessageFlow", "MessageSamples", "HasEmbeddedLinks", "HasEmbeddedPhone")
	for _, name := range needed {
		if params.Get(name) == "" {
			return badRequest(codeCampaignMissing, "Campaign registration failed due to missing parameter(s): %s", name)
		}
	}
	for name, field := range map[string]*string{
		"BrandRegistrationSid": &t.BrandRegistrationSid, "Description": &t.Description, "MessageFlow": &t.MessageFlow,
		"UsAppToPersonUsecase": &t.UsAppToPersonUsecase,
	} {
		if params.Has(name) {
			*field = params.Get(name)
		}
	}
	for name, field := range map[string]**string{
		"OptInMessage": &t.OptInMessage, "OptOutMessage": &t.OptOutMessage, "HelpMessage": &t.HelpMessage,
		"PrivacyPolicyUrl": &t.PrivacyPolicyURL, "TermsAndConditionsUrl": &t.TermsAndConditionsURL,
	} {
		if params.Has(name) {
			*field = orNull(params.Get(name))
		}
	}
	for name, field := range map[string]*[]string{
		"MessageSamples": &t.MessageSamples, "OptInKeywords": &t.OptInKeywords, "OptOutKeywords": &t.OptOutKeywords,
		"HelpKeywords": &t.HelpKeywords,
	} {
		if params.Has(name) {
			*field = slices.Clone(params[name])
		}
	}
	for name, field := range map[string]*bool{
		"HasEmbeddedLinks": &t.HasEmbeddedLinks, "HasEmbeddedPhone": &t.HasEmbeddedPhone, "SubscriberOptIn": &t.SubscriberOptIn,
		"AgeGated": &t.AgeGated, "DirectLending": &t.DirectLending,
	} {
		if answer := readBool(params, name, field); answer != nil {
			return answer
		}
	}
	return t.check()
}

// check holds the terms against the lengths that Twilio has in its reference.
func (t *CampaignTerms) check() *refusal {
	within := func(text string, least, most int) bool {
		length := utf8.RuneCountInString(text)
		return least <= length && length <= most
	}
	var wrong string
	switch {
	case !isSid(t.BrandRegistrationSid, "BN"):
		return badRequest(codeBrand, "Brand Registration SID for US A2P Campaign Use Case is Not Registered or Not Valid: %s",
			t.BrandRegistrationSid)
	case !within(t.Description, 40, 4096):
		wrong = "Description has 40 to 4096 characters"
	case !within(t.MessageFlow, 40, 2048):
		wrong = "MessageFlow has 40 to 2048 characters"
	case len(t.MessageSamples) < 2 || len(t.MessageSamples) > 5:
		wrong = "there are two to five MessageSamples"
	case slices.ContainsFunc(t.MessageSamples, func(one string) bool { return !within(one, 20, 1024) }):
		wrong = "each of the MessageSamples has 20 to 1024 characters"
	default:
		return t.checkReplies()
	}
	return badRequest(codeCampaignLength, "Campaign registration failed due to length validation failures: %s", wrong)
}

func (t *CampaignTerms) checkReplies() *refusal {
	for name, text := range map[string]*string{
		"OptInMessage": t.OptInMessage, "OptOutMessage": t.OptOutMessage, "HelpMessage": t.HelpMessage,
	} {
		if length := utf8.RuneCountInString(textOf(text)); text != nil && (length < 20 || length > 320) {
			return badRequest(codeCampaignLength, "Campaign registration failed due to length validation failures: %s has 20 to 320 characters",
				name)
		}
	}
	return nil
}

func (s *Server) listCampaigns(w http.ResponseWriter, r *http.Request) {
	s.serveService(w, r, unchanged, func(one Service) {
		var all []any
		if one.Campaign != nil {
			all = append(all, s.campaignResource(r, one, s.StatusOf(*one.Campaign)))
		}
		s.writePage(w, r, "compliance", all)
	})
}

// serveCampaign serves what asks for the campaign of a service: edit changes it, and write writes the answer.
func (s *Server) serveCampaign(w http.ResponseWriter, r *http.Request, edit func(*Service) *refusal, write func(Service)) {
	s.serveService(w, r, func(one *Service) *refusal {
		if one.Campaign == nil || one.Campaign.Sid != r.PathValue("campaign") {
			return notFound(r.URL.Path)
		}
		return edit(one)
	}, write)
}

func (s *Server) fetchCampaign(w http.ResponseWriter, r *http.Request) {
	s.serveCampaign(w, r, unchanged, func(one Service) {
		s.writeJSON(w, http.StatusOK, s.campaignResource(r, one, s.StatusOf(*one.Campaign)))
	})
}

// updateCampaign serves POST …/Compliance/Usa2p/QE…: the campaign begins its way again.
func (s *Server) updateCampaign(w http.ResponseWriter, r *http.Request) {
	params, answer := readParams(w, r)
	if answer != nil {
		s.writeRefusal(w, answer)
		return
	}
	s.serveCampaign(w, r, func(one *Service) *refusal {
		if one.Campaign.Status == CampaignSuspended {
			return badRequest(codeCampaignSuspended, "Cannot perform operation on suspended campaign")
		}
		terms, now := one.Campaign.CampaignTerms, s.cfg.Now().UTC()
		if answer := terms.read(params, "AgeGated", "DirectLending"); answer != nil {
			return answer
		}
		one.Campaign.CampaignTerms, one.Campaign.Status, one.Campaign.Since, one.Campaign.DateUpdated = terms, "", now, now
		return nil
	}, func(one Service) {
		s.writeJSON(w, http.StatusOK, s.campaignResource(r, one, s.StatusOf(*one.Campaign)))
	})
}

func (s *Server) deleteCampaign(w http.ResponseWriter, r *http.Request) {
	s.serveCampaign(w, r, func(one *Service) *refusal {
		one.Campaign = nil
		return nil
	}, func(Service) { w.WriteHeader(http.StatusNoContent) })
}

// campaignResource writes the campaign of a service as Twilio's resource.
func (s *Server) campaignResource(r *http.Request, of Service, status CampaignStatus) any {
	c := *of.Campaign
	problems := []any{}
	if status == CampaignFailed {
		problems = append(problems, map[string]any{
			"error_code": codeCampaignContent, "fields": []string{"MESSAGE_FLOW"}, "url": "https://www.twilio.com/docs/api/errors/30897",
			"description": "The campaign submission has been reviewed and it was rejected due to Disallowed Content.",
		})
	}
	return struct {
		Sid                 string `json:"sid"`
		AccountSid          string `json:"account_sid"`
		MessagingServiceSid string `json:"messaging_service_sid"`
		CampaignTerms
		CampaignStatus         CampaignStatus `json:"campaign_status"`
		CampaignID             string         `json:"campaign_id"`
		IsExternallyRegistered bool           `json:"is_externally_registered"`
		RateLimits             map[string]any `json:"rate_limits"`
		DateCreated            string         `json:"date_created"`
		DateUpdated            string         `json:"date_updated"`
		URL                    string         `json:"url"`
		Mock                   bool           `json:"mock"`
		Errors                 []any          `json:"errors"`
	}{
		Sid: c.Sid, AccountSid: s.cfg.AccountSid, MessagingServiceSid: of.Sid, CampaignTerms: c.CampaignTerms, CampaignStatus: status,
		CampaignID: "C" + strings.ToUpper(c.Sid[len(c.Sid)-6:]), RateLimits: map[string]any{
			"att": map[string]any{"mps": 600, "msg_class": "A"}, "tmobile": map[string]any{"brand_tier": "TOP"},
		},
		DateCreated: isoDate(c.DateCreated), DateUpdated: isoDate(c.DateUpdated),
		URL: absolute(r, "/v1/Services/"+of.Sid+"/Compliance/Usa2p/"+c.Sid), Errors: problems,
	}
}
