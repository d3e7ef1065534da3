package twiliofake

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// serviceRoutes are the resources of messaging.twilio.com that there are here.
func (s *Server) serviceRoutes() {
	const service = "/v1/Services/{service}"
	for path, resource := range map[string]methods{
		"/v1/Services": {http.MethodPost: s.createService, http.MethodGet: s.listServices},
		service: {
			http.MethodPost: s.updateService, http.MethodGet: s.fetchService, http.MethodDelete: s.deleteService,
		},
		service + "/PhoneNumbers":          {http.MethodPost: s.addMember, http.MethodGet: s.listMembers},
		service + "/PhoneNumbers/{number}": {http.MethodGet: s.fetchMember, http.MethodDelete: s.removeMember},
		service + "/Compliance/Usa2p":      {http.MethodPost: s.createCampaign, http.MethodGet: s.listCampaigns},
		service + "/Compliance/Usa2p/{campaign}": {
			http.MethodPost: s.updateCampaign, http.MethodGet: s.fetchCampaign, http.MethodDelete: s.deleteCampaign,
		},
		"/v1/": nil,
	} {
		s.mux.Handle(path, s.authenticated(resource))
	}
}

// createService serves POST /v1/Services.
func (s *Server) createService(w http.ResponseWriter, r *http.Request) {
	now := s.cfg.Now().UTC()
	made := Service{Sid: s.cfg.NewSid("MG"), DateCreated: now, DateUpdated: now, ServiceSettings: ServiceSettings{
		InboundMethod: http.MethodPost, FallbackMethod: http.MethodPost, StickySender: true, MmsConverter: true, SmartEncoding: true,
		ScanMessageContent: "inherit", FallbackToLongCode: true, AreaCodeGeomatch: true, ValidityPeriod: maxValidity, Usecase: "undeclared",
	}}
	params, answer := readParams(w, r)
	if answer == nil && params.Get("FriendlyName") == "" {
		answer = missing("FriendlyName")
	}
	if answer == nil {
		answer = made.set(params)
	}
	if answer != nil {
		s.writeRefusal(w, answer)
		return
	}
	s.services.add(made)
	s.bell.ring()
	s.writeJSON(w, http.StatusCreated, s.serviceResource(r, made))
}

// missing refuses a request without a parameter that it needs.
func missing(name string) *refusal {
	return badRequest(codeBadParameter, "Missing required parameter %s in the post body", name)
}

// set changes what the parameters name, or nothing at all.
func (t *ServiceSettings) set(params url.Values) *refusal {
	wanted := *t
	for name, field := range map[string]*string{
		"FriendlyName": &wanted.FriendlyName, "InboundMethod": &wanted.InboundMethod, "FallbackMethod": &wanted.FallbackMethod,
		"ScanMessageContent": &wanted.ScanMessageContent, "Usecase": &wanted.Usecase,
	} {
		if params.Has(name) {
			*field = params.Get(name)
		}
	}
	for name, field := range map[string]**string{
		"InboundRequestUrl": &wanted.InboundRequestURL, "FallbackUrl": &wanted.FallbackURL, "StatusCallback": &wanted.StatusCallback,
	} {
		if params.Has(name) {
			*field = orNull(params.Get(name))
		}
	}
	for name, field := range map[string]*bool{
		"StickySender": &wanted.StickySender, "MmsConverter": &wanted.MmsConverter, "SmartEncoding": &wanted.SmartEncoding,
		"FallbackToLongCode": &wanted.FallbackToLongCode, "AreaCodeGeomatch": &wanted.AreaCodeGeomatch,
		"SynchronousValidation": &wanted.SynchronousValidation, "UseInboundWebhookOnNumber": &wanted.UseInboundWebhookOnNumber,
	} {
		if answer := readBool(params, name, field); answer != nil {
			return answer
		}
	}
	if given := params.Get("ValidityPeriod"); given != "" {
		seconds, err := strconv.Atoi(given)
		if err != nil {
			return badRequest(codeBadParameter, "ValidityPeriod: %q is not a number", given)
		}
		wanted.ValidityPeriod = seconds
	}
	if answer := wanted.check(); answer != nil {
		return answer
	}
	*t = wanted
	return nil
}

// readBool reads a parameter that is true or false, if it is there.
func readBool(params url.Values, name string, into *bool) *refusal {
	if !params.Has(name) {
		return nil
	}
	given, err := strconv.ParseBool(strings.ToLower(params.Get(name)))
	if err != nil {
		return badRequest(codeBadParameter, "%s: %q is neither true nor false", name, params.Get(name))
	}
	*into = given
	return nil
}

