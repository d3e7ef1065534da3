package twilio

import (
	"context"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	"quickdumpnow.com/smsrelay/shared/fault"
)

// What Twilio answers is kept, compared with receipts and shown: a Sid that has not the form of one is not believed.
func TestSidsInAnswers(t *testing.T) {
	other := "MM" + testSid[2:]
	for name, ask := range map[string]func(c *Client) error{
		"list": func(c *Client) error {
			_, err := c.List(t.Context(), ListFilter{})
			return err
		},
		"fetch of another message": func(c *Client) error {
			_, err := c.Fetch(t.Context(), other)
			return err
		},
		"account": func(c *Client) error {
			_, err := c.Account(t.Context())
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			body := `{"sid":"` + testSid + `","messages":[{"sid":"` + testSid + `"},{"sid":"SM1\u001b[2J"}]}`
			err := ask(newClient(t, serve(t, answer(200, body)).URL))
			if err == nil || fault.Of(err).Kind != fault.Transient {
				t.Errorf("error %v, want a transient one: the answer is not what it should be", err)
			}
		})
	}
}

// A process without a descriptor left could not even connect: Twilio has nothing of the message.
func TestNoDescriptorLeft(t *testing.T) {
	full := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("socket", syscall.EMFILE)}
	}}
	_, err := newClient(t, "http://127.0.0.1:9", func(c *Config) { c.Transport = full }).Create(t.Context(), outbound)
	f := fault.Of(err)
	if f.Kind != fault.NotSent || f.HTTPStatus != 0 || !strings.Contains(f.Err.Error(), "request was not sent") {
		t.Errorf("fault %v %v, want one that was not sent, before anything was sent", f.Kind, f)
	}
}
