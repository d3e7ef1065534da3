package notify

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/mail"
	"net/url"
	"strings"
	"testing"
	"time"
)

// mailServer is a small SMTP server.
type mailServer struct {
	listener net.Listener
	config   *tls.Config
	roots    *x509.CertPool
	// offersTLS is STARTTLS, isSecure TLS from the start.
	offersTLS, isSecure bool
	// password is the one that it accepts.
	password string
	// refused are the addresses that it does not accept.
	refused []string
	mails   chan string
}

// newMailServer starts one on loopback.
func newMailServer(t *testing.T, change func(s *mailServer)) *mailServer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	s := &mailServer{
		config: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12},
		roots:  x509.NewCertPool(), offersTLS: true, password: "s3cret", mails: make(chan string, 5),
	}
	s.roots.AddCert(certificate)
	change(s)
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.listener.Close() })
	go func() {
		for {
			conn, err := s.listener.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	return s
}

// serve speaks with one client.
func (s *mailServer) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	isTLS := s.isSecure
	if isTLS {
		conn = tls.Server(conn, s.config)
	}
	in := bufio.NewReader(conn)
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(conn, format+"\r\n", args...) }
	hear := func() string {
		line, _ := in.ReadString('\n')
		return strings.TrimSpace(line)
	}
	say("220 ready")
	for {
		line := hear()
		word, rest, _ := strings.Cut(line, " ")
		switch strings.ToUpper(word) {
		case "EHLO":
			say("250-mail.example.com")
			if s.offersTLS && !isTLS {
				say("250-STARTTLS")
			}
			say("250-AUTH PLAIN LOGIN")
			say("250 8BITMIME")
		case "STARTTLS":
			say("220 go on")
			conn = tls.Server(conn, s.config)
			in, isTLS = bufio.NewReader(conn), true
		case "AUTH":
			if s.isRight(rest, say, hear) {
				say("235 welcome")
			} else {
				say("535 wrong password of %s", "ops@example.com")
			}
		case "MAIL":
			say("250 ok")
		case "RCPT":
			if s.refuses(rest) {
				say("550 no such address %s", rest)
			} else {
				say("250 ok")
			}
		case "DATA":
			say("354 go on")
			var text strings.Builder
			for line := hear(); line != "."; line = hear() {
				text.WriteString(line + "\r\n")
			}
			s.mails <- fmt.Sprintf("X-Was-TLS: %v\r\n", isTLS) + text.String()
			say("250 taken")
		case "QUIT", "":
			say("221 bye")
			return
		default:
			say("502 what")
		}
	}
}

func (s *mailServer) refuses(rest string) bool {
	for _, address := range s.refused {
		if strings.Contains(rest, address) {
			return true
		}
	}
	return false
}

// isRight hears the password, by PLAIN or LOGIN.
func (s *mailServer) isRight(rest string, say func(string, ...any), hear func() string) bool {
	decode := func(text string) string {
		raw, _ := base64.StdEncoding.DecodeString(text)
		return string(raw)
	}
	method, first, _ := strings.Cut(rest, " ")
	if method == "PLAIN" {
		return decode(first) == "\x00ops\x00"+s.password
	}
	say("334 %s", base64.StdEncoding.EncodeToString([]byte("Username:")))
	user := decode(hear())
	say("334 %s", base64.StdEncoding.EncodeToString([]byte("Password:")))
	return decode(hear()) == s.password && user == "ops"
}

// mailTo makes a target at the server.
func (s *mailServer) mailTo(t *testing.T, user, query string) Target {
	t.Helper()
	at, err := url.Parse("smtp://" + user + s.listener.Addr().String() + "/?from=relay@example.com&" + query)
	if err != nil {
		t.Fatal(err)
	}
	p, err := readParams(at.RawQuery)
	if err != nil {
		t.Fatal(err)
	}
	m, err := readMailer(at, p)
	if err != nil {
		t.Fatal(err)
	}
	m.roots = s.roots
	return Target{Label: m.label(), send: m.send}
}

