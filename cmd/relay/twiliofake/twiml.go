package twiliofake

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
)

// maxReplies is how many messages one TwiML document may ask for.
const maxReplies = 10

// twiml is a messaging TwiML document.
type twiml struct {
	XMLName  xml.Name `xml:"Response"`
	Messages []reply  `xml:"Message"`
	Redirect []string `xml:"Redirect"`
	Unknown  []verb   `xml:",any"`
	Text     string   `xml:",chardata"`
}

// reply is a <Message> verb. Its text is in it or in its <Body>.
type reply struct {
	To             string   `xml:"to,attr"`
	From           string   `xml:"from,attr"`
	StatusCallback string   `xml:"statusCallback,attr"`
	Body           []string `xml:"Body"`
	Media          []string `xml:"Media"`
	Text           string   `xml:",chardata"`
}

type verb struct {
	XMLName xml.Name
}

func (r reply) body() string {
	if len(r.Body) > 0 {
		return strings.Join(r.Body, "")
	}
	return strings.TrimSpace(r.Text)
}

// readAnswer returns the replies that a webhook's answer asks for, or why Twilio does not accept it.
func readAnswer(answer posted) ([]reply, *WebhookError) {
	refuse := func(code int, reason string) ([]reply, *WebhookError) {
		return nil, &WebhookError{Code: code, URL: answer.url, StatusCode: answer.statusCode, Reason: reason}
	}
	switch {
	case answer.code != 0:
		return refuse(answer.code, answer.reason)
	case answer.statusCode == http.StatusNoContent:
		return nil, nil
	case len(answer.body) > maxAnswer:
		return refuse(codeAnswerTooLarge, "the answer is over 64 kB")
	}
	mediaType, _, err := mime.ParseMediaType(answer.contentType)
	if err != nil {
		return refuse(codeContentType, fmt.Sprintf("Content-Type %q", answer.contentType))
	}
	replies, err := readReplies(mediaType, answer.body)
	switch {
	case errors.Is(err, errContentType):
		return refuse(codeContentType, err.Error())
	case err != nil:
		return refuse(codeBadTwiML, err.Error())
	case len(replies) > maxReplies:
		return refuse(codeTooManyMessages, fmt.Sprintf("%d replies", len(replies)))
	}
	return replies, nil
}

var errContentType = errors.New("neither TwiML nor text")

// readReplies reads TwiML, or plain text, which Twilio sends as one reply.
func readReplies(mediaType string, body []byte) ([]reply, error) {
	switch mediaType {
	case "text/plain":
		if len(body) == 0 {
			return nil, nil
		}
		return []reply{{Text: string(body)}}, nil
	case "text/xml", "application/xml", "text/html":
		return parseTwiML(body)
	default:
		return nil, fmt.Errorf("%w: %s", errContentType, mediaType)
	}
}

// parseTwiML is strict where Twilio is: one <Response>, nothing around it but what XML allows, known verbs in it.
func parseTwiML(body []byte) ([]reply, error) {
	var document twiml
	decoder := xml.NewDecoder(bytes.NewReader(body))
	root, err := skipProlog(decoder)
	if err != nil {
		return nil, fmt.Errorf("parse TwiML: before the document: %w", err)
	}
	if err := decoder.DecodeElement(&document, &root); err != nil {
		return nil, fmt.Errorf("parse TwiML: %w", err)
	}
	if len(document.Unknown) > 0 {
		return nil, fmt.Errorf("parse TwiML: unknown verb <%s>", document.Unknown[0].XMLName.Local)
	}
	if strings.TrimSpace(document.Text) != "" {
		return nil, errors.New("parse TwiML: text outside of a verb")
	}
	if err := expectEnd(decoder); err != nil {
		return nil, fmt.Errorf("parse TwiML: after the document: %w", err)
	}
	return document.Messages, nil
}

// skipProlog returns the root element. An XML declaration must be the very first thing: the usual way to break TwiML
// is a blank line before it.
func skipProlog(decoder *xml.Decoder) (xml.StartElement, error) {
	for {
		offset := decoder.InputOffset()
		token, err := decoder.Token()
		if err != nil {
			return xml.StartElement{}, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			return token, nil
		case xml.ProcInst:
			if token.Target == "xml" && offset > 0 {
				return xml.StartElement{}, errors.New("the XML declaration is not at the start")
			}
		case xml.CharData:
			if len(bytes.TrimSpace(token)) > 0 {
				return xml.StartElement{}, errors.New("text")
			}
		}
	}
}

// expectEnd lets only white space and comments follow.
func expectEnd(decoder *xml.Decoder) error {
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		text, isText := token.(xml.CharData)
		_, isComment := token.(xml.Comment)
		if !isComment && (!isText || len(bytes.TrimSpace(text)) > 0) {
			return errors.New("content")
		}
	}
}
