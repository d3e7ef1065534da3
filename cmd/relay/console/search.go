package console

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/cmd/relay/webfiles"
	"quickdumpnow.com/smsrelay/functions/operator/conversations"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

const (
	pathSearch = Path + "/search"
	// foundShown is how many texts are on a page.
	foundShown = 20
)

// searching is the page on which texts are looked for. What is looked for is all in the page's URL.
type searching struct {
	conversations.Found

	// Words, Number, Name, Tag, From and To are as they were typed.
	Words, Number, Name, Tag, From, To string
	// IsAsked: something was looked for.
	IsAsked bool
	Refused string
	// First and Next are the paths of the first page and of the next one; empty if this is it, or there is none.
	First, Next string
	Now         time.Time
}

// HasWords reports whether the texts' words are there.
func (s searching) HasWords() bool { return strings.TrimSpace(s.Words) != "" }

// count says how many texts there are.
func (s searching) count() string {
	switch {
	case s.HasWords() && s.Count >= ledger.MaxCount:
		return strconv.Itoa(s.Count) + " texts or more"
	case s.HasWords():
		return cli.Plural(s.Count, "text")
	case s.First != "" || s.Next != "":
		return cli.Plural(len(s.Texts), "text") + " on this page"
	default:
		return cli.Plural(len(s.Texts), "text")
	}
}

// notIndexed says how many texts are not found by their words.
func (s searching) notIndexed() string {
	if s.NotIndexed >= ledger.MaxCount {
		return "At least " + cli.Plural(s.NotIndexed, "text")
	}
	return cli.Plural(s.NotIndexed, "text")
}

func (c *Console) searchPages() map[string]page {
	return map[string]page{"GET " + pathSearch: {signin.Viewer, c.search}}
}

// search finds texts. With words, what they say is shown, and it is on record with each.
func (c *Console) search(v *visit) error {
	asked := v.R.URL.Query()
	field := func(name string) string { return strings.TrimSpace(asked.Get(name)) }
	s := searching{
		Words: field("words"), Number: field("number"), Name: field("name"), Tag: field("tag"), From: field("from"), To: field("to"),
		Now: c.Now(),
	}
	kept, query := url.Values{}, url.Values{"limit": {strconv.Itoa(foundShown)}}
	keep := func(name, value string) {
		if value != "" {
			kept.Set(name, value)
		}
	}
	for name, value := range map[string]string{"words": s.Words, "number": s.Number, "name": s.Name, "tag": s.Tag} {
		if keep(name, value); value != "" {
			query.Set(name, value)
		}
	}
	keep("from", s.From)
	keep("to", s.To)
	if s.IsAsked = len(kept) > 0; !s.IsAsked {
		return v.Show(http.StatusOK, searchPage(v.frame(searchTitle), s))
	}
	err := readDays(query, s.From, s.To, timesIn(v.R.Context()).Zone)
	if after := asked.Get("after"); after != "" {
		s.First = pathSearch + "?" + kept.Encode()
		query.Set("cursor", after)
	}
	if err == nil {
		err = v.api().get(operations.PathSearch, query, &s.Found)
	}
	status := http.StatusOK
	if refused, ok := errors.AsType[webfiles.RefusalError](err); ok && refused.Status < http.StatusInternalServerError {
		status, s.Refused = refused.Status, refused.Words
	} else if err != nil {
		return err
	}
	if s.NextCursor != "" {
		kept.Set("after", s.NextCursor)
		s.Next = pathSearch + "?" + kept.Encode()
	}
	return v.Show(status, searchPage(v.frame(searchTitle), s))
}

const searchTitle = "Who wrote what?"

// readDays sets from when and until when texts came in; the last day is a whole one.
func readDays(query url.Values, from, to string, place *time.Location) error {
	for _, one := range []struct {
		name, day string
		days      int
	}{{"since", from, 0}, {"until", to, 1}} {
		if one.day == "" {
			continue
		}
		at, err := time.ParseInLocation(time.DateOnly, one.day, place)
		if err != nil {
			return webfiles.Refuse(http.StatusUnprocessableEntity, "A day is written such as 2026-11-24.")
		}
		query.Set(one.name, at.AddDate(0, 0, one.days).UTC().Format(time.RFC3339))
	}
	return nil
}
