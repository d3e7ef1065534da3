package notify

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// mailer sends e-mail.
type mailer struct {
	host, port       string
	user, password   string
	auth, encryption string
	from, fromName   string
	to               []string
	subject, helo    string
	// startTLS uses TLS if the server offers it, requireTLS sends nothing without.
	startTLS, requireTLS bool
	// roots are the authorities that the server's certificate may be of; nil means the system's.
	roots *x509.CertPool
}

// newSMTP reads smtp://[user:password@]host[:port]/?from=&to=A,B&subject=&fromname=&auth=&encryption=&usestarttls=&requirestarttls=
// &clienthost=.
func newSMTP(at *url.URL, p params) (Target, error) {
	m, err := readMailer(at, p)
	return Target{Label: m.label(), send: m.send}, err
}

func readMailer(at *url.URL, p params) (mailer, error) {
	m := mailer{
		host: at.Hostname(), port: or(at.Port(), "25"), auth: strings.ToLower(or(p.take("auth"), "unknown")),
		encryption: strings.ToLower(or(p.take("encryption"), "auto")), from: p.take("fromaddress", "from"), fromName: p.take("fromname"),
		subject: p.take("subject", "title"), helo: or(p.take("clienthost"), "localhost"),
		startTLS: p.isSet(true, "usestarttls", "starttls"), requireTLS: p.isSet(false, "requirestarttls"),
	}
	m.user = at.User.Username()
	m.password, _ = at.User.Password()
	for _, address := range strings.Split(p.take("toaddresses", "to"), ",") {
		// A plus sign in a URL's query is a space.
		m.to = append(m.to, strings.ReplaceAll(strings.TrimSpace(address), " ", "+"))
	}
	m.from = strings.ReplaceAll(m.from, " ", "+")
	p.take("usehtml", "timeout") // Plain text, and our own time-outs.
	// A password is never sent where others can read it.
	m.requireTLS = m.requireTLS || m.password != "" && !isLoopback(m.host)
	return m, m.validate(p)
}

// label names the server, and how many are written to.
func (m mailer) label() string {
	return fmt.Sprintf("smtp://%s to %d", net.JoinHostPort(m.host, m.port), len(m.to))
}

func (m mailer) validate(p params) error {
	for _, address := range append([]string{m.from}, m.to...) {
		parsed, err := mail.ParseAddress(address)
		if err != nil || parsed.Address != address {
			return errors.New("want smtp://USER:PASSWORD@HOST:PORT/?from=ADDRESS&to=ADDRESS,ADDRESS")
		}
	}
	switch {
	case m.host == "":
		return errors.New("want smtp://HOST")
	case p.isSet(false, "skiptlsverify"):
		return errors.New("skiptlsverify is not supported: the server needs a certificate that this host trusts")
	case m.requireTLS && !m.startTLS && !m.isImplicit():
		return errors.New("without TLS others could read the password: leave out usestarttls=no")
	}
	for _, one := range []struct{ name, value, known string }{
		{"auth", m.auth, "unknown none plain login crammd5"}, {"encryption", m.encryption, "auto none explicittls implicittls"},
	} {
		if !strings.Contains(" "+one.known+" ", " "+one.value+" ") {
			return fmt.Errorf("%s is none of %s", one.name, one.known)
		}
	}
	return nil
}

func (m mailer) isImplicit() bool {
	return m.encryption == "implicittls" || m.encryption == "auto" && m.port == "465"
}

func isLoopback(host string) bool {
	address := net.ParseIP(host)
	return host == "localhost" || address != nil && address.IsLoopback()
}

// send sends one message to all. The whole conversation has to end when ctx does.
func (m mailer) send(ctx context.Context, n Notice) error {
	client, err := m.connect(ctx)
	if err != nil {
		return masked(err)
	}
	defer client.Close() //nolint:errcheck // the message was taken, or it was not.
	if err := m.signIn(client); err != nil {
		return fmt.Errorf("sign in: %w", masked(err))
	}
	if err := client.Mail(m.from); err != nil {
		return fmt.Errorf("the sender's address: %w", masked(err))
	}
	var refused error
	accepted := 0
	for _, address := range m.to {
		if err := client.Rcpt(address); err != nil {
			refused = masked(err)
			continue
		}
		accepted++
	}
	if accepted == 0 {
		return fmt.Errorf("the server refused every address: %w", refused)
	}
	writer, err := client.Data()
	if err == nil {
		_, err = writer.Write(m.message(n))
		err = errors.Join(err, writer.Close())
	}
	if err != nil {
		return masked(err)
	}
	_ = client.Quit() // The message was taken.
	if refused != nil {
		return fmt.Errorf("%w: the server refused %d of %d addresses: %w", ErrPartly, len(m.to)-accepted, len(m.to), refused)
	}
	return nil
}

