package fakepages

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"quickdumpnow.com/smsrelay/cmd/relay/webfiles"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// maxShown is how many phones are shown unless somebody asks for others, maxBubbles how many texts each of them has.
const (
	maxShown   = 4
	maxBubbles = 30
)

// phones are the phones that a page shows.
type phones struct {
	// Number is the number that they text.
	Number sms.PhoneNumber
	Shown  []phone
	// Others are those that have texted and are not shown, with the page that shows them, too.
	Others []choice
	// Back is the page itself.
	Back string
}

// choice is a link.
type choice struct{ Label, Path string }

// phone is one phone with its texts, the newest first.
type phone struct {
	Phone   sms.PhoneNumber
	Without string
	Texts   []bubble
	// Renew is where the newer texts are, Back the page that a reaction leads to.
	Renew, Back string
}

// numberOf is the number that a phone had to do with last, or otherwise what the page has.
func numberOf(one phone, otherwise sms.PhoneNumber) sms.PhoneNumber {
	if len(one.Texts) > 0 {
		return one.Texts[0].Ours()
	}
	return otherwise
}

// bubble is one text on a phone.
type bubble struct {
	twiliofake.Message
	// Own is set for what the phone has written.
	Own   bool
	Files []attachment
}

// attachment is a file of a text.
type attachment struct {
	Path      string
	IsPicture bool
}

func (p *Pages) showPhones(v *visit) error {
	query := v.R.URL.Query()
	known, numbers := p.Fake.Phones()
	number := sms.PhoneNumber(query.Get("number"))
	if number == "" {
		number = p.Number
	}
	if number == "" && len(numbers) > 0 {
		number = numbers[0]
	}
	shown := p.chosen(query["phone"], known)
	all := phones{Number: number, Back: pathOf(number, shown)}
	for i, one := range shown {
		card := p.phone(one, all.Back)
		card.Without = pathOf(number, slices.Delete(slices.Clone(shown), i, i+1))
		all.Shown = append(all.Shown, card)
	}
	for _, one := range known {
		if one.IsE164() && !slices.Contains(shown, one) {
			all.Others = append(all.Others, choice{string(one), pathOf(number, append(slices.Clone(shown), one))})
		}
	}
	return v.Show(http.StatusOK, phonesPage(v.frame("Phones"), all))
}

// chosen returns the phones that are asked for, or otherwise the first ones that are known.
func (p *Pages) chosen(asked []string, known []sms.PhoneNumber) []sms.PhoneNumber {
	var shown []sms.PhoneNumber
	enter := func(one sms.PhoneNumber) {
		if one.IsE164() && !slices.Contains(shown, one) {
			shown = append(shown, one)
		}
	}
	for _, one := range asked {
		enter(sms.Typed(strings.TrimRight(one, " ")))
	}
	if len(shown) > 0 {
		return shown
	}
	for _, one := range slices.Concat(p.Phones, known) {
		if len(shown) < maxShown {
			enter(one)
		}
	}
	return shown
}

// pathOf is the page with these phones.
func pathOf(number sms.PhoneNumber, shown []sms.PhoneNumber) string {
	query := url.Values{}
	if number != "" {
		query.Set("number", string(number))
	}
	for _, one := range shown {
		query.Add("phone", string(one))
	}
	return pathPhones + "?" + query.Encode()
}

// phone returns a phone with its last texts.
func (p *Pages) phone(number sms.PhoneNumber, back string) phone {
	found, _ := p.Fake.FindMessages(twiliofake.MessageFilter{Phone: number, Limit: maxBubbles})
	slices.Reverse(found)
	shown := phone{
		Phone: number, Back: back,
		Renew: pathTexts + "?" + url.Values{"phone": {string(number)}, "back": {back}}.Encode(),
	}
	for _, message := range found {
		shown.Texts = append(shown.Texts, p.bubble(message))
	}
	return shown
}

func (p *Pages) bubble(message twiliofake.Message) bubble {
	b := bubble{Message: message, Own: message.Direction == twiliofake.DirectionInbound}
	files := p.Fake.MediaOf(message.Sid)
	for i, sid := range p.Fake.MediaSids(message.Sid) {
		if i < len(files) {
			b.Files = append(b.Files, attachment{"/fake/media/" + sid, files[i].IsPicture()})
		}
	}
	return b
}

// showTexts renews the texts of one phone.
func (p *Pages) showTexts(v *visit) error {
	query := v.R.URL.Query()
	if !sms.PhoneNumber(query.Get("phone")).IsE164() {
		return webfiles.Refuse(http.StatusBadRequest, "Say which phone, such as +13125550147.")
	}
	return v.Show(http.StatusOK, textsOf(p.phone(sms.PhoneNumber(query.Get("phone")), query.Get("back"))))
}

// text sends what somebody wrote on a phone.
func (p *Pages) text(v *visit) error {
	params, files, err := twiliofake.ReadText(v.W, v.R)
	if err != nil {
		return webfiles.Refuse(http.StatusBadRequest, err.Error())
	}
	files = slices.DeleteFunc(files, func(f twiliofake.File) bool { return len(f.Content) == 0 }) // a browser sends an empty one for none
	text := twiliofake.Inbound{
		From: sms.PhoneNumber(params.Get("From")), To: sms.PhoneNumber(params.Get("To")), Body: params.Get("Body"), Files: files,
	}
	if text.Body == "" && len(files) == 0 {
		return webfiles.Refuse(http.StatusBadRequest, "Write something, or choose a picture.")
	}
	if !text.From.IsE164() || text.To == "" {
		return webfiles.Refuse(http.StatusBadRequest, "Say who texts and which number, such as +13125550147 and +18585550100.")
	}
	response, err := p.Fake.SendInbound(v.R.Context(), text, "")
	return p.sent(v, response, err, params.Get("back"))
}

// react sends a phone's reaction to a text.
func (p *Pages) react(v *visit) error {
	if err := v.ReadForm(); err != nil {
		return err
	}
	response, err := p.Fake.React(v.R.Context(), v.R.PostForm.Get("MessageSid"), v.R.PostForm.Get("Emoji"))
	return p.sent(v, response, err, v.R.PostForm.Get("back"))
}

// sent goes back to the phones, or says why the application has not taken the text.
func (p *Pages) sent(v *visit, response twiliofake.Response, err error, back string) error {
	switch {
	case err != nil:
		return webfiles.Refuse(http.StatusBadRequest, "The text was not sent: "+err.Error())
	case !response.Taken:
		why := "it gave no answer"
		if len(response.Errors) > 0 {
			why = fmt.Sprintf("%s (%d)", response.Errors[len(response.Errors)-1].Reason, response.Errors[len(response.Errors)-1].Code)
		}
		return webfiles.Refuse(http.StatusBadGateway, fmt.Sprintf("The application at %s did not accept the text %s: %s", response.URL,
			response.MessageSid, why))
	}
	return v.goTo(ownPath(back))
}

// ownPath lets a form lead only to the phones, to those that its page showed.
func ownPath(back string) string {
	_, asked, _ := strings.Cut(back, "?")
	query, err := url.ParseQuery(asked)
	if err != nil {
		return pathPhones
	}
	return pathPhones + "?" + query.Encode()
}
