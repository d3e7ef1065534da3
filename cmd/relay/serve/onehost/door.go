package onehost

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/functions/media/offering"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/onehost/certificates"
	"quickdumpnow.com/smsrelay/shared/onehost/httpapi"
)

// door is where requests come in: by https with certificates of the relay's own, if it has domains, else by http alone, from this host or
// from a proxy.
type door struct {
	listener net.Listener
	server   *http.Server
	logger   *slog.Logger
	// keeper, unsafe and asked are nil without domains: the certificates, the listener for http, and its server.
	keeper *certificates.Keeper
	unsafe net.Listener
	asked  *http.Server
}

// openDoor binds the addresses. Nothing is served yet.
func openDoor(ctx context.Context, config Config) (d door, err error) {
	d.logger = config.Logger
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	if d.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", config.Listen); err != nil {
		return d, fmt.Errorf("listen: %w", err)
	}
	own := config.Certificates
	if len(own.Domains) == 0 {
		return d, nil
	}
	own.Folder, own.Logger, own.HTTPS = filepath.Join(config.Data, datafolder.CertificatesFolder), config.Logger, d.listener.Addr().String()
	if own.HTTP != "" {
		if d.unsafe, err = (&net.ListenConfig{}).Listen(ctx, "tcp", own.HTTP); err != nil {
			return d, fmt.Errorf("listen: %w", err)
		}
		own.HTTP = d.unsafe.Addr().String()
	}
	if d.keeper, err = certificates.New(own); err != nil {
		return d, err
	}
	d.asked = &http.Server{
		Handler: d.keeper.HTTP(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second,
		IdleTimeout: idleTimeout, MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(complaints{config.Logger.Handler()}, slog.LevelWarn),
	}
	return d, nil
}

// url is the door's own address, as this host reaches it.
func (d door) url() string {
	if d.keeper != nil {
		return "https://" + d.listener.Addr().String()
	}
	return "http://" + d.listener.Addr().String()
}

// certificates are how it stands with those of the relay's own domains.
func (d door) certificates() []certificates.State {
	if d.keeper == nil {
		return nil
	}
	return d.keeper.States()
}

// serve answers requests until shutDoor.
func (d door) serve(ctx context.Context, workers *errgroup.Group, connections *httpapi.Connections) {
	workers.Go(func() error {
		listener := connections.Listen(d.listener)
		if d.keeper == nil {
			return ended(d.server.Serve(listener))
		}
		d.server.TLSConfig = d.keeper.TLS()
		return ended(d.server.ServeTLS(listener, "", ""))
	})
	if d.unsafe != nil {
		workers.Go(func() error { return ended(d.asked.Serve(d.unsafe)) })
	}
	if d.keeper != nil {
		workers.Go(func() error { return d.keeper.Start(ctx) })
	}
}

// ended is a server's error, nil where it was shut down.
func ended(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve: %w", err)
}

// close closes what is open. It may be called on a door that opened only in part.
func (d door) close() error {
	var problems []error
	for _, l := range []net.Listener{d.listener, d.unsafe} {
		if l == nil {
			continue
		}
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			problems = append(problems, err)
		}
	}
	if d.keeper != nil {
		problems = append(problems, d.keeper.Close())
	}
	return errors.Join(problems...)
}

