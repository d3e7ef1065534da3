package browser

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// TestStory is a day of somebody in the office, on a narrow screen in the dark, and of two phones on a desk. Each of its steps works
// without JavaScript, too, when pages are loaded again.
func TestStory(t *testing.T) {
	t.Parallel()
	for name, isPlain := range map[string]bool{"with JavaScript": false, "without JavaScript": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			office, phones := s.newTab(t), s.newTab(t)
			office.look(320, "dark")
			phones.look(1280, "light")
			if isPlain {
				office.withoutScripts()
				phones.withoutScripts()
			}
			phones.open(s.twilio)
			signUp(office)
			answer(office, phones)
			trouble(office, phones)
			duty(office)
		})
	}
}

// signUp makes a user of one's own, and signs in as that user.
func signUp(office *tab) {
	office.Helper()
	office.signIn("operator", operator)
	office.follow("Users")
	office.write("Name", "bert")
	office.choose("Role", "owner")
	office.choose("Phone on duty", "Bo")
	office.write("Password", password)
	office.press("Add")
	office.see("bert", "Bo")
	office.press("Sign out")
	office.signIn("bert", password)
}

// answer: a customer texts, is taken, and gets an answer.
func answer(office, phones *tab) {
	office.Helper()
	office.see("Nobody waits for an answer.")
	phones.writeOn(customer, "Is the gate open?")
	phones.arriveOn(bo, "Is the gate open?")
	office.arrive(customer)
	office.keyTo(within("button", "Take it"))
	office.see("You have the customer now.")
	phones.arriveOn(bo, "you have …0147")
	office.follow(customer)
	office.press("Show what they say")
	office.see("Is the gate open?")
	office.write("What the customer gets", "It is, until six.")
	office.press("Send the answer")
	phones.arriveOn(customer, "It is, until six.")
	office.follow("Who is waiting?")
	// An answer to what the office has seen ends the waiting, however soon it comes.
	office.arrive("Nobody waits for an answer.")
	phones.writeOn(customer, "Thank you!")
	phones.arriveOn(bo, "Thank you!")
	office.arrive(customer)
	office.press("Nothing more is to be done")
	office.see("Nobody waits for an answer.")
}

// needs is the path of the link that says how much needs somebody.
const needs = `//header//a[starts-with(normalize-space(),"What needs me?")]`

// tag is the tag of a relay's first customer.
const tag = "A05"

// trouble: Twilio has suspended the number, so a text reaches nobody. Once that is mended, it is sent again.
func trouble(office, phones *tab) {
	office.Helper()
	twilio := phones.again()
	twilio.open(office.twilio + "/settings")
	twilio.choose(number+", webhook", "suspended")
	twilio.press("Set")
	phones.writeOn(customer, "Is anybody there?")
	office.follow("What happened to a text?")
	office.reload(`document.querySelector("ol.texts .loud")?.innerText.includes("undelivered")===true`)
	office.leave(`//ol[@class="texts"]//a`)
	office.see("undelivered", "30033")
	office.leave(needs)
	office.see("reached nobody")
	twilio.choose(number+", webhook", "verified")
	twilio.press("Set")
	office.write("Why", "The number is verified again.")
	office.press("Send the chosen texts again")
	delivered := phone(bo) + `//div[contains(.,"Is anybody there?") and .//small[contains(.,"delivered") and not(contains(.,"un"))]]`
	phones.await(find(delivered)+"!==null", "the text that was sent again does not arrive")
	office.leave(needs)
	office.reload(`document.body.innerText.includes("Nothing needs you.")`)
	office.see("Nothing needs you.")
	phones.writeOn(bo, tag+" Bo is here.")
	phones.arriveOn(customer, "Bo is here.")
}

// duty: somebody else changes the order of the phones meanwhile, is told so, and decides.
func duty(office *tab) {
	office.Helper()
	other := office.again()
	other.signIn("operator", operator)
	for _, b := range []*tab{office, other} {
		b.follow("Who is on duty?")
		b.click(order + "/summary")
	}
	office.choose("Phone 1", "Cy")
	office.choose("Phone 2", "Bo")
	office.leave(order + "//button")
	office.see("Then")
	office.press("Put it in force")
	office.see("by bert")
	office.write("A text from", stranger)
	office.press("Show where")
	office.see("The text would go to Cy")
	other.choose("Phone 2", "nobody")
	other.expect("the server responded with a status of 409")
	other.leave(order + "//button")
	other.see("bert changed the route", "Nothing of yours is in force.")
	other.press("Put it in force")
	other.see("by operator")
	office.follow("Who is on duty?")
	office.write("A text from", stranger)
	office.press("Show where")
	office.see("The text would go to Bo")
}

// stranger is somebody whom no phone has.
const stranger = "+13125550148"

// order is the path of the form that changes the order of the phones.
const order = `//details[summary="The order of the phones"]`

// phone is the path of a phone on the fake Twilio's page.
func phone(of string) string { return "//section[@aria-label=" + quoted("Phone "+of) + "]" }

// writeOn writes a text on a phone, and sends it.
func (b *tab) writeOn(of, words string) {
	b.Helper()
	b.click(phone(of) + "//textarea")
	b.insert(words)
	b.leave(phone(of) + `//button[normalize-space()="Send"]`)
}

// arriveOn waits until a phone shows a text.
func (b *tab) arriveOn(of, words string) {
	b.Helper()
	b.await(find(phone(of))+"?.innerText.includes("+quoted(words)+")", words+" does not arrive on "+of)
}

// insert writes where the cursor is.
func (b *tab) insert(words string) {
	b.Helper()
	b.do(chromedp.Func(func(ctx context.Context, to *chromedp.Target) error {
		_, err := cdp.Call(ctx, to, input.InsertText, input.InsertTextParams{Text: words})
		return err
	}))
}
