package twilio

import (
	"net"
	"net/http"
	"time"
)

// httpClient returns a client that does not follow redirects: Twilio's API sends none, and a followed 307 would be a
// second POST, to a host that nobody chose.
func (cfg Config) httpClient() *http.Client {
	var own http.Client
	switch {
	case cfg.HTTPClient != nil:
		own = *cfg.HTTPClient
	case cfg.Transport != nil:
		own.Transport = cfg.Transport
	default:
		own.Transport = newTransport()
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// newTransport returns a transport that keeps the number of unknown outcomes low. It speaks HTTP/1.1, so a broken connection
// affects one message, not all open ones. It closes idle connections long before Twilio does: nobody knows the outcome of a
// POST on a connection that the other side has just closed. Go measures the idle time with the wall clock, so this also works
// after a Lambda was frozen.
func newTransport() *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	dialer := net.Dialer{Timeout: 3 * time.Second, KeepAlive: 15 * time.Second}
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         dialer.DialContext,
		TLSHandshakeTimeout: 3 * time.Second,
		MaxIdleConns:        64,
		MaxIdleConnsPerHost: 64,
		IdleConnTimeout:     15 * time.Second,
		Protocols:           &protocols,
	}
}
