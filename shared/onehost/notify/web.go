package notify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/textproto"
	"net/url"
	"regexp"
	"strings"
)

// fingerprint tells a URL from others without showing it.
func fingerprint(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// deliver sends a request, and reads the beginning of the answer. Its error has nothing of the URL.
func deliver(client *http.Client, request *http.Request) (answer []byte, err error) {
	request.Header.Set("User-Agent", "sms-relay")
	response, err := client.Do(request)
	if err != nil {
		// A *url.Error quotes the whole URL.
		if inner, ok := errors.AsType[*url.Error](err); ok {
			err = inner.Err
		}
		return nil, err
	}
	defer response.Body.Close() //nolint:errcheck // it was only read.
	const most = 4 << 10
	answer, _ = io.ReadAll(io.LimitReader(response.Body, most)) // The status counts.
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return nil, fmt.Errorf("it answered %d (%s)", response.StatusCode, http.StatusText(response.StatusCode))
	}
	return answer, nil
}

// webScheme is http if the URL says that it needs no TLS.
func webScheme(p params) string {
	if strings.EqualFold(p.take("scheme"), "http") {
		return "http"
	}
	if p.isSet(false, "disabletls") {
		return "http"
	}
	return "https"
}

// newNtfy reads ntfy://[user:password@]host[:port]/topic?priority=&tags=&title=&token=&click=&email=&icon=&disabletls=.
func newNtfy(at *url.URL, p params, client *http.Client) (Target, error) {
	address := url.URL{Scheme: webScheme(p), Host: at.Host, Path: at.Path}
	if at.Host == "" || strings.Trim(at.Path, "/") == "" {
		return Target{}, errors.New("want ntfy://HOST/TOPIC")
	}
	title, priority, token := p.take("title"), p.take("priority"), p.take("token")
	more := map[string]string{"Tags": p.take("tags"), "Click": p.take("click"), "Email": p.take("email"), "Icon": p.take("icon")}
	return Target{Label: "ntfy://" + at.Host + "/***", send: func(ctx context.Context, n Notice) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, address.String(), strings.NewReader(n.Text))
		if err != nil {
			return errors.New("the URL is not valid")
		}
		for name, value := range more {
			if value != "" {
				request.Header.Set(name, value)
			}
		}
		request.Header.Set("Title", mime.QEncoding.Encode("utf-8", or(title, n.Title)))
		if priority == "" && !n.Over {
			request.Header.Set("Priority", "high")
		} else if priority != "" {
			request.Header.Set("Priority", priority)
		}
		authorize(request, at.User, token)
		_, err = deliver(client, request)
		return err
	}}, nil
}

// authorize signs in with a token, or else with what the URL has in front of its host.
func authorize(request *http.Request, user *url.Userinfo, token string) {
	switch password, _ := user.Password(); {
	case token != "":
		request.Header.Set("Authorization", "Bearer "+token)
	case user != nil:
		request.SetBasicAuth(user.Username(), password)
	}
}

func or(first, second string) string {
	if first != "" {
		return first
	}
	return second
}

var (
	slackHook = regexp.MustCompile(`^slack://(?:hook:([A-Za-z0-9]+)-([A-Za-z0-9]+)-([A-Za-z0-9]+)@webhook|` +
		`(?:[^@/?]*@)?([A-Za-z0-9]+)/([A-Za-z0-9]+)/([A-Za-z0-9]+))/?(?:\?.*)?$`)
	slackBot = regexp.MustCompile(`^slack://(xox[a-z]):([A-Za-z0-9-]+)@([A-Za-z0-9]+)/?(?:\?.*)?$`)
	// slackError is one of Slack's own words for what is wrong.
	slackError = regexp.MustCompile(`^[a-z_]{3,50}$`)
)

// newSlack reads slack://hook:A-B-C@webhook, slack://A/B/C, and slack://xoxb:TOKEN@CHANNEL, with ?botname=&icon=&title=&color=.
func newSlack(text string, at *url.URL, p params, client *http.Client) (Target, error) {
	address, token := "", ""
	message := map[string]string{}
	if found := slackHook.FindStringSubmatch(text); found != nil {
		address = "https://hooks.slack.com/services/" + strings.Trim(strings.Join(found[1:], "/"), "/")
	} else if found := slackBot.FindStringSubmatch(text); found != nil {
		address = "https://slack.com/api/chat.postMessage"
		token = found[1] + "-" + found[2]
		message["channel"] = found[3]
	} else {
		return Target{}, errors.New("want slack://hook:A-B-C@webhook, slack://A/B/C or slack://xoxb:TOKEN@CHANNEL")
	}
	message["username"] = p.take("botname")
	if message["username"] == "" && token == "" && at.User.Username() != "hook" {
		message["username"] = at.User.Username()
	}
	if icon := p.take("icon"); strings.HasPrefix(icon, "http") {
		message["icon_url"] = icon
	} else if icon != "" {
		message["icon_emoji"] = ":" + strings.Trim(icon, ":") + ":"
	}
	title := p.take("title")
	p.take("color") // Lines of text have no border.
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	return Target{Label: "slack://***", send: func(ctx context.Context, n Notice) error {
		said := map[string]string{"text": escape.Replace("*" + or(title, n.Title) + "*\n" + n.Text)}
		for name, value := range message {
			if value != "" {
				said[name] = value
			}
		}
		request, err := jsonRequest(ctx, http.MethodPost, address, said)
		if err != nil {
			return err
		}
		authorize(request, nil, token)
		answer, err := deliver(client, request)
		if err != nil || token == "" {
			return err
		}
		return slackSaid(answer)
	}}, nil
}

