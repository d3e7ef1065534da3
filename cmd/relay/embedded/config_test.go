package embedded

import (
	"strings"
	"testing"
)

// TestOperatorToken: a short token is for trials on one host, and a token that no request could have is none.
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
		{"a short one for everyone", short, "0.0.0.0:8080", "http://127.0.0.1:8080", "shorter than 16"},
		{"a short one for everyone over IPv6", short, "[::]:8080", "http://127.0.0.1:8080", "shorter than 16"},
		{"a short one at every address", short, ":8080", "http://127.0.0.1:8080", "shorter than 16"},
		{"a short one behind a proxy", short, "127.0.0.1:8080", "https://relay.example.com", "shorter than 16"},
		{"a blank", long + " x", "127.0.0.1:8080", "", "has a blank"},
		{"a blank at the end", long + " ", "127.0.0.1:8080", "", "has a blank"},
		{"a line more", long + "\n", "127.0.0.1:8080", "", "has a blank"},
		{"a letter that is not ASCII", long + "é", "127.0.0.1:8080", "", "has a blank"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			config := Config{
				Listen: tt.listen, AccountSid: "AC00000000000000000000000000000001", AuthTokens: []string{"fake-token"}, OperatorToken: tt.token,
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
