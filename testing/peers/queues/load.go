//go:build linux

package main

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
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	path = "/sms/inbound"
	// token is what the load signs with.
	token = "0123456789abcdef0123456789abcdef"
)

// load is so many texts over so many connections, each text as soon as the one before it on its connection was answered.
type load struct{ connections, texts int }

// result is what came of a load.
type result struct {
	took  time.Duration
	times []time.Duration
}

// rate is how many texts were accepted a second.
func (r result) rate() float64 { return float64(len(r.times)) / r.took.Seconds() }

// slowest is the 99th percentile of the time to the answer, in milliseconds.
func (r result) slowest() float64 { return r.times[len(r.times)*99/100].Seconds() * 1000 }

// measure opens a store in a folder of its own, puts the load on it, and counts what it holds afterwards.
func measure(ctx context.Context, c contestant, of load) (got result, err error) {
	folder, err := os.MkdirTemp("", "queues")
	if err != nil {
		return got, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	s, err := c.open(ctx, folder)
	if err != nil {
		return got, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	server := httptest.NewUnstartedServer(nil)
	base := "http://" + server.Listener.Addr().String()
	server.Config.Handler = s.handler(base)
	server.Start()
	defer server.Close()
	requests := make([][]byte, of.texts)
	for n := range requests {
		requests[n] = signed(base, n, of.connections)
	}
	if got, err = of.on(ctx, server.Listener.Addr().String(), requests); err != nil {
		return got, err
	}
	kept, err := s.count(ctx)
	if err == nil && kept != of.texts {
		err = fmt.Errorf("%d texts were accepted, and %d are kept", of.texts, kept)
	}
	return got, err
}

func (of load) on(ctx context.Context, address string, requests [][]byte) (got result, err error) {
	var next atomic.Int64
	var mu sync.Mutex
	var all sync.WaitGroup
	began := time.Now()
	for range of.connections {
		all.Go(func() {
			own, failed := oneByOne(ctx, address, requests, &next)
			mu.Lock()
			defer mu.Unlock()
			got.times, err = append(got.times, own...), errors.Join(err, failed)
		})
	}
	all.Wait()
	got.took = time.Since(began)
	slices.Sort(got.times)
	return got, err
}

// oneByOne sends the next request over one connection as long as there is one.
func oneByOne(ctx context.Context, address string, requests [][]byte, next *atomic.Int64) (times []time.Duration, err error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	answers := bufio.NewReader(conn)
	for n := int(next.Add(1)) - 1; n < len(requests); n = int(next.Add(1)) - 1 {
		began := time.Now()
		if _, err := conn.Write(requests[n]); err != nil {
			return times, err
		}
		response, err := http.ReadResponse(answers, nil)
		if err != nil {
			return times, err
		}
		body, err := io.ReadAll(response.Body)
		if err := errors.Join(err, response.Body.Close()); err != nil {
			return times, err
		}
		if response.StatusCode != http.StatusOK {
			return times, fmt.Errorf("status %d: %s", response.StatusCode, body)
		}
		times = append(times, time.Since(began))
	}
	return times, nil
}

// signed are the bytes of the nth text as Twilio posts it.
func signed(base string, n, customers int) []byte {
	form := url.Values{
		"MessageSid": {fmt.Sprintf("SM%032x", n)}, "AccountSid": {"AC00000000000000000000000000000001"},
		"From": {fmt.Sprintf("+1%d55501%02d", 312+n%customers/100, n%customers%100)}, "To": {"+18585550100"},
		"NumSegments": {"1"}, "NumMedia": {"0"}, "Body": {fmt.Sprintf("Is the gate open? This is text %d.", n)},
	}
	text := base + path
	for _, name := range []string{"AccountSid", "Body", "From", "MessageSid", "NumMedia", "NumSegments", "To"} {
		text += name + form.Get(name)
	}
	sum := hmac.New(sha1.New, []byte(token))
	sum.Write([]byte(text))
	body := form.Encode()
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n"+
		"X-Twilio-Signature: %s\r\n\r\n%s", path, strings.TrimPrefix(base, "http://"), len(body),
		base64.StdEncoding.EncodeToString(sum.Sum(nil)), body)
}
