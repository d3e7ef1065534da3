package twiliofake

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// controlExchanges serves GET /fake/exchanges: the last requests and callbacks that the query asks for, the oldest first.
func (s *Server) controlExchanges(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	wanted := ExchangeFilter{
		Kind: ExchangeKind(query.Get("kind")), MessageSid: query.Get("message_sid"), Text: query.Get("text"),
		Refused: query.Get("refused") == "true",
	}
	var answer *refusal
	if wanted.Limit, answer = readNumber(query, "limit", 0); answer == nil {
		wanted.Before, answer = readNumber(query, "before", 0)
	}
	if answer != nil {
		s.writeRefusal(w, answer)
		return
	}
	found, more := s.Exchanges(wanted)
	seen := struct {
		Exchanges []Exchange `json:"exchanges"`
		Next      *int       `json:"next"`
	}{Exchanges: append([]Exchange{}, found...)}
	if more {
		seen.Next = &found[0].ID
	}
	s.writeJSON(w, http.StatusOK, seen)
}

// faultsBody is how the fake misbehaves, on the wire.
type faultsBody struct {
	AcceptThenDrop    float64 `json:"accept_then_drop"`
	ErrorRate         float64 `json:"error_rate"`
	DropCallback      float64 `json:"drop_callback"`
	DuplicateCallback float64 `json:"duplicate_callback"`
	ReorderCallback   float64 `json:"reorder_callback"`
	LatencyLeast      string  `json:"latency_least"`
	LatencyMost       string  `json:"latency_most"`
	ListLag           string  `json:"list_lag"`
	LoopGuard         int     `json:"loop_guard"`
	Seed              uint64  `json:"seed"`
}

func bodyOf(m Misbehaviour) faultsBody {
	return faultsBody{
		AcceptThenDrop: m.AcceptThenDrop, ErrorRate: m.ErrorRate, DropCallback: m.DropCallback,
		DuplicateCallback: m.DuplicateCallback, ReorderCallback: m.ReorderCallback, LatencyLeast: m.LatencyLeast.String(),
		LatencyMost: m.LatencyMost.String(), ListLag: m.ListLag.String(), LoopGuard: m.LoopGuard, Seed: m.Seed,
	}
}

// read returns what the body asks for.
func (b faultsBody) read() (Misbehaviour, error) {
	m := Misbehaviour{LoopGuard: b.LoopGuard, Seed: b.Seed}
	m.Odds = Odds{
		AcceptThenDrop: b.AcceptThenDrop, ErrorRate: b.ErrorRate, DropCallback: b.DropCallback,
		DuplicateCallback: b.DuplicateCallback, ReorderCallback: b.ReorderCallback,
	}
	for _, given := range []struct {
		name, text string
		into       *time.Duration
	}{
		{"latency_least", b.LatencyLeast, &m.LatencyLeast}, {"latency_most", b.LatencyMost, &m.LatencyMost}, {"list_lag", b.ListLag, &m.ListLag},
	} {
		if given.text == "" {
			continue
		}
		parsed, err := time.ParseDuration(given.text)
		if err != nil {
			return Misbehaviour{}, fmt.Errorf("%s: want a time such as 200ms, got %q", given.name, given.text)
		}
		*given.into = parsed
	}
	return m, nil
}

func (s *Server) controlFaults(w http.ResponseWriter, _ *http.Request) {
	s.writeJSON(w, http.StatusOK, bodyOf(s.Misbehaviour()))
}

// controlSetFaults serves PUT /fake/faults. What is not named misbehaves no more.
func (s *Server) controlSetFaults(w http.ResponseWriter, r *http.Request) {
	var body faultsBody
	if answer := readJSON(w, r, &body); answer != nil {
		s.writeRefusal(w, answer)
		return
	}
	wanted, err := body.read()
	if err == nil {
		err = s.Misbehave(wanted)
	}
	if err != nil {
		s.writeRefusal(w, badRequest(codeBadParameter, "%s", err))
		return
	}
	s.controlFaults(w, r)
}

// numberBody is a number of the account, on the wire.
type numberBody struct {
	Number         sms.PhoneNumber `json:"number"`
	SmsURL         string          `json:"sms_url"`
	SmsFallbackURL string          `json:"sms_fallback_url"`
	Registration   Registration    `json:"registration"`
}

func bodyOfNumber(n Number) numberBody {
	return numberBody{Number: n.PhoneNumber, SmsURL: n.Webhook.URL, SmsFallbackURL: n.Webhook.FallbackURL, Registration: n.Registration}
}

