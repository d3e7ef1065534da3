package twiliofake

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// maxMembers is how many numbers a Messaging Service may have, as with Twilio.
const maxMembers = 400

// Service is a Messaging Service of messaging.twilio.com: numbers of the account that send as one, and whose texts may go to one webhook.
type Service struct {
	Sid string
	ServiceSettings
	// Numbers are its members, in the order in which they were added.
	Numbers []Member
	// Campaign is its A2P 10DLC campaign, nil if it has none.
	Campaign    *Campaign
	DateCreated time.Time
	DateUpdated time.Time
}

// Member is a number in a Messaging Service.
type Member struct {
	Sid         string
	PhoneNumber sms.PhoneNumber
	DateCreated time.Time
}

// ServiceSettings are what an application sets of a Messaging Service, in Twilio's form. URLs that are not set are null.
type ServiceSettings struct {
	FriendlyName      string  `json:"friendly_name"`
	InboundRequestURL *string `json:"inbound_request_url"`
	InboundMethod     string  `json:"inbound_method"`
	FallbackURL       *string `json:"fallback_url"`
	FallbackMethod    string  `json:"fallback_method"`
	// StatusCallback is for messages that name none.
	StatusCallback *string `json:"status_callback"`
	// StickySender keeps to the number that a phone knows already.
	StickySender  bool `json:"sticky_sender"`
	MmsConverter  bool `json:"mms_converter"`
	SmartEncoding bool `json:"smart_encoding"`
	// ScanMessageContent is inherit, enable or disable.
	ScanMessageContent    string `json:"scan_message_content"`
	FallbackToLongCode    bool   `json:"fallback_to_long_code"`
	AreaCodeGeomatch      bool   `json:"area_code_geomatch"`
	SynchronousValidation bool   `json:"synchronous_validation"`
	ValidityPeriod        int    `json:"validity_period"`
	Usecase               string `json:"usecase"`
	// UseInboundWebhookOnNumber leaves texts that come in to the number's own webhook.
	UseInboundWebhookOnNumber bool `json:"use_inbound_webhook_on_number"`
}

// services are the account's Messaging Services.
type services struct {
	mu   sync.Mutex
	made []*Service
}

// list returns copies of all.
func (l *services) list() []Service {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]Service, 0, len(l.made))
	for _, one := range l.made {
		all = append(all, one.clone())
	}
	return all
}

// find returns a copy of the first one that is wanted.
func (l *services) find(wanted func(*Service) bool) (Service, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at := slices.IndexFunc(l.made, wanted); at >= 0 {
		return l.made[at].clone(), true
	}
	return Service{}, false
}

// change edits the service of that SID under the lock, and returns what it then is.
func (l *services) change(sid string, edit func(*Service) *refusal) (Service, *refusal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := slices.IndexFunc(l.made, withSid(sid))
	if at < 0 {
		return Service{}, notFound("/Services/" + sid)
	}
	answer := edit(l.made[at])
	return l.made[at].clone(), answer
}

// join adds a number to the service of that SID. A number is in one service at most.
func (l *services) join(sid string, number Member) (Service, *refusal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := slices.IndexFunc(l.made, withSid(sid))
	in := slices.IndexFunc(l.made, withMember(number.PhoneNumber))
	switch {
	case at < 0:
		return Service{}, notFound("/Services/" + sid)
	case in == at:
		return Service{}, refuse(http.StatusConflict, codeMemberAlready, "Phone Number or Short Code is already in the Messaging Service.")
	case in >= 0:
		return Service{}, refuse(http.StatusConflict, codeMemberElsewhere,
			"Phone Number or Short Code is associated with another Messaging Service.")
	case len(l.made[at].Numbers) >= maxMembers:
		return Service{}, badRequest(codePoolFull, "Messaging Service Number Pool size limit reached")
	}
	l.made[at].Numbers = append(l.made[at].Numbers, number)
	return l.made[at].clone(), nil
}

func (l *services) add(one Service) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.made = append(l.made, &one)
}

// remove reports whether there was such a service.
func (l *services) remove(sid string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := len(l.made)
	l.made = slices.DeleteFunc(l.made, withSid(sid))
	return len(l.made) < before
}

func (l *services) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.made = nil
}

func withSid(sid string) func(*Service) bool {
	return func(one *Service) bool { return one.Sid == sid }
}

// withMember wants the service that a number is in.
func withMember(number sms.PhoneNumber) func(*Service) bool {
	return func(one *Service) bool {
		return slices.ContainsFunc(one.Numbers, func(m Member) bool { return m.PhoneNumber == number })
	}
}

func (s Service) clone() Service {
	s.Numbers = slices.Clone(s.Numbers)
	if s.Campaign != nil {
		s.Campaign = new(*s.Campaign)
	}
	return s
}

// Services returns the account's Messaging Services, in the order in which they were made.
func (s *Server) Services() []Service { return s.services.list() }

// hookOf returns where a number's texts are posted, and the Messaging Service that it is in, empty if it is in none.
func (s *Server) hookOf(number sms.PhoneNumber) (hook Webhook, serviceSid string) {
	if s.isStrange(number) {
		return Webhook{}, ""
	}
	in, found := s.services.find(withMember(number))
	if !found || in.UseInboundWebhookOnNumber {
		return s.numbers.webhookOf(number), in.Sid
	}
	return Webhook{URL: textOf(in.InboundRequestURL), FallbackURL: textOf(in.FallbackURL)}, in.Sid
}

// senderIn is the number of a Messaging Service that texts a phone: the one that the phone knows already, if the service is sticky, and
// otherwise the first one.
func (s *Server) senderIn(in Service, phone sms.PhoneNumber) sms.PhoneNumber {
	if known, found := s.store.lastFrom(in.Numbers, phone); in.StickySender && found {
		return known
	}
	return in.Numbers[0].PhoneNumber
}

// together are the numbers that a phone opts out of at once: those of one Messaging Service, or otherwise the number alone.
func (s *Server) together(number sms.PhoneNumber) []sms.PhoneNumber {
	in, found := s.services.find(withMember(number))
	if !found {
		return []sms.PhoneNumber{number}
	}
	all := make([]sms.PhoneNumber, 0, len(in.Numbers))
	for _, one := range in.Numbers {
		all = append(all, one.PhoneNumber)
	}
	return all
}

// hasOptedOut reports whether a phone has opted out of a number, or of another one of its Messaging Service.
func (s *Server) hasOptedOut(number, phone sms.PhoneNumber) bool {
	return slices.ContainsFunc(s.together(number), func(one sms.PhoneNumber) bool {
		return s.store.hasOptedOut(pair{ours: one, phone: phone})
	})
}

func textOf(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
