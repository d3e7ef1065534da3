// Package accepts measures how fast texts are accepted: a load of signed webhooks, and the least that can take them and keep them, to
// measure others beside.
package accepts

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Twilio signs with it.
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// Path is where the webhooks go.
const Path = "/sms/inbound"

// Load is so many texts over so many connections, each as soon as the one before it on its connection was answered, and after a pause.
type Load struct {
	Connections, Texts int
	Pause              time.Duration
	// Token is the Auth Token that signs, To the Twilio number.
	Token, To string
	// Began is called when the nth text is sent; nil for none.
	Began func(n int, at time.Time)
}

// On puts the load on the server at an address, and returns how long each text took to be answered. Each connection is a customer or more.
func (l Load) On(ctx context.Context, address string) (times []time.Duration, err error) {
	requests := make([][]byte, l.Texts)
	for n := range requests {
		requests[n] = l.text(address, n)
	}
	var next atomic.Int64
	var mu sync.Mutex
	var all sync.WaitGroup
	for range l.Connections {
		all.Go(func() {
			own, failed := l.oneByOne(ctx, address, requests, &next)
			mu.Lock()
			defer mu.Unlock()
			times, err = append(times, own...), errors.Join(err, failed)
		})
	}
	all.Wait()
	return times, err
}

// oneByOne sends the next request over one connection as long as there is one.
func (l Load) oneByOne(ctx context.Context, address string, requests [][]byte, next *atomic.Int64) (times []time.Duration, err error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	answers := bufio.NewReader(conn)
	for n := int(next.Add(1)) - 1; n < len(requests); n = int(next.Add(1)) - 1 {
		began := time.Now()
		if l.Began != nil {
			l.Began(n, began)
		}
		if err := ask(conn, answers, requests[n]); err != nil {
			return times, err
		}
		times = append(times, time.Since(began))
		time.Sleep(l.Pause)
	}
	return times, nil
}

func ask(conn net.Conn, answers *bufio.Reader, request []byte) error {
	if _, err := conn.Write(request); err != nil {
		return err
	}
	response, err := http.ReadResponse(answers, nil)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d: %s", response.StatusCode, body)
	}
	return nil
}

// text are the bytes of the nth text as Twilio posts it. Its body ends with "text n.", so that it is known again.
func (l Load) text(address string, n int) []byte {
	customer := n % l.Connections
	form := url.Values{
		"MessageSid": {fmt.Sprintf("SM%032x", n)}, "AccountSid": {"AC00000000000000000000000000000001"},
		"From": {fmt.Sprintf("+1%d55501%02d", 312+customer/100, customer%100)}, "To": {l.To},
		"NumSegments": {"1"}, "NumMedia": {"0"}, "Body": {fmt.Sprintf("Is the gate open? This is text %d.", n)},
	}
	signed := "http://" + address + Path
	for _, name := range []string{"AccountSid", "Body", "From", "MessageSid", "NumMedia", "NumSegments", "To"} {
		signed += name + form.Get(name)
	}
	sum := hmac.New(sha1.New, []byte(l.Token))
	sum.Write([]byte(signed))
	body := form.Encode()
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n"+
		"X-Twilio-Signature: %s\r\n\r\n%s", Path, address, len(body), base64.StdEncoding.EncodeToString(sum.Sum(nil)), body)
}
