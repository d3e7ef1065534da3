package onehost

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	// benchmarkTexts is how many texts each measurement has, from benchmarkCustomers at once, each of whom rests for benchmarkRest.
	benchmarkTexts     = 3000
	benchmarkCustomers = 20
	benchmarkRest      = 100 * time.Millisecond
)

// BenchmarkAcceptWhileReplicating measures how long Twilio waits for its answer, without and with a replica, in turns. The ratio of the two
// 99th percentiles is at most 1.5.
func BenchmarkAcceptWhileReplicating(b *testing.B) {
	for b.Loop() {
		var without, with []time.Duration
		for range 2 {
			without = append(without, acceptTimes(b, "")...)
			with = append(with, acceptTimes(b, b.TempDir())...)
		}
		slices.Sort(without)
		slices.Sort(with)
		at := func(of []time.Duration, percent int) float64 { return of[len(of)*percent/100].Seconds() * 1000 }
		b.ReportMetric(at(without, 50), "ms-p50-without")
		b.ReportMetric(at(with, 50), "ms-p50-with")
		b.ReportMetric(at(without, 99), "ms-p99-without")
		b.ReportMetric(at(with, 99), "ms-p99-with")
		b.ReportMetric(at(with, 99)/at(without, 99), "p99-ratio")
	}
}

// acceptTimes starts a relay with a replica there, or without one, and returns how long each text took to be accepted.
func acceptTimes(b *testing.B, replica string) (times []time.Duration) {
	b.Helper()
	config := quietConfig(b.TempDir())
	config.Replica.To = replica
	r, err := Open(b.Context(), config)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	ran := make(chan error, 1)
	go func() { ran <- r.Run(ctx) }()
	times = acceptedTimes(b, r, 0, benchmarkTexts/benchmarkCustomers)
	cancel()
	if err := <-ran; err != nil {
		b.Error(err)
	}
	if err := r.Close(); err != nil {
		b.Error(err)
	}
	return times
}

// acceptedTimes posts the texts of all customers from the first to before the last to a relay that runs, and returns how long each took to
// be accepted.
func acceptedTimes(b *testing.B, r *Relay, first, last int) (times []time.Duration) {
	b.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: benchmarkCustomers}}
	var mu sync.Mutex
	var customers sync.WaitGroup
	for customer := range benchmarkCustomers {
		customers.Go(func() {
			for n := first; n < last; n++ {
				began := time.Now()
				if err := postText(b.Context(), client, r.URL(), customer, n); err != nil {
					b.Error(err)
					return
				}
				took := time.Since(began)
				mu.Lock()
				times = append(times, took)
				mu.Unlock()
				time.Sleep(benchmarkRest)
			}
		})
	}
	customers.Wait()
	client.CloseIdleConnections()
	return times
}

// postText posts a customer's nth text as Twilio does.
func postText(ctx context.Context, client *http.Client, base string, customer, n int) error {
	to := base + "/sms/inbound"
	form := url.Values{
		"MessageSid": {fmt.Sprintf("SM%016x%016x", customer, n)}, "AccountSid": {"AC00000000000000000000000000000001"},
		"From": {fmt.Sprintf("+131255501%02d", customer)}, "To": {"+18585550100"}, "NumSegments": {"1"}, "NumMedia": {"0"},
		"Body": {fmt.Sprintf("Is the gate open? We are standing in front of it, for the %dth time.", n)},
	}
	signed := to
	for _, name := range []string{"AccountSid", "Body", "From", "MessageSid", "NumMedia", "NumSegments", "To"} {
		signed += name + form.Get(name)
	}
	sum := hmac.New(sha1.New, []byte(hexToken))
	sum.Write([]byte(signed))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("X-Twilio-Signature", base64.StdEncoding.EncodeToString(sum.Sum(nil)))
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d, %w", response.StatusCode, err)
	}
	return nil
}