func (t ServiceSettings) check() *refusal {
	for name, given := range map[string]*string{
		"InboundRequestUrl": t.InboundRequestURL, "FallbackUrl": t.FallbackURL, "StatusCallback": t.StatusCallback,
	} {
		if _, _, _, err := splitOverrides(textOf(given)); err != nil || !isCallbackURL(textOf(given)) {
			return badRequest(codeURLInvalid, "%s is not valid", name)
		}
	}
	for name, given := range map[string]string{"InboundMethod": t.InboundMethod, "FallbackMethod": t.FallbackMethod} {
		if given != http.MethodPost && given != http.MethodGet {
			return badRequest(codeMethodInvalid, "%s is not valid", name)
		}
	}
	switch {
	case !slices.Contains([]string{"notifications", "marketing", "verification", "discussion", "poll", "undeclared"}, t.Usecase):
		return badRequest(codeUsecase, "Messaging Service Use Case is Invalid")
	case t.ValidityPeriod < 1 || t.ValidityPeriod > maxValidity:
		return badRequest(codeValidityPeriod, "The validity period %d is invalid.", t.ValidityPeriod)
	case !slices.Contains([]string{"inherit", "enable", "disable"}, t.ScanMessageContent):
		return badRequest(codeBadParameter, "ScanMessageContent: want inherit, enable or disable, got %q", t.ScanMessageContent)
	}
	return nil
}

func (s *Server) listServices(w http.ResponseWriter, r *http.Request) {
	var all []any
	for _, one := range s.Services() {
		all = append(all, s.serviceResource(r, one))
	}
	s.writePage(w, r, "services", all)
}

// serveService serves what asks for one service: edit changes it, and write writes the answer.
func (s *Server) serveService(w http.ResponseWriter, r *http.Request, edit func(*Service) *refusal, write func(Service)) {
	one, answer := s.services.change(r.PathValue("service"), edit)
	if answer != nil {
		s.writeRefusal(w, answer)
		return
	}
	if r.Method != http.MethodGet {
		s.bell.ring()
	}
	write(one)
}

func unchanged(*Service) *refusal { return nil }

func (s *Server) fetchService(w http.ResponseWriter, r *http.Request) {
	s.serveService(w, r, unchanged, func(one Service) { s.writeJSON(w, http.StatusOK, s.serviceResource(r, one)) })
}

// updateService serves POST /v1/Services/MG…. A parameter that is not there leaves what it is about.
func (s *Server) updateService(w http.ResponseWriter, r *http.Request) {
	params, answer := readParams(w, r)
	if answer != nil {
		s.writeRefusal(w, answer)
		return
	}
	s.serveService(w, r, func(one *Service) *refusal {
		answer := one.set(params)
		if answer == nil {
			one.DateUpdated = s.cfg.Now().UTC()
		}
		return answer
	}, func(one Service) { s.writeJSON(w, http.StatusOK, s.serviceResource(r, one)) })
}

func (s *Server) deleteService(w http.ResponseWriter, r *http.Request) {
	if !s.services.remove(r.PathValue("service")) {
		s.serveNotFound(w, r)
		return
	}
	s.bell.ring()
	w.WriteHeader(http.StatusNoContent)
}

// addMember serves POST /v1/Services/MG…/PhoneNumbers. A number is in one service at most.
func (s *Server) addMember(w http.ResponseWriter, r *http.Request) {
	params, answer := readParams(w, r)
	sid := params.Get("PhoneNumberSid")
	if answer == nil && sid == "" {
		answer = missing("PhoneNumberSid")
	}
	number, found := s.numbers.change(sid, func(*Number) {})
	if answer == nil && !found {
		answer = badRequest(codeNumberInvalid, "Phone Number %s is invalid", sid)
	}
	if answer != nil {
		s.writeRefusal(w, answer)
		return
	}
	made := Member{Sid: number.Sid, PhoneNumber: number.PhoneNumber, DateCreated: s.cfg.Now().UTC()}
	in, answer := s.services.join(r.PathValue("service"), made)
	if answer != nil {
		s.writeRefusal(w, answer)
		return
	}
	s.bell.ring()
	s.writeJSON(w, http.StatusCreated, s.memberResource(r, in, made))
}

func (s *Server) listMembers(w http.ResponseWriter, r *http.Request) {
	s.serveService(w, r, unchanged, func(one Service) {
		var all []any
		for _, number := range one.Numbers {
			all = append(all, s.memberResource(r, one, number))
		}
		s.writePage(w, r, "phone_numbers", all)
	})
}

