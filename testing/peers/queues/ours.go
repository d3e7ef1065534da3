//go:build linux

package main

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"path/filepath"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/shared/onehost/httpapi"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	"quickdumpnow.com/smsrelay/shared/twilio/signature"
	"quickdumpnow.com/smsrelay/testing/accepts"
)

// contestant is a store that is measured.
type contestant struct {
	name string
	open func(ctx context.Context, folder string) (*store, error)
}

// store keeps texts.
type store struct {
	// handler answers once a text is on the disk. base is the URL at which it is asked.
	handler func(base string) http.Handler
	// count is how many texts it holds.
	count func(ctx context.Context) (int, error)
	close func() error
}

// contestants are all of them; the others are compared with the first.
func contestants(redis string) []contestant {
	all := []contestant{
		{"this relay: signature, queue in order, each text once", openOurs},
		{"the same again", openOurs},
		{"bare loop: one insert, many in a transaction", openBare},
		{"goqite", openGoqite},
		{"River", openRiver},
		{"NATS JetStream, in the process", openNATS},
	}
	if redis != "" {
		all = append(all, contestant{"Redis", func(ctx context.Context, folder string) (*store, error) { return openRedis(ctx, folder, redis) }})
	}
	return all
}

// ours is the relay's front door and its queue, without the sender.
type ours struct {
	db    *sqlite.DB
	queue *sqlite.Queue
}

func openOurs(ctx context.Context, folder string) (*store, error) {
	db, err := sqlite.Open(ctx, filepath.Join(folder, "relay.db"), time.Now)
	if err != nil {
		return nil, err
	}
	s := ours{db, db.Queue(datafolder.QueueName, datafolder.InboxConfig())}
	return &store{s.handler, s.count, db.Close}, nil
}

func (s ours) handler(base string) http.Handler {
	logger := slog.New(slog.DiscardHandler)
	verifier, err := signature.NewValidator([]string{base}, []string{token})
	if err != nil {
		panic(err) // the URL is the test server's own.
	}
	ingest := webhook.New(webhook.Config{
		Queue: s.queue, Verifier: verifier, Now: time.Now, Started: time.Now(), Logger: logger, Emit: telemetry.Discard,
	})
	return httpapi.New(httpapi.Config{
		Routes: []httpapi.Route{{Path: accepts.Path, Function: ingest.Handle}}, Now: time.Now, NewID: rand.Text, Logger: logger,
	})
}

func (s ours) count(ctx context.Context) (int, error) {
	waiting, _, _, err := s.queue.Depth(ctx)
	return waiting, err
}
