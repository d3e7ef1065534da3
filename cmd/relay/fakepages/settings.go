package fakepages

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/webfiles"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// settings are what can be set.
type settings struct {
	Sliders  []slider
	Faults   twiliofake.Misbehaviour
	Numbers  []twiliofake.Number
	Services []service
	OptOuts  []twiliofake.OptOut
	Account  string
	Token    string
	BaseURL  string
	Original sms.PhoneNumber
}

// service is a Messaging Service, with how far its campaign is, if it has one.
type service struct {
	twiliofake.Service

	Status twiliofake.CampaignStatus
}

func (p *Pages) services() []service {
	var all []service
	for _, one := range p.Fake.Services() {
		shown := service{Service: one}
		if one.Campaign != nil {
			shown.Status = p.Fake.StatusOf(*one.Campaign)
		}
		all = append(all, shown)
	}
	return all
}

// named is what a service is called, with its numbers.
func (s service) named() string {
	words := s.FriendlyName + " (" + s.Sid + ")"
	for i, number := range s.Numbers {
		if i == 0 {
			words += ": "
		} else {
			words += ", "
		}
		words += string(number.PhoneNumber)
	}
	return words
}

// slider is a probability.
type slider struct {
	Name, Label string
	Percent     float64
}

func sliders(m twiliofake.Misbehaviour) []slider {
	return []slider{
		{"error_rate", "Requests that are answered 500, 503 or 429", m.ErrorRate * 100},
		{"accept_then_drop", "Messages that are accepted, and the connection closes without an answer", m.AcceptThenDrop * 100},
		{"drop_callback", "Status callbacks that never come", m.DropCallback * 100},
		{"duplicate_callback", "Status callbacks that come twice", m.DuplicateCallback * 100},
		{"reorder_callback", "Status callbacks that come after the next one", m.ReorderCallback * 100},
	}
}

func (p *Pages) showSettings(v *visit) error {
	faults := p.Fake.Misbehaviour()
	return v.Show(http.StatusOK, settingsPage(v.frame("Faults and settings"), settings{
		Sliders: sliders(faults), Faults: faults, Numbers: p.Fake.Numbers(), Services: p.services(), OptOuts: p.Fake.OptOuts(),
		Account: p.AccountSid, Token: p.AuthToken, BaseURL: "http://" + v.R.Host, Original: p.Number,
	}))
}

// setFaults sets what goes wrong, from the seed on.
func (p *Pages) setFaults(v *visit) error {
	if err := v.ReadForm(); err != nil {
		return err
	}
	wanted, err := readFaults(v.R.PostForm)
	if err == nil {
		err = p.Fake.Misbehave(wanted)
	}
	if err != nil {
		return webfiles.Refuse(http.StatusBadRequest, "These faults cannot be, and nothing has changed: "+err.Error())
	}
	return v.goTo(pathSettings)
}

func readFaults(form url.Values) (twiliofake.Misbehaviour, error) {
	var m twiliofake.Misbehaviour
	for name, into := range map[string]*float64{
		"error_rate": &m.ErrorRate, "accept_then_drop": &m.AcceptThenDrop, "drop_callback": &m.DropCallback,
		"duplicate_callback": &m.DuplicateCallback, "reorder_callback": &m.ReorderCallback,
	} {
		percent, err := strconv.ParseFloat(form.Get(name), 64)
		if err != nil {
			return m, fmt.Errorf("%s: want a percentage, got %q", name, form.Get(name))
		}
		*into = percent / 100
	}
	for name, into := range map[string]*time.Duration{
		"latency_least": &m.LatencyLeast, "latency_most": &m.LatencyMost, "list_lag": &m.ListLag,
	} {
		given, err := time.ParseDuration(form.Get(name))
		if err != nil {
			return m, fmt.Errorf("%s: want a time such as 200ms, got %q", name, form.Get(name))
		}
		*into = given
	}
	var err error
	if m.LoopGuard, err = strconv.Atoi(form.Get("loop_guard")); err != nil {
		return m, fmt.Errorf("loop_guard: want a number, got %q", form.Get("loop_guard"))
	}
	if m.Seed, err = strconv.ParseUint(form.Get("seed"), 10, 64); err != nil {
		return m, fmt.Errorf("seed: want a number, got %q", form.Get("seed"))
	}
	return m, nil
}

// register sets what a number is registered as.
func (p *Pages) register(v *visit) error {
	if err := v.ReadForm(); err != nil {
		return err
	}
	number, as := typed(v.R.PostForm, "number"), twiliofake.Registration(v.R.PostForm.Get("registration"))
	if !as.IsKnown() {
		return webfiles.Refuse(http.StatusBadRequest, "There is no such registration.")
	}
	if _, found := p.Fake.Register(number, as); !found {
		return webfiles.Refuse(http.StatusNotFound, "The account has no number "+string(number)+".")
	}
	return v.goTo(pathSettings)
}

// setCampaign sets how far the carriers are with a campaign.
func (p *Pages) setCampaign(v *visit) error {
	if err := v.ReadForm(); err != nil {
		return err
	}
	status := twiliofake.CampaignStatus(v.R.PostForm.Get("status"))
	if !slices.Contains(twiliofake.CampaignStatuses(), status) {
		return webfiles.Refuse(http.StatusBadRequest, "There is no such status of a campaign.")
	}
	if _, found := p.Fake.SetCampaign(v.R.PostForm.Get("campaign"), status); !found {
		return webfiles.Refuse(http.StatusNotFound, "There is no such campaign any more.")
	}
	return v.goTo(pathSettings)
}

// optOut has a phone opt out.
func (p *Pages) optOut(v *visit) error {
	if err := v.ReadForm(); err != nil {
		return err
	}
	number, phone := typed(v.R.PostForm, "number"), typed(v.R.PostForm, "phone")
	if !number.IsE164() || !phone.IsE164() {
		return webfiles.Refuse(http.StatusBadRequest, "Say which number and which phone, such as +18585550100 and +13125550147.")
	}
	p.Fake.OptOut(number, phone)
	return v.goTo(pathSettings)
}

// optIn lets a phone be texted again.
func (p *Pages) optIn(v *visit) error {
	if err := v.ReadForm(); err != nil {
		return err
	}
	p.Fake.OptIn(typed(v.R.PostForm, "number"), typed(v.R.PostForm, "phone"))
	return v.goTo(pathSettings)
}

// reset starts anew.
func (p *Pages) reset(v *visit) error {
	p.Fake.Reset()
	return v.goTo(pathSettings)
}

func typed(form url.Values, name string) sms.PhoneNumber {
	return sms.PhoneNumber(strings.TrimSpace(form.Get(name)))
}

// percent writes a probability.
func percent(p float64) string { return strconv.FormatFloat(p, 'f', -1, 64) }
