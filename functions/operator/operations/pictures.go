package operations

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Picture is a picture, or another file, that goes with a reply.
type Picture struct {
	// ContentType is its MIME type, such as image/jpeg.
	ContentType string `json:"content_type"`
	// Data is what is in it, in base64 without line breaks.
	Data string `json:"data"`
}

// PictureOf returns a file as a reply has it.
func PictureOf(contentType string, content []byte) Picture {
	return Picture{ContentType: contentType, Data: base64.StdEncoding.EncodeToString(content)}
}

// MaxReply is the largest body of a reply with pictures, in bytes: they are a third longer in base64.
const MaxReply = maxRequest + (media.MaxTotal+2)/3*4 + media.MaxItems*256

// maxType is the longest MIME type of a picture, in characters.
const maxType = 100

// pictures are files that came with a request, as a [media.Source]. The URL is the place of one.
type pictures [][]byte

// FetchMedia opens one of the files.
func (p pictures) FetchMedia(_ context.Context, url string, limit int64) (media.Content, error) {
	place, err := strconv.Atoi(url)
	if err != nil || place < 0 || place >= len(p) {
		return media.Content{}, &fault.Error{Kind: fault.Permanent, Err: io.ErrUnexpectedEOF}
	}
	size := int64(len(p[place]))
	if size > limit {
		return media.Content{}, &media.TooLargeError{Size: size}
	}
	return media.Content{ReadCloser: io.NopCloser(bytes.NewReader(p[place])), Size: size}, nil
}

// readPictures reads the files of a request, and adds what is wrong with them.
func readPictures(sent []Picture, wrong *findings) (all [][]byte) {
	total, isStrange := 0, false
	if len(sent) > media.MaxItems {
		wrong.malform("pictures", "pictures: at most %d go with a text", media.MaxItems)
	}
	for _, one := range sent {
		content, err := base64.StdEncoding.DecodeString(one.Data)
		switch {
		case err != nil || len(content) == 0 || strings.ContainsAny(one.Data, "\r\n"):
			wrong.malform("pictures", "pictures: data: want what is in the file, in base64 without line breaks")
		case one.ContentType == "" || utf8.RuneCountInString(one.ContentType) > maxType:
			wrong.malform("pictures", "pictures: content_type: want a MIME type, such as image/jpeg")
		default:
			_, isOffered := media.Offered(media.TypeOf(one.ContentType))
			isStrange = isStrange || !isOffered
		}
		total += len(content)
		all = append(all, content)
	}
	if isStrange {
		wrong.contradict("pictures", "pictures: this kind of file cannot go with a text: pictures, short videos and PDF can")
	}
	if total > media.MaxTotal {
		wrong.contradict("pictures", "pictures: are too large: all together may have 5 MB")
	}
	return all
}

// keep keeps the pictures of a request where Twilio can fetch them, and returns them.
func (h *Handler) keep(ctx context.Context, wanted RelayRequest) ([]sms.Media, answer) {
	if len(wanted.Files) == 0 {
		return nil, answer{}
	}
	var all []sms.Media
	for i, one := range wanted.Pictures {
		all = append(all, sms.Media{URL: strconv.Itoa(i), ContentType: one.ContentType})
	}
	kept, err := h.config.Pictures(pictures(wanted.Files)).Keep(ctx, all)
	if err != nil {
		return nil, refuse(http.StatusServiceUnavailable, "the pictures cannot be kept at the moment: send the same request again").because(err)
	}
	for i := range kept {
		if kept[i].Left {
			var wrong findings
			wrong.contradict("pictures", "pictures: are too large for this relay")
			return nil, wrong.refuse()
		}
		kept[i].URL = ""
	}
	return kept, answer{}
}

// noPictures says that a request cannot have pictures here.
func noPictures() answer {
	return refuse(http.StatusConflict, "pictures: cannot be sent with a reply here: docs/http-api.md says where they can")
}
