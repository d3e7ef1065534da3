//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/redis/go-redis/v9"

	"quickdumpnow.com/smsrelay/testing/accepts"
)

// startTime is how long a server may take until it answers.
const startTime = 10 * time.Second

// natsStore publishes to a stream of a server in the process, and waits until the stream has the text.
type natsStore struct {
	server *natsserver.Server
	conn   *nats.Conn
	stream jetstream.JetStream
}

func openNATS(ctx context.Context, folder string) (*store, error) {
	server, err := natsserver.NewServer(&natsserver.Options{
		JetStream: true, StoreDir: folder, SyncAlways: true, DontListen: true, NoSigs: true, NoLog: true,
	})
	if err != nil {
		return nil, err
	}
	server.Start()
	s := natsStore{server: server}
	if !server.ReadyForConnections(startTime) {
		return nil, errors.Join(errors.New("the server is not ready"), s.close())
	}
	if s.conn, err = nats.Connect("", nats.InProcessServer(server)); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if s.stream, err = jetstream.New(s.conn); err == nil {
		_, err = s.stream.CreateStream(ctx, jetstream.StreamConfig{Name: "texts", Subjects: []string{"texts"}, Storage: jetstream.FileStorage})
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return &store{s.handler, s.count, s.close}, nil
}

func (s natsStore) handler(string) http.Handler {
	return accepts.Answering(func(ctx context.Context, body []byte) error {
		_, err := s.stream.Publish(ctx, "texts", body)
		return err
	})
}

func (s natsStore) count(ctx context.Context) (int, error) {
	stream, err := s.stream.Stream(ctx, "texts")
	if err != nil {
		return 0, err
	}
	info, err := stream.Info(ctx)
	if err != nil {
		return 0, err
	}
	return int(info.State.Msgs), nil //nolint:gosec // as many as were sent.
}

func (s natsStore) close() error {
	if s.conn != nil {
		s.conn.Close()
	}
	s.server.Shutdown()
	s.server.WaitForShutdown()
	return nil
}

// redisStore adds each text to a stream of a server beside, over a socket.
type redisStore struct {
	server *exec.Cmd
	client *redis.Client
}

// openRedis starts the server of Debian's packages that were unpacked there.
func openRedis(ctx context.Context, folder, unpacked string) (*store, error) {
	libraries, err := filepath.Glob(filepath.Join(unpacked, "usr", "lib", "*-linux-gnu"))
	if err != nil {
		return nil, err
	}
	socket := filepath.Join(folder, "redis.sock")
	//nolint:gosec // the program is the one that was asked for.
	server := exec.CommandContext(ctx, filepath.Join(unpacked, "usr", "bin", "redis-server"), "--port", "0", "--unixsocket", socket,
		"--dir", folder, "--appendonly", "yes", "--appendfsync", "always", "--save", "")
	server.Env = []string{"LD_LIBRARY_PATH=" + strings.Join(libraries, ":")}
	if err := server.Start(); err != nil {
		return nil, err
	}
	s := redisStore{server, redis.NewClient(&redis.Options{Network: "unix", Addr: socket, PoolSize: 128})}
	for until := time.Now().Add(startTime); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		if err = s.client.Ping(ctx).Err(); err == nil {
			return &store{s.handler, s.count, s.close}, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("the server does not answer: %w", err), s.close())
}

func (s redisStore) handler(string) http.Handler {
	return accepts.Answering(func(ctx context.Context, body []byte) error {
		return s.client.XAdd(ctx, &redis.XAddArgs{Stream: "texts", Values: []any{"form", body}}).Err()
	})
}

func (s redisStore) count(ctx context.Context) (int, error) {
	n, err := s.client.XLen(ctx, "texts").Result()
	return int(n), err
}

func (s redisStore) close() error {
	err := s.client.Close()
	if killed := s.server.Process.Kill(); killed != nil {
		return errors.Join(err, killed)
	}
	_ = s.server.Wait() // it was killed.
	return err
}