// slackSaid reads the answer of Slack's API, which says 200 also to what it refuses.
func slackSaid(answer []byte) error {
	var said struct {
		OK    bool   `json:"ok"`
		Error string `json:"error"`
	}
	switch err := json.Unmarshal(answer, &said); {
	case err == nil && said.OK:
		return nil
	case slackError.MatchString(said.Error):
		return errors.New("Slack refused it: " + said.Error)
	default:
		return errors.New("Slack refused it") //nolint:staticcheck // Slack is a name.
	}
}

func jsonRequest(ctx context.Context, method, address string, content any) (*http.Request, error) {
	body, err := json.Marshal(content)
	if err != nil {
		return nil, errors.New("the notice cannot be written as JSON")
	}
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the URL is not valid")
	}
	request.Header.Set("Content-Type", "application/json")
	return request, nil
}

// newGeneric reads generic://host[:port]/path?template=json&titlekey=&messagekey=&method=&contenttype=&title=&disabletls=, and
// generic+http:// and generic+https://. @NAME is a header, $NAME a further field of the JSON, and _NAME a parameter that would mean
// something here; all other parameters go to the target.
func newGeneric(at *url.URL, p params, client *http.Client) (Target, error) {
	scheme := webScheme(p)
	if _, own, ok := strings.Cut(at.Scheme, "+"); ok {
		scheme = own
	}
	if at.Host == "" || scheme != "http" && scheme != "https" {
		return Target{}, errors.New("want generic://HOST/PATH, generic+https://HOST/PATH or generic+http://HOST/PATH")
	}
	g := generic{
		client: client, user: at.User, title: p.take("title"), method: strings.ToUpper(or(p.take("method", "requestmethod"), http.MethodPost)),
		template: strings.ToLower(p.take("template")), titleKey: or(p.take("titlekey"), "title"), messageKey: or(p.take("messagekey"), "message"),
		contentType: p.take("contenttype"), headers: map[string]string{}, extra: map[string]string{},
	}
	if g.template != "" && g.template != "json" {
		return Target{}, errors.New("the only template is json")
	}
	forwarded := url.Values{}
	for name, value := range p {
		switch key := name[min(1, len(name)):]; {
		case strings.HasPrefix(name, "@"):
			g.headers[textproto.CanonicalMIMEHeaderKey(dashed(key))] = value
		case strings.HasPrefix(name, "$"):
			g.extra[key] = value
		case strings.HasPrefix(name, "_"):
			forwarded.Set(key, value)
		default:
			forwarded.Set(name, value)
		}
		delete(p, name)
	}
	address := url.URL{Scheme: scheme, Host: at.Host, Path: at.Path, RawQuery: forwarded.Encode()}
	g.address = address.String()
	return Target{Label: at.Scheme + "://" + at.Host + "/***", send: g.send}, nil
}

// dashed writes acceptLanguage as accept-Language.
func dashed(name string) string { return camel.ReplaceAllString(name, "$1-$2") }

var camel = regexp.MustCompile(`([a-z])([A-Z])`)

// generic is a web hook.
type generic struct {
	client               *http.Client
	user                 *url.Userinfo
	address, method      string
	title, template      string
	titleKey, messageKey string
	contentType          string
	headers, extra       map[string]string
}

func (g generic) send(ctx context.Context, n Notice) (err error) {
	title := or(g.title, n.Title)
	var request *http.Request
	if g.template == "json" {
		content := map[string]string{g.titleKey: title, g.messageKey: n.Text}
		for name, value := range g.extra {
			content[name] = value
		}
		request, err = jsonRequest(ctx, g.method, g.address, content)
	} else if request, err = http.NewRequestWithContext(ctx, g.method, g.address, strings.NewReader(title+"\n\n"+n.Text)); err != nil {
		err = errors.New("the URL or the method is not valid")
	} else {
		request.Header.Set("Content-Type", "text/plain; charset=utf-8")
	}
	if err != nil {
		return err
	}
	if g.contentType != "" {
		request.Header.Set("Content-Type", g.contentType)
	}
	for name, value := range g.headers {
		request.Header.Set(name, value)
	}
	authorize(request, g.user, "")
	_, err = deliver(g.client, request)
	return err
}
