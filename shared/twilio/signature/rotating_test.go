package signature_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"testing"

	"quickdumpnow.com/smsrelay/shared/twilio/signature"
)

// readings are the tokens, one reading after the other.
type readings struct {
	all  [][]string
	read int
	asks int
}

func (r *readings) Value() ([]string, int) { return r.all[r.read], r.read }

func (r *readings) Renew(_ context.Context, generation int) ([]string, int, bool) {
	r.asks++
	if r.read+1 < len(r.all) {
		r.read++
	}
	return r.all[r.read], r.read, r.read != generation
}

func signedWith(token string) signature.Request {
	form := url.Values{"Body": {"Hello"}}
	return signature.Request{
		Method: http.MethodPost, Path: "/sms/inbound", ContentType: "application/x-www-form-urlencoded", Body: []byte(form.Encode()),
		Signature: signature.SignForm(token, "https://relay.example.com/sms/inbound", form),
	}
}

func TestRotating(t *testing.T) {
	r := &readings{all: [][]string{{"first"}, {"second", "first"}, {"third", "second"}, {}}}
	rotating, err := signature.NewRotating([]string{"https://relay.example.com"}, r)
	if err != nil {
		t.Fatal(err)
	}
	for i, step := range []struct {
		token string
		want  error
		asks  int
	}{
		{"first", nil, 0},
		{"second", nil, 1}, // It is newer than what was read.
		{"first", nil, 1},  // Twilio may still sign with the one before.
		{"third", nil, 2},
		{"first", signature.ErrMismatch, 3}, // That one is over, and what is read now are no tokens at all.
		{"third", nil, 3},                   // Those that were good stay so.
		{"", signature.ErrMismatch, 4},
	} {
		if err := rotating.Validate(signedWith(step.token)); !errors.Is(err, step.want) || (err == nil) != (step.want == nil) {
			t.Errorf("step %d, signed with %q: %v, want %v", i+1, step.token, err, step.want)
		}
		if r.asks != step.asks {
			t.Errorf("step %d: asked for newer tokens %d times, want %d", i+1, r.asks, step.asks)
		}
	}
	if err := rotating.Validate(signature.Request{}); !errors.Is(err, signature.ErrNoSignature) || r.asks != 4 {
		t.Errorf("no signature: %v, asked %d times: a request that nobody signed costs no reading", err, r.asks)
	}
	if _, err := signature.NewRotating([]string{"https://relay.example.com"}, &readings{all: [][]string{{""}}}); err == nil {
		t.Error("an empty token is accepted")
	}
}