// frontDoor builds the HTTP server.
func (r *Relay) frontDoor(ingest *webhook.Handler, operator *operations.Handler) *http.Server {
	attachments := offering.New(offering.Config{Store: r.media, Now: time.Now, Logger: r.config.Logger})
	gateway := httpapi.New(httpapi.Config{
		Routes: []httpapi.Route{
			{Path: webhook.PathInbound, Function: ingest.Handle},
			{Path: webhook.PathStatusCallback, Function: ingest.Handle},
			{Path: webhook.PathHealth, Function: ingest.Handle},
			{Path: offering.PathMedia, Function: attachments.Handle},
			{Path: operations.PathRelay, Function: operator.Handle, Operator: true},
			{Path: operations.PathReply, Function: operator.Handle, Operator: true, MaxBody: operations.MaxReply},
			{Path: operations.PathStatus, Function: operator.Handle, Operator: true},
			{Path: operations.PathText, Function: operator.Handle, Operator: true},
			{Path: operations.PathSearch, Function: operator.Handle, Operator: true},
			{Path: operations.PathContacts, Function: operator.Handle, Operator: true},
			{Path: operations.PathBlocks, Function: operator.Handle, Operator: true},
			{Path: operations.PathConversations, Function: operator.Handle, Operator: true},
			{Path: operations.PathWords, Function: operator.Handle, Operator: true},
			{Path: operations.PathGive, Function: operator.Handle, Operator: true},
			{Path: operations.PathDone, Function: operator.Handle, Operator: true},
			{Path: operations.PathResume, Function: operator.Handle, Operator: true},
			{Path: operations.PathResend, Function: operator.Handle, Operator: true},
			{Path: operations.PathUncertain, Function: operator.Handle, Operator: true},
			{Path: operations.PathDeadLetters, Function: operator.Handle, Operator: true},
			{Path: operations.PathUsers, Function: operator.Handle, Operator: true},
			{Path: operations.PathSignOut, Function: operator.Handle, Operator: true},
			{Path: operations.PathDuty, Function: operator.Handle, Operator: true},
			{Path: operations.PathOff, Function: operator.Handle, Operator: true},
			{Path: operations.PathHours, Function: operator.Handle, Operator: true},
			{Path: operations.PathWhere, Function: operator.Handle, Operator: true},
			{Path: operations.PathOpenAPI, Function: operator.Handle},
		},
		OperatorToken: r.config.OperatorToken, AllowedOrigins: r.config.AllowedOrigins, MaxBody: maxWebhookBody,
		AllowedMethods: []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions},
		Now:            time.Now, NewID: rand.Text, Logger: r.config.Logger,
	})
	server := &http.Server{
		Handler: r.paths(gateway), ConnState: r.connections.Track, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
		WriteTimeout: 35 * time.Second,
		IdleTimeout:  idleTimeout, MaxHeaderBytes: 32 << 10,
		ErrorLog: slog.NewLogLogger(complaints{r.config.Logger.Handler()}, slog.LevelWarn),
	}
	server.RegisterOnShutdown(r.live.Close)
	return server
}

// paths routes requests by their whole path, exactly as it came: it cleans up and redirects nothing.
func (r *Relay) paths(gateway http.Handler) http.Handler {
	metrics := r.Metrics()
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if request.URL.EscapedPath() == pathMetrics && (request.Method == http.MethodGet || request.Method == http.MethodHead) {
			metrics.ServeHTTP(w, request)
			return
		}
		if r.console.Serves(request.URL.EscapedPath()) {
			r.console.ServeHTTP(w, request)
			return
		}
		gateway.ServeHTTP(w, request)
	})
}

// complaints takes what a server complains of into the relay's log. That a stranger began to speak TLS and did not go on is no more than a
// detail.
type complaints struct{ slog.Handler }

// Handle writes a complaint.
func (c complaints) Handle(ctx context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, "http: TLS handshake error") {
		r.Level = slog.LevelDebug
	}
	if !c.Enabled(ctx, r.Level) {
		return nil
	}
	return c.Handler.Handle(ctx, r)
}

// shutDoor answers the requests that are under way, for a limited time. A request that is only half sent by then was promised nothing.
func (r *Relay) shutDoor(ctx context.Context) error {
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.drain)
	defer cancel()
	err := r.door.server.Shutdown(stop)
	if r.door.asked != nil {
		err = errors.Join(err, r.door.asked.Close())
	}
	if errors.Is(err, context.DeadlineExceeded) {
		r.config.Logger.LogAttrs(ctx, slog.LevelWarn, "requests that did not end were cut off", slog.Duration("waited", r.drain))
		return r.door.server.Close()
	}
	return err
}
