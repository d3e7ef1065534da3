// Package offering gives Twilio the pictures and other attachments of the texts that it is sending: it serves what the relay keeps under a
// token that nobody can guess. It fetches nothing, keeps nothing and knows no texts.
package offering

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/media"
)

// PathMedia is the path that this function serves, in the gateway's words.
const PathMedia = media.Path + "{token}"

// Config is what a Handler is made of. Every field is needed.
type Config struct {
	// Store has the attachments.
	Store media.Store
	Now   func() time.Time
	// Logger gets one line for each request.
	Logger *slog.Logger
}

// Handler serves one request at a time or many.
type Handler struct{ config Config }

// New returns a Handler.
func New(config Config) *Handler { return &Handler{config: config} }

// Handle answers one request. The error is always nil: every outcome is an HTTP answer.
//
//	HEAD /m/{token}  200 with the headers of the attachment; Twilio asks this first, and refuses another Content-Type later
//	GET  /m/{token}  200 with the attachment
//
// Refusals have no body: 404 for a token that is unknown, expired or malformed, 405, and 503 if the store does not answer.
func (h *Handler) Handle(ctx context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	started := h.config.Now()
	method := request.RequestContext.HTTP.Method
	response, err := h.answer(ctx, method, tokenIn(request.RawPath))
	h.report(ctx, request, response, err, h.config.Now().Sub(started))
	return response, nil
}

// tokenIn returns the token in a path. It may be malformed.
func tokenIn(path string) media.Token {
	token, found := strings.CutPrefix(path, media.Path)
	if !found {
		return ""
	}
	return media.Token(token)
}

func (h *Handler) answer(ctx context.Context, method string, token media.Token) (events.APIGatewayV2HTTPResponse, error) {
	switch {
	case method != http.MethodGet && method != http.MethodHead:
		refused := refuse(http.StatusMethodNotAllowed)
		refused.Headers["Allow"] = "GET, HEAD"
		return refused, nil
	case !token.IsValid():
		return refuse(http.StatusNotFound), nil
	}
	item, body, err := h.read(ctx, method, token)
	switch {
	case errors.Is(err, media.ErrNotFound):
		return refuse(http.StatusNotFound), nil
	case err != nil:
		return refuse(http.StatusServiceUnavailable), err
	}
	return offer(item, body), nil
}

// read returns the item, and for GET what is in it, in base64.
func (h *Handler) read(ctx context.Context, method string, token media.Token) (item media.Item, body string, err error) {
	if method == http.MethodHead {
		item, err = h.config.Store.Look(ctx, token)
		return item, "", err
	}
	item, content, err := h.config.Store.Open(ctx, token)
	if err != nil {
		return media.Item{}, "", err
	}
	defer content.Close() //nolint:errcheck // It was only read.
	var text strings.Builder
	text.Grow(base64.StdEncoding.EncodedLen(int(item.Size)))
	encoder := base64.NewEncoder(base64.StdEncoding, &text)
	_, err = io.Copy(encoder, media.Exactly(content, item.Size))
	if err := errors.Join(err, encoder.Close()); err != nil { // Its last characters come with Close.
		return media.Item{}, "", fmt.Errorf("read an attachment: %w", err)
	}
	return item, text.String(), nil
}

// offer answers with an item. It is safe to open in a browser: it is only what it says it is, and runs nothing.
func offer(item media.Item, body string) events.APIGatewayV2HTTPResponse {
	disposition := "attachment"
	if media.IsInline(item.ContentType) {
		disposition = "inline"
	}
	return events.APIGatewayV2HTTPResponse{
		StatusCode: http.StatusOK,
		Headers: map[string]string{
			"Content-Type":            item.ContentType,
			"Content-Length":          strconv.FormatInt(item.Size, 10),
			"Content-Disposition":     fmt.Sprintf("%s; filename=%q", disposition, item.Name),
			"Content-Security-Policy": "default-src 'none'; sandbox",
			"Cache-Control":           "private, max-age=3600",
			"X-Content-Type-Options":  "nosniff",
			"X-Robots-Tag":            "noindex",
			"Referrer-Policy":         "no-referrer",
		},
		Body:            body,
		IsBase64Encoded: true,
	}
}

// refuse answers without a body.
func refuse(status int) events.APIGatewayV2HTTPResponse {
	return events.APIGatewayV2HTTPResponse{
		StatusCode: status,
		Headers:    map[string]string{"Content-Type": "text/plain", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
	}
}

// report logs the request in one line, with the beginning of its token: the whole of it opens the attachment.
func (h *Handler) report(ctx context.Context, request events.APIGatewayV2HTTPRequest, response events.APIGatewayV2HTTPResponse, err error,
	took time.Duration,
) {
	level := slog.LevelInfo
	attributes := []slog.Attr{
		slog.String("method", request.RequestContext.HTTP.Method), slog.Int("status", response.StatusCode),
		slog.String("token", tokenIn(request.RawPath).String()), slog.String("content_type", response.Headers["Content-Type"]),
		slog.String("bytes", response.Headers["Content-Length"]), slog.Int64("duration_ms", took.Milliseconds()),
	}
	if err != nil {
		level = slog.LevelError
		attributes = append(attributes, slog.String("error", err.Error()))
	}
	h.config.Logger.LogAttrs(ctx, level, "attachment asked for", attributes...)
}
