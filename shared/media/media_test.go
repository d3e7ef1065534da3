package media_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"quickdumpnow.com/smsrelay/shared/media"
)

func TestTokens(t *testing.T) {
	t.Parallel()
	one, other := media.NewToken(), media.NewToken()
	if !one.IsValid() || !other.IsValid() || one == other {
		t.Errorf("tokens %q and %q: want two valid ones", string(one), string(other))
	}
	if text := one.String(); strings.Contains(text, string(one)) || !strings.HasPrefix(string(one), strings.TrimSuffix(text, "…")) {
		t.Errorf("a token is shown as %q", text)
	}
	if media.Token("").String() != "…" {
		t.Error("an empty token cannot be shown")
	}
	for _, wrong := range []media.Token{"", "1", one + "0", media.Token(strings.ToUpper("a" + string(one[1:]))), one[:31] + "/"} {
		if wrong.IsValid() {
			t.Errorf("%q is taken for a token", string(wrong))
		}
	}
}

// TestExactly: a store that reads through it never keeps half an attachment, nor one byte too many, however its reader cuts them.
func TestExactly(t *testing.T) {
	t.Parallel()
	content := []byte("0123456789")
	for name, reader := range map[string]func(io.Reader) io.Reader{
		"at once": func(r io.Reader) io.Reader { return r }, "one byte at a time": iotest.OneByteReader,
		"the end with the data": iotest.DataErrReader,
	} {
		for size, want := range map[int64]error{9: media.ErrTooLarge, 10: nil, 11: media.ErrCutShort, 0: media.ErrTooLarge} {
			got, err := io.ReadAll(media.Exactly(reader(bytes.NewReader(content)), size))
			if !errors.Is(err, want) || want == nil && (err != nil || !bytes.Equal(got, content)) {
				t.Errorf("%s, size %d: %q, error %v; want %v", name, size, got, err, want)
			}
			if int64(len(got)) > size {
				t.Errorf("%s, size %d: %d bytes came through", name, size, len(got))
			}
		}
	}
}

func TestWhatIsOffered(t *testing.T) {
	t.Parallel()
	tests := []struct {
		header, contentType, name string
		offered, inline           bool
	}{
		{"image/jpeg", "image/jpeg", "picture-1.jpg", true, true},
		{"IMAGE/JPG; name=a.jpg", "image/jpeg", "picture-1.jpg", true, true},
		{"audio/ogg; codecs=opus", "audio/ogg", "audio-1.ogg", true, true},
		{"video/3gpp", "video/3gpp", "video-1.3gp", true, true},
		{"text/x-vcard; charset=utf-8", "text/x-vcard", "contact-1.vcf", true, false},
		{"application/pdf", "application/pdf", "document-1.pdf", true, false},
		{"text/calendar", "text/calendar", "event-1.ics", true, false},
		{"text/html", "text/html", "file-1.bin", false, false},
		{"image/svg+xml", "image/svg+xml", "picture-1.bin", false, false},
		{"application/xhtml+xml", "application/xhtml+xml", "file-1.bin", false, false},
		{"text/xml", "text/xml", "file-1.bin", false, false},
		{"application/smil", "application/smil", "file-1.bin", false, false},
		{"", "", "file-1.bin", false, false},
		{"a/b/c", "", "file-1.bin", false, false},
	}
	for _, tt := range tests {
		contentType := media.TypeOf(tt.header)
		_, offered := media.Offered(contentType)
		name := media.FileName(contentType, 1)
		if contentType != tt.contentType || offered != tt.offered || name != tt.name || media.IsInline(contentType) != tt.inline {
			t.Errorf("%q: type %q, offered %v, name %s, inline %v; want %+v", tt.header, contentType, offered, name, media.IsInline(contentType), tt)
		}
		if longest := media.FileName(contentType, media.MaxItems); len(longest) > 20 {
			t.Errorf("%s has more than 20 characters", longest)
		}
	}
}

func TestNotes(t *testing.T) {
	t.Parallel()
	const sid = "MM00000000000000000000000000000001"
	picture := media.Left{Number: 2, ContentType: "image/jpeg", Size: 6_123_456}
	page := media.Left{Number: 3, ContentType: "text/html", Size: 13_700}
	unknown := media.Left{Number: 1}
	tests := []struct {
		left                  []media.Left
		note, brief, customer string
	}{
		{nil, "", "", ""},
		{
			[]media.Left{picture},
			"[picture image/jpeg 6.1 MB: relay media get " + sid + " 2]",
			"[picture image/jpeg 6.1 MB: relay media get " + sid + " 2]", "[1 picture could not be sent]",
		},
		{[]media.Left{unknown}, "[file: relay media get " + sid + " 1]", "[file: relay media get " + sid + " 1]", "[1 file could not be sent]"},
		{
			[]media.Left{picture, page},
			"[2 picture image/jpeg 6.1 MB, 3 file text/html 14 kB: relay media get " + sid + " N]",
			"[2 attachments: relay media get " + sid + " N]", "[2 attachments could not be sent]",
		},
		{
			[]media.Left{{Number: 1, ContentType: "video/mp4", Size: 999_499}, {Number: 2, ContentType: "video/mp4", Size: 999_500}},
			"[1 video video/mp4 999 kB, 2 video video/mp4 1.0 MB: relay media get " + sid + " N]",
			"[2 attachments: relay media get " + sid + " N]", "[2 videos could not be sent]",
		},
		{
			[]media.Left{{Number: 1, ContentType: "text/vcard", Size: 999}},
			"[contact text/vcard 999 bytes: relay media get " + sid + " 1]",
			"[contact text/vcard 999 bytes: relay media get " + sid + " 1]", "[1 contact could not be sent]",
		},
	}
	for _, tt := range tests {
		if got := media.Note(sid, tt.left); got != tt.note {
			t.Errorf("note %q, want %q", got, tt.note)
		}
		if got := media.BriefNote(sid, tt.left); got != tt.brief {
			t.Errorf("brief note %q, want %q", got, tt.brief)
		}
		if got := media.CustomerNote(tt.left); got != tt.customer {
			t.Errorf("customer's note %q, want %q", got, tt.customer)
		}
	}
}