func TestMail(t *testing.T) {
	for name, tt := range map[string]struct {
		change      func(s *mailServer)
		user, query string
		// want is what the error says, or empty if the mail is taken.
		want    string
		isTaken bool
	}{
		"with STARTTLS and a password": {func(*mailServer) {}, "ops:s3cret@", "to=ann@example.com,bo%2Bx@example.com", "", true},
		"with LOGIN":                   {func(*mailServer) {}, "ops:s3cret@", "to=ann@example.com&auth=Login", "", true},
		"with TLS from the start": {
			func(s *mailServer) { s.isSecure = true }, "ops:s3cret@",
			"to=ann@example.com&encryption=ImplicitTLS", "", true,
		},
		"without a password":        {func(*mailServer) {}, "", "to=ann@example.com", "", true},
		"without TLS, on this host": {func(s *mailServer) { s.offersTLS = false }, "ops:s3cret@", "to=ann@example.com", "", true},
		"a wrong password":          {func(*mailServer) {}, "ops:wr0ng@", "to=ann@example.com", "sign in: the server answered 535", false},
		"TLS is wanted, and not there": {
			func(s *mailServer) { s.offersTLS = false }, "", "to=ann@example.com&requirestarttls=yes",
			"offers no TLS", false,
		},
		"a certificate of nobody's": {func(s *mailServer) { s.roots = x509.NewCertPool() }, "", "to=ann@example.com", "certificate", false},
		"no address is accepted": {
			func(s *mailServer) { s.refused = []string{"ann"} }, "", "to=ann@example.com", "refused every address: the server answered 550", false,
		},
		"one address is not accepted": {
			func(s *mailServer) { s.refused = []string{"bo"} }, "", "to=ann@example.com,bo@example.com", "refused 1 of 2 addresses", true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newMailServer(t, tt.change)
			target := s.mailTo(t, tt.user, tt.query)
			err := target.Send(t.Context(), Notice{Title: "SMS relay: Café\nof the day", Text: "Look here: é.\n.\nThe end."})
			if (tt.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if tt.want != "" && errors.Is(err, ErrPartly) != tt.isTaken {
				t.Errorf("%v: only some got it: %v", err, !tt.isTaken)
			}
			for _, secret := range []string{"s3cret", "wr0ng", "ann@", "bo@", "ops@"} {
				if err != nil && strings.Contains(err.Error(), secret) || strings.Contains(target.Label, secret) {
					t.Errorf("%s, %v: shows %s", target.Label, err, secret)
				}
			}
			if !tt.isTaken {
				return
			}
			read, err := mail.ReadMessage(strings.NewReader(<-s.mails))
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, read.Body))
			if was := read.Header.Get("X-Was-TLS"); was != fmt.Sprint(s.offersTLS) {
				t.Errorf("TLS: %s, want %v", was, s.offersTLS)
			}
			if subject := read.Header.Get("Subject"); err != nil || string(body) != "Look here: é.\n.\nThe end.\n" ||
				subject != "=?utf-8?q?SMS_relay:_Caf=C3=A9_of_the_day?=" || read.Header.Get("From") != "<relay@example.com>" {
				t.Errorf("the mail is %q, %v, %v", body, read.Header, err)
			}
		})
	}
}

// TestPasswordsNeedTLS wherever others may listen.
func TestPasswordsNeedTLS(t *testing.T) {
	for text, want := range map[string]bool{
		"smtp://u:p@mail.example.com/": true, "smtp://u:p@127.0.0.1/": false, "smtp://u:p@localhost:25/": false,
		"smtp://mail.example.com/":          false,
		"smtp://u:p@127.0.0.1.example.com/": true,
	} {
		at, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		m, err := readMailer(at, params{"from": "a@example.com", "to": "b@example.com"})
		if err != nil || m.requireTLS != want {
			t.Errorf("%s: TLS is required: %v, %v; want %v", text, m.requireTLS, err, want)
		}
	}
}

// TestDeafMailServer holds nobody up: the time is bounded.
func TestDeafMailServer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	targets, err := Parse("smtp://" + listener.Addr().String() + "/?from=a@example.com&to=b@example.com")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := targets[0].Send(ctx, sample); err == nil || time.Since(began) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}
