package routing

import (
	"errors"
	"fmt"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// autoProblem says what is wrong with the words of an automatic answer to a customer, beside their length; nil if nothing is. An answer
// that begins as the relay's texts to phones do is taken for one of them where it is quoted.
func autoProblem(field, text string) error {
	if text != "" && conversation.QuotesOurs(text) {
		return fmt.Errorf("%s begins like a text of the relay to a phone: begin with other words", field)
	}
	return nil
}

// autoAnswer checks the automatic answers: what they say, and whether they are ever sent.
func (c *checked) autoAnswer() {
	r := c.route
	c.autoText(fieldAutoClosed, "--auto-answer-closed", r.AutoAnswer.Closed)
	c.autoText(fieldAutoNoOne, "--auto-answer-no-one", r.AutoAnswer.NoOne)
	if r.AutoAnswer.Closed != "" && !r.IsScheduled() {
		c.report(Warning, fieldAutoClosed+" is never sent: there is no Schedule, so somebody is always on duty",
			"relay route export, add a Schedule, and relay route import")
	}
	if r.AutoAnswer.NoOne != "" && r.AnswerTimeout == 0 {
		c.report(Warning, fieldAutoNoOne+" is never sent: there is no AnswerTimeout", c.verb("set", "--answer-timeout 15m"))
	}
}

func (c *checked) autoText(field, flag, text string) {
	hint := c.verb("set", flag+" with other words")
	if err := autoProblem(field, text); err != nil {
		c.report(Problem, err.Error(), hint)
	}
	if n := sms.Segments(text); n > 1 && n <= route.MaxAutoSegments {
		c.report(Warning, fmt.Sprintf("%s needs %d segments, so it costs as much as %d texts", field, n, n), hint)
	}
}

// AutoAnswerProblems says what is wrong with the words of the new automatic answers, joined; nil if nothing is.
func (s Settings) AutoAnswerProblems() error {
	said := func(text *string) string {
		if text == nil {
			return ""
		}
		return *text
	}
	return errors.Join(autoProblem(fieldAutoClosed, said(s.AutoClosed)), autoProblem(fieldAutoNoOne, said(s.AutoNoOne)))
}
