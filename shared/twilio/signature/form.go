package signature

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// ErrForm says that a body is not a form: it holds a percent sign that two hexadecimal digits do not follow, or
// more parameters than any webhook of Twilio's.
var ErrForm = errors.New("body is not a readable form")

// maxParameters bounds the work that a stranger's request can cause before its signature is known to be wrong.
// Twilio's own webhooks have fewer than a hundred.
const maxParameters = 1000

// parameter is one name and value of a form, decoded.
type parameter struct {
	name, value string
}

func (p parameter) compare(q parameter) int {
	if c := strings.Compare(p.name, q.name); c != 0 {
		return c
	}
	return strings.Compare(p.value, q.value)
}

// ParseForm decodes an application/x-www-form-urlencoded body. It is the parser that Validator.Validate uses, so that the form
// that was validated is the form that is read. Unlike net/url's it treats a raw semicolon as an ordinary character. Empty and
// blank values are kept as they are. The error is ErrForm.
func ParseForm(body []byte) (url.Values, error) {
	params, err := parseParameters(body)
	if err != nil {
		return nil, err
	}
	form := make(url.Values, len(params))
	for _, p := range params {
		form[p.name] = append(form[p.name], p.value)
	}
	return form, nil
}

// parseParameters decodes a form in the order of its bytes. All names and values share one string, which is what
// keeps the check of a signature to a few allocations.
func parseParameters(body []byte) ([]parameter, error) {
	count := bytes.Count(body, []byte{'&'}) + 1
	if count > maxParameters {
		return nil, fmt.Errorf("more than %d parameters: %w", maxParameters, ErrForm)
	}
	var decoded strings.Builder
	decoded.Grow(len(body))
	params := make([]parameter, 0, count)
	for pair := range bytes.SplitSeq(body, []byte{'&'}) {
		if len(pair) == 0 {
			continue
		}
		name, value, _ := bytes.Cut(pair, []byte{'='})
		p, err := decodeParameter(&decoded, name, value)
		if err != nil {
			return nil, err
		}
		params = append(params, p)
	}
	return params, nil
}

// decodeParameter appends name and value to decoded, which must not have to grow, and returns them as parts of it.
func decodeParameter(decoded *strings.Builder, name, value []byte) (parameter, error) {
	start := decoded.Len()
	if err := unescape(decoded, name); err != nil {
		return parameter{}, err
	}
	middle := decoded.Len()
	if err := unescape(decoded, value); err != nil {
		return parameter{}, err
	}
	text := decoded.String()
	return parameter{name: text[start:middle], value: text[middle:]}, nil
}

func unescape(decoded *strings.Builder, text []byte) error {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '+':
			decoded.WriteByte(' ')
		case '%':
			if i+2 >= len(text) || !isHex(text[i+1]) || !isHex(text[i+2]) {
				return fmt.Errorf("bad percent escape: %w", ErrForm)
			}
			decoded.WriteByte(fromHex(text[i+1])<<4 | fromHex(text[i+2]))
			i += 2
		default:
			decoded.WriteByte(text[i])
		}
	}
	return nil
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// fromHex returns the value of a digit for which isHex holds.
func fromHex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	default:
		return c - 'a' + 10
	}
}
