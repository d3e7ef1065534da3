package onehost

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"quickdumpnow.com/smsrelay/shared/media"
)

// TestAttachmentsAtTheDoor: what is kept is offered to HEAD and GET alike, and nothing else in the folder is.
func TestAttachmentsAtTheDoor(t *testing.T) {
	r, _ := started(t, nil)
	content := bytes.Repeat([]byte("\xff\xd8\x00\n"), 100_000)
	item := media.Item{
		Token: media.NewToken(), ContentType: "image/jpeg", Size: int64(len(content)), Name: "picture-1.jpg",
		ExpiresAt: time.Now().Add(time.Hour).Truncate(time.Second),
	}
	if err := r.media.Put(t.Context(), item, bytes.NewReader(content)); err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{http.MethodHead, http.MethodGet} {
		response, body := fetched(t, method, r.URL()+media.Path+string(item.Token))
		want := content
		if method == http.MethodHead {
			want = nil
		}
		if response.StatusCode != http.StatusOK || !bytes.Equal(body, want) || response.ContentLength != item.Size {
			t.Errorf("%s: status %d, %d bytes, length %d", method, response.StatusCode, len(body), response.ContentLength)
		}
		for name, value := range map[string]string{
			"Content-Type": "image/jpeg", "X-Content-Type-Options": "nosniff", "Content-Disposition": `inline; filename="picture-1.jpg"`,
		} {
			if got := response.Header.Get(name); got != value {
				t.Errorf("%s: %s is %q, want %q", method, name, got, value)
			}
		}
		for _, path := range []string{string(media.NewToken()), "..%2frelay.db", "%2e%2e/relay.db", "", "x"} {
			if response, _ := fetched(t, method, r.URL()+media.Path+path); response.StatusCode != http.StatusNotFound {
				t.Errorf("%s %s: status %d, want 404", method, path, response.StatusCode)
			}
		}
	}
}

func fetched(t *testing.T, method, url string) (*http.Response, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // it was only read.
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, body
}

// sweeping answers each sweep in turn.
type sweeping struct{ answers []error }

func (s *sweeping) Sweep(context.Context) (int, error) {
	if len(s.answers) == 0 {
		return 0, nil
	}
	err := s.answers[0]
	s.answers = s.answers[1:]
	return 3, err
}

// TestAttachmentsAreSwept at the start and every hour, also after a failure.
func TestAttachmentsAreSwept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		folder := &sweeping{answers: []error{errors.New("disk away"), nil}}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- sweepMedia(ctx, folder, slog.New(slog.NewTextHandler(&log, nil))) }()
		time.Sleep(mediaInterval + time.Second)
		synctest.Wait()
		cancel()
		if err := <-ended; err != nil || len(folder.answers) != 0 {
			t.Errorf("error %v, %d sweeps not made", err, len(folder.answers))
		}
		if text := log.String(); !strings.Contains(text, "disk away") || strings.Count(text, "removed=3") != 2 {
			t.Errorf("log:\n%s", text)
		}
	})
}