func (s *Server) fetchMember(w http.ResponseWriter, r *http.Request) {
	s.serveService(w, r, unchanged, func(one Service) {
		at := slices.IndexFunc(one.Numbers, func(m Member) bool { return m.Sid == r.PathValue("number") })
		if at < 0 {
			s.serveNotFound(w, r)
			return
		}
		s.writeJSON(w, http.StatusOK, s.memberResource(r, one, one.Numbers[at]))
	})
}

func (s *Server) removeMember(w http.ResponseWriter, r *http.Request) {
	s.serveService(w, r, func(one *Service) *refusal {
		before := len(one.Numbers)
		one.Numbers = slices.DeleteFunc(one.Numbers, func(m Member) bool { return m.Sid == r.PathValue("number") })
		if len(one.Numbers) == before {
			return notFound(r.URL.Path)
		}
		return nil
	}, func(Service) { w.WriteHeader(http.StatusNoContent) })
}

// serviceResource writes a service as Twilio's resource.
func (s *Server) serviceResource(r *http.Request, one Service) any {
	self := absolute(r, "/v1/Services/"+one.Sid)
	links := map[string]string{}
	for name, path := range map[string]string{
		"phone_numbers": "PhoneNumbers", "short_codes": "ShortCodes", "alpha_senders": "AlphaSenders", "messages": "Messages",
		"us_app_to_person": "Compliance/Usa2p", "us_app_to_person_usecases": "Compliance/Usa2p/Usecases",
		"channel_senders": "ChannelSenders", "destination_alpha_senders": "DestinationAlphaSenders",
	} {
		links[name] = self + "/" + path
	}
	return struct {
		Sid        string `json:"sid"`
		AccountSid string `json:"account_sid"`
		ServiceSettings
		UsAppToPersonRegistered bool              `json:"us_app_to_person_registered"`
		DateCreated             string            `json:"date_created"`
		DateUpdated             string            `json:"date_updated"`
		URL                     string            `json:"url"`
		Links                   map[string]string `json:"links"`
	}{
		Sid: one.Sid, AccountSid: s.cfg.AccountSid, ServiceSettings: one.ServiceSettings,
		UsAppToPersonRegistered: one.Campaign != nil && s.StatusOf(*one.Campaign) == CampaignVerified,
		DateCreated:             isoDate(one.DateCreated), DateUpdated: isoDate(one.DateUpdated), URL: self, Links: links,
	}
}

// memberResource writes a number in a service as Twilio's resource.
func (s *Server) memberResource(r *http.Request, in Service, one Member) any {
	country := ""
	if isAmerican(one.PhoneNumber) {
		country = "US"
	}
	return map[string]any{
		"sid": one.Sid, "account_sid": s.cfg.AccountSid, "service_sid": in.Sid, "phone_number": one.PhoneNumber,
		"country_code": country, "capabilities": []string{"MMS", "SMS", "Voice"},
		"date_created": isoDate(one.DateCreated), "date_updated": isoDate(one.DateCreated),
		"url": absolute(r, "/v1/Services/"+in.Sid+"/PhoneNumbers/"+one.Sid),
	}
}

// isoDate is how messaging.twilio.com writes dates.
func isoDate(date time.Time) string { return date.UTC().Format(time.RFC3339) }

// absolute is a URL of the fake, as the caller reaches it.
func absolute(r *http.Request, path string) string {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host + path
}

// writePage answers a list request of messaging.twilio.com. Nothing goes from the middle of these lists while somebody pages, so that a
// page's number says enough of where it begins.
func (s *Server) writePage(w http.ResponseWriter, r *http.Request, key string, all []any) {
	asked, answer := readPageRequest(r.URL.Query())
	if answer != nil {
		s.writeRefusal(w, answer)
		return
	}
	start := min(asked.page*asked.size, len(all))
	end := min(start+asked.size, len(all))
	at := func(page int) string { return absolute(r, pageURI(r.URL.Path, nil, asked.size, page, "")) }
	meta := map[string]any{
		"key": key, "page": asked.page, "page_size": asked.size, "url": at(asked.page), "first_page_url": at(0),
		"previous_page_url": nil, "next_page_url": nil,
	}
	if asked.page > 0 {
		meta["previous_page_url"] = at(asked.page - 1)
	}
	if end < len(all) {
		meta["next_page_url"] = at(asked.page + 1)
	}
	s.writeJSON(w, http.StatusOK, map[string]any{"meta": meta, key: append([]any{}, all[start:end]...)})
}
