package fakepages

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"quickdumpnow.com/smsrelay/cmd/relay/webfiles"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// pageLength is how many requests or messages a page has.
const pageLength = 50

// requests are one page of exchanges, the newest first.
type requests struct {
	Filter twiliofake.ExchangeFilter
	List   []twiliofake.Exchange
	Older  string
	News   string
}

func readExchangeFilter(query url.Values) twiliofake.ExchangeFilter {
	before, _ := strconv.Atoi(query.Get("before")) // what is no number asks for the newest
	return twiliofake.ExchangeFilter{
		Kind: twiliofake.ExchangeKind(query.Get("kind")), MessageSid: query.Get("message_sid"), Text: query.Get("text"),
		Refused: query.Get("refused") != "", Before: before, Limit: pageLength,
	}
}

func (p *Pages) showRequests(v *visit) error {
	query := v.R.URL.Query()
	page := requests{Filter: readExchangeFilter(query)}
	var more bool
	page.List, more = p.Fake.Exchanges(page.Filter)
	slices.Reverse(page.List)
	if more {
		page.Older = with(v.R.URL, "before", strconv.Itoa(page.List[len(page.List)-1].ID))
	}
	newest := "0"
	if len(page.List) > 0 {
		newest = strconv.Itoa(page.List[0].ID)
	}
	if page.Filter.Before == 0 {
		query.Set("after", newest)
		page.News = pathNews + "?" + query.Encode()
	}
	return v.Show(http.StatusOK, requestsPage(v.frame("Requests and callbacks"), page))
}

// showNews says how many exchanges came since the page was made.
func (p *Pages) showNews(v *visit) error {
	query := v.R.URL.Query()
	after, err := strconv.Atoi(query.Get("after"))
	if err != nil {
		return webfiles.Refuse(http.StatusBadRequest, "after: want a number.")
	}
	filter := readExchangeFilter(query)
	filter.Limit, filter.After = 0, after
	all, _ := p.Fake.Exchanges(filter)
	return v.tell(len(all), pathRequests)
}

// showMessagesNews says how many messages came since the page was made.
func (p *Pages) showMessagesNews(v *visit) error {
	query := v.R.URL.Query()
	filter := readMessageFilter(query)
	filter.Limit, filter.After = 0, query.Get("after")
	all, _ := p.Fake.FindMessages(filter)
	return v.tell(len(all), pathMessages)
}

// tell says how many more there are than on a page, if there are any.
func (v *visit) tell(count int, path string) error {
	if count == 0 {
		return v.nothingNew()
	}
	query := v.R.URL.Query()
	query.Del("after")
	return v.Show(http.StatusOK, news(count, path+"?"+query.Encode(), v.R.URL.RequestURI()))
}

// with is a page's address with one parameter set.
func with(page *url.URL, name, value string) string {
	query := page.Query()
	query.Set(name, value)
	return page.Path + "?" + query.Encode()
}

// messages are one page of messages, the newest first.
type messages struct {
	Filter twiliofake.MessageFilter
	List   []bubble
	Older  string
	News   string
}

func readMessageFilter(query url.Values) twiliofake.MessageFilter {
	return twiliofake.MessageFilter{
		Phone: sms.Typed(strings.TrimRight(query.Get("phone"), " ")), Direction: query.Get("direction"),
		Status: sms.Status(query.Get("status")), Text: query.Get("text"), Before: query.Get("before"), Limit: pageLength,
	}
}

func (p *Pages) showMessages(v *visit) error {
	query := v.R.URL.Query()
	page := messages{Filter: readMessageFilter(query)}
	found, more := p.Fake.FindMessages(page.Filter)
	slices.Reverse(found)
	for _, message := range found {
		page.List = append(page.List, p.bubble(message))
	}
	if more {
		page.Older = with(v.R.URL, "before", found[len(found)-1].Sid)
	}
	if page.Filter.Before == "" {
		if len(found) > 0 {
			query.Set("after", found[0].Sid)
		}
		page.News = pathMessagesNews + "?" + query.Encode()
	}
	return v.Show(http.StatusOK, messagesPage(v.frame("Messages"), page))
}

// kinds are what requests are about, in words.
func kinds() []struct {
	Kind  twiliofake.ExchangeKind
	Words string
} {
	return []struct {
		Kind  twiliofake.ExchangeKind
		Words string
	}{
		{twiliofake.ExchangeAPI, "request to the API"},
		{twiliofake.ExchangeWebhook, "webhook"},
		{twiliofake.ExchangeFallback, "webhook to the fallback URL"},
		{twiliofake.ExchangeCallback, "status callback"},
		{twiliofake.ExchangeMedia, "fetch of an attachment"},
	}
}

func wordsOf(kind twiliofake.ExchangeKind) string {
	for _, one := range kinds() {
		if one.Kind == kind {
			return one.Words
		}
	}
	return string(kind)
}

// parameter is one parameter of a request.
type parameter struct{ Name, Value string }

// parametersOf returns the parameters of a request by name.
func parametersOf(e twiliofake.Exchange) []parameter {
	var all []parameter
	for _, name := range slices.Sorted(maps.Keys(e.Params)) {
		for _, value := range e.Params[name] {
			all = append(all, parameter{name, value})
		}
	}
	return all
}

// about is the page with the requests about a message.
func about(sid string) string { return pathRequests + "?message_sid=" + url.QueryEscape(sid) }

// statusOf says how far a message has come.
func statusOf(m twiliofake.Message) string {
	if m.ErrorCode != 0 {
		return fmt.Sprintf("%s, %d", m.Status, m.ErrorCode)
	}
	return string(m.Status)
}
