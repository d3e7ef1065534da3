package operations

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/functions/operator/conversations"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// maxSought is the longest list of words that is looked for, in characters.
const maxSought = 200

// search finds texts by what they say, and by who wrote them and when.
func (h *Handler) search(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	query, err := url.ParseQuery(request.RawQueryString)
	if err != nil {
		return refuse(http.StatusBadRequest, "the query string is unreadable")
	}
	var wrong findings
	checkNames(query, []string{"words", "number", "name", "tag", "since", "until", "limit", "cursor"}, &wrong)
	sought := conversations.Sought{
		Query: readQuery(query, &wrong), Words: readWords(query, "words", &wrong), Name: readWords(query, "name", &wrong),
		Tag: conversation.Tag(strings.ToUpper(strings.TrimPrefix(query.Get("tag"), "#"))), Reader: h.operator(request),
	}
	if query.Has("tag") && !sought.Tag.IsValid() {
		wrong.contradict("tag", "tag: %q is none: a tag is a letter and digits, such as A47, and the last digit guards against slips",
			query.Get("tag"))
	}
	switch {
	case !wrong.none():
		return wrong.refuse()
	case len(sought.Words) > 0 && sought.Reader == "":
		return unknownOperator()
	}
	found, err := h.kept().Search(ctx, sought)
	var refusedFor string
	switch {
	case err == nil:
		return answer{status: http.StatusOK, body: found}
	case errors.Is(err, conversations.ErrNoWords):
		refusedFor = "words"
	case errors.Is(err, conversations.ErrNumberNeeded):
		refusedFor = "number"
	case errors.Is(err, conversations.ErrManyNamed), errors.Is(err, conversations.ErrManyCustomers):
		refusedFor = "name"
	case errors.Is(err, ledger.ErrCursor):
		wrong.contradict("cursor", noCursor)
		return wrong.refuse()
	default:
		return refuse(http.StatusServiceUnavailable, "texts cannot be looked for at the moment").because(err)
	}
	wrong.contradict(refusedFor, "%s: %s", refusedFor, err)
	return wrong.refuse()
}

// readWords reads a parameter that has words.
func readWords(query url.Values, name string, wrong *findings) []string {
	typed := query.Get(name)
	words := ledger.Words(typed)
	switch {
	case utf8.RuneCountInString(typed) > maxSought:
		wrong.malform(name, "%s: want at most %d characters", name, maxSought)
	case query.Has(name) && len(words) == 0:
		wrong.contradict(name, "%s: there is no word in it: write letters or digits", name)
	case len(words) > ledger.MaxWords:
		wrong.contradict(name, "%s: want at most %d words", name, ledger.MaxWords)
	}
	return words
}
