package onehost

import (
	"strings"
	"testing"
	"time"
)

// hexToken has the form of Twilio's Auth Tokens, and is nobody's.
const hexToken = "00000000000000000000000000fa4e00"

// TestOperatorToken: a short token is for trials on one host, and a token that no request could have is refused.
func TestOperatorToken(t *testing.T) {
	const short, long = "fifteen-chars-x", "sixteen-chars-xx"
	for _, tt := range []struct {
		name, token, listen, public, want string
	}{
		{"none", "", "0.0.0.0:8080", "https://relay.example.com", ""},
		{"a short one for trials", short, "127.0.0.1:8080", "", ""},
		{"a short one for trials by name", short, "localhost:8080", "http://localhost:8080", ""},
		{"a short one for trials over IPv6", short, "[::1]:8080", "http://[::1]:8080", ""},
		{"a long one for everyone", long, "0.0.0.0:8080", "https://relay.example.com", ""},
		{"a short one for everyone", short, "0.0.0.0:8080", "http://127.0.0.1:8080", "fewer than 16"},
		{"a short one for everyone over IPv6", short, "[::]:8080", "http://127.0.0.1:8080", "fewer than 16"},
		{"a short one at every address", short, ":8080", "http://127.0.0.1:8080", "fewer than 16"},
		{"a short one behind a proxy", short, "127.0.0.1:8080", "https://relay.example.com", "fewer than 16"},
		{"a blank", long + " x", "127.0.0.1:8080", "", "has a space"},
		{"a blank at the end", long + " ", "127.0.0.1:8080", "", "has a space"},
		{"a line more", long + "\n", "127.0.0.1:8080", "", "has a space"},
		{"a letter that is not ASCII", long + "é", "127.0.0.1:8080", "", "has a space"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			config := Config{
				Listen: tt.listen, AccountSid: "AC00000000000000000000000000000001", AuthTokens: []string{hexToken}, OperatorToken: tt.token,
			}
			if tt.public != "" {
				config.PublicBaseURLs = []string{tt.public}
			}
			err := config.Validate()
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error %v, want one that says %q", err, tt.want)
			case err != nil && strings.Contains(err.Error(), tt.token):
				t.Errorf("the error shows the token: %v", err)
			}
		})
	}
}

// TestAuthToken: with a token that anyone can guess, anyone can sign. For trials on one host any will do.
func TestAuthToken(t *testing.T) {
	const public, here = "https://relay.example.com", "http://127.0.0.1:8080"
	for _, tt := range []struct {
		name           string
		tokens         []string
		listen, public string
		refused        bool
	}{
		{"Twilio's form behind a proxy", []string{hexToken}, "127.0.0.1:8080", public, false},
		{"two of Twilio's form", []string{hexToken, strings.ToUpper(hexToken)}, "0.0.0.0:8080", public, false},
		{"the README's, behind a proxy", []string{"faketokenfaketokenfaketokenfake1"}, "127.0.0.1:8080", public, true},
		{"one letter, behind a proxy", []string{"x"}, "127.0.0.1:8080", public, true},
		{"one letter, for everyone", []string{"x"}, "0.0.0.0:8080", here, true},
		{"a digit short", []string{hexToken[1:]}, "127.0.0.1:8080", public, true},
		{"a digit more", []string{hexToken + "0"}, "127.0.0.1:8080", public, true},
		{"a blank at its end", []string{hexToken[1:] + " "}, "127.0.0.1:8080", public, true},
		{"the older of two", []string{hexToken, "x"}, "127.0.0.1:8080", public, true},
		{"one letter, for trials", []string{"x"}, "127.0.0.1:8080", "", false},
		{"one letter, for trials by name", []string{"x"}, "localhost:8080", "http://localhost:8080", false},
		{"one of two URLs is public", []string{"x"}, "127.0.0.1:8080", public, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			config := Config{Listen: tt.listen, AccountSid: "AC00000000000000000000000000000001", AuthTokens: tt.tokens}
			if tt.public != "" {
				config.PublicBaseURLs = []string{here, tt.public}
			}
			err := config.Validate()
			if got := err != nil && strings.Contains(err.Error(), "TWILIO_AUTH_TOKEN must be 32"); got != tt.refused || (err != nil) != tt.refused {
				t.Errorf("error %v, want refused %v", err, tt.refused)
			}
			if err != nil && strings.Contains(err.Error(), "faketoken") {
				t.Errorf("the error shows the token: %v", err)
			}
		})
	}
}

// TestTwilioBaseURL: the Auth Token never travels in the clear beyond this host.
func TestTwilioBaseURL(t *testing.T) {
	for base, refused := range map[string]bool{
		"": false, "https://api.twilio.com": false, "http://127.0.0.1:8090": false, "http://localhost:8090": false, "http://[::1]:8090": false,
		"http://api.twilio.com": true, "http://192.0.2.7:8090": true, "HTTP://api.twilio.com": true, "http://localhost.example.com": true,
	} {
		config := Config{
			Listen: "127.0.0.1:8080", AccountSid: "AC00000000000000000000000000000001", AuthTokens: []string{hexToken},
			TwilioBaseURL: base,
		}
		if err := config.Validate(); (err != nil) != refused {
			t.Errorf("%s: %v, want refused %v", base, err, refused)
		}
	}
}

func TestMaxConnections(t *testing.T) {
	for descriptors, want := range map[int]int{0: 512, 20: 16, 128: 42, 1024: 341, 1 << 20: 512} {
		if got := maxConnections(descriptors); got != want {
			t.Errorf("of %d descriptors: %d connections, want %d", descriptors, got, want)
		}
	}
}

func TestMaxConversations(t *testing.T) {
	for descriptors, want := range map[int]int{0: 100, 20: 10, 128: 32, 1024: 100} {
		if got := maxConversations(descriptors); got != want {
			t.Errorf("of %d descriptors: %d conversations, want %d", descriptors, got, want)
		}
	}
}

// TestRetention: the audit log keeps as long as the ledger, unless it has a time of its own; attachments have theirs.
func TestRetention(t *testing.T) {
	for _, tt := range []struct{ ledger, audit, want time.Duration }{
		{400 * time.Hour, 0, 400 * time.Hour},
		{400 * time.Hour, 900 * time.Hour, 900 * time.Hour},
		{900 * time.Hour, 400 * time.Hour, 400 * time.Hour},
	} {
		config := Config{Retention: tt.ledger, AuditRetention: tt.audit, MediaRetention: tt.want}
		if got := config.auditRetention(); got != tt.want {
			t.Errorf("the ledger keeps %v, the audit log %v: got %v", tt.ledger, tt.audit, got)
		}
		if got := (&Relay{config: config}).keeper(nil).KeepFor; got != tt.want {
			t.Errorf("attachments are kept for %v, want %v", got, tt.want)
		}
	}
}
