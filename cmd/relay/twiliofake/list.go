package twiliofake

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	defaultPageSize = 50
	maxPageSize     = 1000
)

// Page tokens are "PA" or "PB" and the Sid after or before which the page lies, so that a message that arrives while
// someone pages shifts nothing.
const (
	tokenAfter  = "PA"
	tokenBefore = "PB"
)

// listPage is the answer of a list request.
type listPage struct {
	Messages        []Message `json:"messages"`
	FirstPageURI    string    `json:"first_page_uri"`
	PreviousPageURI *string   `json:"previous_page_uri"`
	NextPageURI     *string   `json:"next_page_uri"`
	URI             string    `json:"uri"`
	Page            int       `json:"page"`
	PageSize        int       `json:"page_size"`
	Start           int       `json:"start"`
	End             int       `json:"end"`
}

// pageRequest is which page a list request asks for. Page is for the client's own use: only the token has effect.
type pageRequest struct {
	size, page int
	token      string
}

func (s *Server) listMessages(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	wanted, answer := readFilter(query)
	if answer != nil {
		s.writeRefusal(w, answer)
		return
	}
	asked, answer := readPageRequest(query)
	if answer != nil {
		s.writeRefusal(w, answer)
		return
	}
	if lag := s.listLag(); lag > 0 {
		wanted.createdBy = s.cfg.Now().Add(-lag)
	}
	found, ok := s.store.find(wanted, asked)
	if !ok {
		s.writeRefusal(w, badRequest(codePageToken, "Invalid PageToken"))
		return
	}
	s.writeJSON(w, http.StatusOK, makePage(r.URL.Path, query, asked, found))
}

// foundPage is one page of what a filter matches, last created first, and whether there is more on either side.
type foundPage struct {
	messages     []Message
	newer, older bool
}

// find reports false for a page token that belongs to no message which the filter matches.
func (st *store) find(wanted filter, asked pageRequest) (foundPage, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	var matching []*Message
	for _, message := range slices.Backward(st.messages) {
		if wanted.matches(message) {
			matching = append(matching, message)
		}
	}
	first, last, ok := asked.bounds(matching)
	found := foundPage{messages: []Message{}, newer: first > 0, older: last < len(matching)}
	for _, message := range matching[first:last] {
		found.messages = append(found.messages, message.clone())
	}
	return found, ok
}

func readPageRequest(query url.Values) (pageRequest, *refusal) {
	asked := pageRequest{size: defaultPageSize, token: query.Get("PageToken")}
	var err error
	if given := query.Get("PageSize"); given != "" {
		if asked.size, err = strconv.Atoi(given); err != nil || asked.size < 1 {
			return asked, badRequest(codeBadParameter, "PageSize: %q is not a number of 1 or more", given)
		}
		if asked.size > maxPageSize {
			return asked, badRequest(codePageTooLarge, "Page size too large")
		}
	}
	if given := query.Get("Page"); given != "" {
		if asked.page, err = strconv.Atoi(given); err != nil || asked.page < 0 {
			return asked, badRequest(codeBadParameter, "Page: %q is not a page", given)
		}
	}
	return asked, nil
}

// bounds finds the page among all that matches: from first up to but without last. It reports false for a token that
// belongs to no message of the list.
func (p pageRequest) bounds(matching []*Message) (first, last int, ok bool) {
	if p.token == "" {
		return 0, min(p.size, len(matching)), true
	}
	after, isAfter := strings.CutPrefix(p.token, tokenAfter)
	before, isBefore := strings.CutPrefix(p.token, tokenBefore)
	at := slices.IndexFunc(matching, func(m *Message) bool {
		return (isAfter && m.Sid == after) || (isBefore && m.Sid == before)
	})
	switch {
	case at < 0:
		return 0, 0, false
	case isAfter:
		return at + 1, min(at+1+p.size, len(matching)), true
	default:
		return max(0, at-p.size), at, true
	}
}

func makePage(path string, query url.Values, asked pageRequest, found foundPage) listPage {
	count := len(found.messages)
	page := listPage{
		Messages:     found.messages,
		FirstPageURI: pageURI(path, query, asked.size, 0, ""),
		URI:          pageURI(path, query, asked.size, asked.page, asked.token),
		Page:         asked.page,
		PageSize:     asked.size,
		Start:        asked.page * asked.size,
	}
	page.End = page.Start + max(0, count-1)
	if found.older && count > 0 {
		page.NextPageURI = new(pageURI(path, query, asked.size, asked.page+1, tokenAfter+found.messages[count-1].Sid))
	}
	if found.newer && asked.page > 0 && count > 0 {
		page.PreviousPageURI = new(pageURI(path, query, asked.size, asked.page-1, tokenBefore+found.messages[0].Sid))
	}
	return page
}

// pageURI writes a page's address with its filters in the order in which Twilio writes them.
func pageURI(path string, query url.Values, size, page int, token string) string {
	var uri strings.Builder
	uri.WriteString(path + "?")
	for _, name := range []string{"PhoneNumber", "To", "From", "DateSent", "DateSent<", "DateSent>"} {
		if given := query.Get(name); given != "" {
			uri.WriteString(url.QueryEscape(name) + "=" + url.QueryEscape(given) + "&")
		}
	}
	uri.WriteString("PageSize=" + strconv.Itoa(size) + "&Page=" + strconv.Itoa(page))
	if token != "" {
		uri.WriteString("&PageToken=" + token)
	}
	return uri.String()
}
