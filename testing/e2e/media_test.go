//go:build unix

package e2e

import (
	"io"
	"net/http"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/aws/mediabucket"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/media"
)

// pictured has a customer text a picture, which the sender copies and the fake Twilio gets from the relay by its address.
func (s *stage) pictured() {
	s.t.Helper()
	const words = "This is the sofa"
	file := twiliofake.File{ContentType: "image/jpeg", Content: []byte("\xff\xd8 a sofa")}
	response, err := s.twilio.SendInbound(s.t.Context(), twiliofake.Inbound{
		From: customer(900), To: number, Body: words, Files: []twiliofake.File{file},
	}, s.webhook())
	if err != nil {
		s.t.Fatal(err)
	}
	r := s.await(response.MessageSid, patience, ledger.Delivered)
	if len(r.Media) != 1 || r.Media[0].Token == "" {
		s.t.Fatalf("the record has %+v, want a copy of the picture", r.Media)
	}
	if _, body := s.fetched(http.MethodGet, media.Path+r.Media[0].Token); body != string(file.Content) {
		s.t.Errorf("the copy is %q", body)
	}
}

// attachment has somebody fetch a picture through the front door as Twilio does: HEAD, and then GET. What is not there, the function
// cannot see, with the permissions that it has.
func (s *stage) attachment() {
	s.t.Helper()
	const content = "\xff\xd8 a picture \x00"
	item := media.Item{
		Token: media.NewToken(), ContentType: "image/jpeg", Size: int64(len(content)), Name: "picture-1.jpg",
		ExpiresAt: time.Now().Add(time.Hour),
	}
	bucket := mediabucket.New(s.host.Direct("s3"), s.host.Name("MediaBucket"), time.Now)
	if err := bucket.Put(s.t.Context(), item, strings.NewReader(content)); err != nil {
		s.t.Fatal(err)
	}
	for _, method := range []string{http.MethodHead, http.MethodGet} {
		response, body := s.fetched(method, media.Path+string(item.Token))
		want := content
		if method == http.MethodHead {
			want = ""
		}
		if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "image/jpeg" || body != want {
			s.t.Errorf("%s: status %d, type %q, %q", method, response.StatusCode, response.Header.Get("Content-Type"), body)
		}
		if response, _ := s.fetched(method, media.Path+string(media.NewToken())); response.StatusCode != http.StatusNotFound {
			s.t.Errorf("%s of what is not there: status %d", method, response.StatusCode)
		}
	}
}

// fetched asks the front door, as anybody may.
func (s *stage) fetched(method, path string) (response *http.Response, body string) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.host.URL()+path, http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	response, err = http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // it was only read.
	read, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response, string(read)
}