func (s *Server) controlNumbers(w http.ResponseWriter, _ *http.Request) {
	seen := struct {
		Numbers []numberBody `json:"numbers"`
	}{Numbers: []numberBody{}}
	for _, number := range s.Numbers() {
		seen.Numbers = append(seen.Numbers, bodyOfNumber(number))
	}
	s.writeJSON(w, http.StatusOK, seen)
}

// controlRegister serves PUT /fake/numbers/{number}: what the number is registered as.
func (s *Server) controlRegister(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Registration Registration `json:"registration"`
	}
	if answer := readJSON(w, r, &body); answer != nil {
		s.writeRefusal(w, answer)
		return
	}
	if !body.Registration.IsKnown() {
		s.writeRefusal(w, badRequest(codeBadParameter, "registration: want one of %v, got %q", Registrations(), body.Registration))
		return
	}
	number, found := s.Register(sms.PhoneNumber(r.PathValue("number")), body.Registration)
	if !found {
		s.writeRefusal(w, notOurs(r.PathValue("number")))
		return
	}
	s.writeJSON(w, http.StatusOK, bodyOfNumber(number))
}

// serviceBody is a Messaging Service, on the wire. A service without a campaign has neither its SID nor its status.
type serviceBody struct {
	Sid            string            `json:"sid"`
	FriendlyName   string            `json:"friendly_name"`
	Numbers        []sms.PhoneNumber `json:"numbers"`
	CampaignSid    string            `json:"campaign_sid"`
	CampaignStatus CampaignStatus    `json:"campaign_status"`
}

func (s *Server) bodyOfService(one Service) serviceBody {
	body := serviceBody{Sid: one.Sid, FriendlyName: one.FriendlyName, Numbers: []sms.PhoneNumber{}}
	for _, number := range one.Numbers {
		body.Numbers = append(body.Numbers, number.PhoneNumber)
	}
	if one.Campaign != nil {
		body.CampaignSid, body.CampaignStatus = one.Campaign.Sid, s.StatusOf(*one.Campaign)
	}
	return body
}

func (s *Server) controlServices(w http.ResponseWriter, _ *http.Request) {
	seen := struct {
		Services []serviceBody `json:"services"`
	}{Services: []serviceBody{}}
	for _, one := range s.Services() {
		seen.Services = append(seen.Services, s.bodyOfService(one))
	}
	s.writeJSON(w, http.StatusOK, seen)
}

// controlSetCampaign serves PUT /fake/campaigns/{campaign}: how far the carriers are with it.
func (s *Server) controlSetCampaign(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Status CampaignStatus `json:"campaign_status"`
	}
	if answer := readJSON(w, r, &body); answer != nil {
		s.writeRefusal(w, answer)
		return
	}
	if !slices.Contains(CampaignStatuses(), body.Status) {
		s.writeRefusal(w, badRequest(codeBadParameter, "campaign_status: want one of %v, got %q", CampaignStatuses(), body.Status))
		return
	}
	of, found := s.SetCampaign(r.PathValue("campaign"), body.Status)
	if !found {
		s.serveNotFound(w, r)
		return
	}
	s.writeJSON(w, http.StatusOK, s.bodyOfService(of))
}

func (s *Server) controlOptOuts(w http.ResponseWriter, _ *http.Request) {
	s.writeJSON(w, http.StatusOK, map[string]any{"opt_outs": s.OptOuts()})
}

// controlOptOut serves PUT /fake/opt-outs/{number}/{phone}.
func (s *Server) controlOptOut(w http.ResponseWriter, r *http.Request) {
	number, phone := sms.PhoneNumber(r.PathValue("number")), sms.PhoneNumber(r.PathValue("phone"))
	switch {
	case !s.owns(number):
		s.writeRefusal(w, notOurs(string(number)))
	case !isPhone(phone):
		s.writeRefusal(w, badRequest(codeBadParameter, "%q is no phone such as +13125550147", phone))
	default:
		s.OptOut(number, phone)
		w.WriteHeader(http.StatusNoContent)
	}
}

// controlOptIn serves DELETE /fake/opt-outs/{number}/{phone}.
func (s *Server) controlOptIn(w http.ResponseWriter, r *http.Request) {
	if !s.OptIn(sms.PhoneNumber(r.PathValue("number")), sms.PhoneNumber(r.PathValue("phone"))) {
		s.serveNotFound(w, r)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
