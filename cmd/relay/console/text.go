package console

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/webfiles"

	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// newestTexts is how many texts are listed for somebody who has no SID.
const newestTexts = 20

// story is the page of one text.
type story struct {
	operations.Message

	// Words are what the text says, nil if nobody asked for it.
	Words *operations.Text
	// Others are the texts that the relay sends for this one: to one phone each, or what did not fit into it.
	Others []operations.Message
	// IsUnread: the audit log could not be read.
	IsUnread bool
	Now      time.Time
}

// Timeline is what happened to the text.
func (s story) Timeline() []stretch { return timelineOf(s.Message) }

// IsWaiting reports whether the relay goes on with the text by itself.
func (s story) IsWaiting() bool { return !s.State.Final() && s.State != ledger.Uncertain }

// IsOfCustomer reports whether the text has a customer who has a page.
func (s story) IsOfCustomer() bool {
	return s.Customer != "" && (!s.Notice || s.AutoAnswer) && (s.Answer == nil || s.Answer.Phone != s.Customer)
}

// found is the page on which a text is looked for.
type found struct {
	Sid, Refused string
	// Newest are the newest texts.
	Newest []operations.Message
	Now    time.Time
}

// textPath returns the URL of the page of a text.
func textPath(sid string) string { return pathText + "?" + url.Values{"sid": {sid}}.Encode() }

func (c *Console) textPages() map[string]page {
	return map[string]page{
		"GET " + pathText:       {signin.Viewer, c.text},
		"POST " + pathTextWords: {signin.Viewer, c.textWords},
	}
}

// text shows what happened to a text, or asks for which one.
func (c *Console) text(v *visit) error {
	sid := strings.TrimSpace(v.R.URL.Query().Get("sid"))
	if sid == "" {
		return c.findText(v, http.StatusOK, found{})
	}
	return c.showText(v, sid, nil)
}

// textWords shows a text with what it says. It is a form, and no link: each look goes on record.
func (c *Console) textWords(v *visit) error {
	sid := v.R.PostForm.Get("sid")
	var words operations.Text
	if err := v.api().get(operations.PathText, url.Values{"message_sid": {sid}}, &words); err != nil {
		return err
	}
	return c.showText(v, sid, &words)
}

func (c *Console) showText(v *visit, sid string, words *operations.Text) error {
	s := story{Words: words, Now: c.Now()}
	query := url.Values{"message_sid": {sid}, "trail": {"true"}}
	err := v.api().get(operations.PathStatus, query, &s.Message)
	if refused, ok := errors.AsType[webfiles.RefusalError](err); ok && refused.Status == http.StatusServiceUnavailable {
		query.Del("trail")
		s.IsUnread = true
		err = v.api().get(operations.PathStatus, query, &s.Message)
	}
	if refused, ok := errors.AsType[webfiles.RefusalError](err); ok && refused.Status < http.StatusInternalServerError {
		return c.findText(v, refused.Status, found{Sid: sid, Refused: refused.Words})
	}
	if err != nil {
		return err
	}
	if s.Others, err = c.othersOf(v, s.Message); err != nil {
		return err
	}
	return v.Show(http.StatusOK, textPage(v.frame("What happened to this text?"), s))
}

// othersOf returns the texts that the relay sent for a text.
func (c *Console) othersOf(v *visit, m operations.Message) ([]operations.Message, error) {
	if m.Customer == "" || m.ParentSid != "" || m.SecondPart {
		return nil, nil
	}
	var list operations.List
	err := v.api().get(operations.PathStatus, url.Values{
		"number": {string(m.Customer)}, "since": {m.ReceivedAt.Format(time.RFC3339Nano)}, "limit": {strconv.Itoa(ledger.MaxLimit)},
	}, &list)
	var others []operations.Message
	for _, one := range list.Messages {
		if one.ParentSid == m.MessageSid || strings.HasPrefix(one.MessageSid, m.MessageSid+"/") {
			others = append(others, one)
		}
	}
	return others, err
}

func (c *Console) findText(v *visit, status int, f found) error {
	var list operations.List
	if err := v.api().get(operations.PathStatus, url.Values{"limit": {strconv.Itoa(newestTexts)}}, &list); err != nil {
		return err
	}
	f.Newest, f.Now = list.Messages, c.Now()
	return v.Show(status, findTextPage(v.frame("What happened to a text?"), f))
}
