package httpapi_test

import (
	"net/http"
	"testing"

	"quickdumpnow.com/smsrelay/shared/onehost/httpapi"
)

// TestOpenEnd: a route with an open end takes one last part, whatever it is, and hands the path over as it came.
func TestOpenEnd(t *testing.T) {
	t.Parallel()
	for path, ran := range map[string]int{"/m/abc": 1, "/m/%2e%2e": 1, "/m/a/b": 0, "/m": 0, "/n/abc": 0} {
		s := newStage(func(c *httpapi.Config) { c.Routes[0].Path = "/m/{token}" })
		s.ask(http.MethodHead, path, "")
		if s.ran() != ran {
			t.Errorf("%s: the function ran %d times, want %d", path, s.ran(), ran)
			continue
		}
		if ran == 0 {
			continue
		}
		if got := s.got(t); got.RawPath != path || got.RouteKey != "HEAD /m/{token}" {
			t.Errorf("%s: path %q, route key %q", path, got.RawPath, got.RouteKey)
		}
	}
}