// connect opens a connection, with TLS as the URL wants it.
func (m mailer) connect(ctx context.Context) (*smtp.Client, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(m.host, m.port))
	if err != nil {
		return nil, err
	}
	deadline, _ := ctx.Deadline()
	_ = conn.SetDeadline(deadline) // A connection that cannot have one ends with the server.
	config := &tls.Config{ServerName: m.host, RootCAs: m.roots, MinVersion: tls.VersionTLS12}
	if m.isImplicit() {
		conn = tls.Client(conn, config)
	}
	client, err := smtp.NewClient(conn, m.host)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	err = client.Hello(m.helo)
	if offers, _ := client.Extension("STARTTLS"); err == nil && !m.isImplicit() {
		switch {
		case offers && m.startTLS:
			err = client.StartTLS(config)
		case m.requireTLS:
			err = errors.New("the server offers no TLS, and others could read what is sent")
		}
	}
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	return client, nil
}

// signIn gives the password, if there is one.
func (m mailer) signIn(client *smtp.Client) error {
	if m.user == "" || m.auth == "none" {
		return nil
	}
	switch m.auth {
	case "login":
		return client.Auth(login{m.user, m.password})
	case "crammd5":
		return client.Auth(smtp.CRAMMD5Auth(m.user, m.password))
	default:
		return client.Auth(smtp.PlainAuth("", m.user, m.password, m.host))
	}
}

// login is the AUTH method LOGIN, which net/smtp has not: the server asks for the name and for the password.
type login struct{ user, password string }

// Start begins.
func (login) Start(server *smtp.ServerInfo) (method string, toServer []byte, err error) {
	if !server.TLS && !isLoopback(server.Name) {
		return "", nil, errors.New("unencrypted connection")
	}
	return "LOGIN", nil, nil
}

// Next answers a question.
func (l login) Next(fromServer []byte, more bool) (toServer []byte, err error) {
	if !more {
		return nil, nil
	}
	if strings.HasPrefix(strings.ToLower(string(fromServer)), "user") {
		return []byte(l.user), nil
	}
	return []byte(l.password), nil
}

// message writes the e-mail.
func (m mailer) message(n Notice) []byte {
	var out bytes.Buffer
	from := mail.Address{Name: m.fromName, Address: m.from}
	for _, header := range [][2]string{
		{"From", from.String()},
		{"To", strings.Join(m.to, ", ")},
		{"Subject", mime.QEncoding.Encode("utf-8", strings.Join(strings.Fields(or(m.subject, n.Title)), " "))},
		{"Date", n.At.Format(time.RFC1123Z)},
		{"Message-ID", "<" + rand.Text() + "@sms-relay>"},
		{"Auto-Submitted", "auto-generated"},
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "base64"},
	} {
		out.WriteString(header[0] + ": " + header[1] + "\r\n")
	}
	out.WriteString("\r\n")
	text := base64.StdEncoding.EncodeToString([]byte(n.Text + "\n"))
	const width = 76
	for len(text) > width {
		out.WriteString(text[:width] + "\r\n")
		text = text[width:]
	}
	out.WriteString(text + "\r\n")
	return out.Bytes()
}

// masked leaves out what a server says in words, which may quote an address: its code says enough.
func masked(err error) error {
	if said, ok := errors.AsType[*textproto.Error](err); ok {
		return errors.New("the server answered " + strconv.Itoa(said.Code) + meaning(said.Code))
	}
	if at, ok := errors.AsType[*net.OpError](err); ok && at.Timeout() {
		return context.DeadlineExceeded
	}
	return err
}

func meaning(code int) string {
	switch code {
	case 535, 534, 530:
		return " (it does not accept the user name and the password)"
	case 550, 551, 553, 554:
		return " (it does not accept the address)"
	default:
		return ""
	}
}
