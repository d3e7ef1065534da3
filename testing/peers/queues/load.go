//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/testing/accepts"
)

// token is what the load signs with.
const token = "0123456789abcdef0123456789abcdef"

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
func measure(ctx context.Context, c contestant, of accepts.Load) (got result, err error) {
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
	began := time.Now()
	got.times, err = of.On(ctx, server.Listener.Addr().String())
	if got.took = time.Since(began); err != nil {
		return got, err
	}
	slices.Sort(got.times)
	kept, err := s.count(ctx)
	if err == nil && kept != of.Texts {
		err = fmt.Errorf("%d texts were accepted, and %d are kept", of.Texts, kept)
	}
	return got, err
}
