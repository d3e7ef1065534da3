package console

import (
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/sms"
)

const (
	// maxPictures bounds a form with pictures, in bytes: what Twilio takes with one message, and the rest of the form.
	maxPictures = media.MaxTotal + maxForm
	// uploadTime is how long such a form may take to come in: a phone in the yard is slow.
	uploadTime = 2 * time.Minute
)

// uploaded are files that came with a form, as a [media.Source]. The URL is the place of one.
type uploaded []*multipart.FileHeader

// FetchMedia opens one of the files.
func (u uploaded) FetchMedia(_ context.Context, url string, limit int64) (media.Content, error) {
	for _, one := range u {
		if one.Filename != url {
			continue
		}
		if one.Size > limit {
			return media.Content{}, &media.TooLargeError{ContentType: one.Header.Get("Content-Type"), Size: one.Size}
		}
		file, err := one.Open()
		return media.Content{ReadCloser: file, ContentType: one.Header.Get("Content-Type"), Size: one.Size}, err
	}
	return media.Content{}, &fault.Error{Kind: fault.Permanent, Err: io.ErrUnexpectedEOF}
}

// pictures keeps the pictures of a form where Twilio can fetch them, and returns them.
func (c *Console) pictures(v *visit) ([]sms.Media, error) {
	if v.r.MultipartForm == nil {
		return nil, nil
	}
	var files uploaded
	var all []sms.Media
	for i, one := range v.r.MultipartForm.File["pictures"] {
		if one.Size == 0 && one.Filename == "" {
			continue // The field was left empty.
		}
		if _, isOffered := media.Offered(media.TypeOf(one.Header.Get("Content-Type"))); !isOffered {
			return nil, refusal{http.StatusUnprocessableEntity, "This kind of file cannot go with a text. Pictures, short videos and PDF can."}
		}
		// Two files may have the same name.
		one.Filename = strconv.Itoa(i)
		files, all = append(files, one), append(all, sms.Media{URL: one.Filename, ContentType: one.Header.Get("Content-Type")})
	}
	switch {
	case len(files) == 0:
		return nil, nil
	case c.Media == nil:
		return nil, refusal{http.StatusConflict, "This relay cannot send pictures."}
	case len(files) > media.MaxItems:
		return nil, refusal{http.StatusUnprocessableEntity, "At most ten pictures go with a text."}
	}
	kept, err := c.Media(files).Keep(v.r.Context(), all)
	if err != nil {
		return nil, err
	}
	for i := range kept {
		if kept[i].Left {
			return nil, refusal{http.StatusUnprocessableEntity, "The pictures are too large: all together may have 5 MB."}
		}
		kept[i].URL = ""
	}
	return kept, nil
}

// readUpload reads a form with pictures, for which there is more time and more room than for others.
func (v *visit) readUpload() error {
	control := http.NewResponseController(v.w)
	// A server that cannot set them has none.
	_ = control.SetReadDeadline(time.Now().Add(uploadTime))
	_ = control.SetWriteDeadline(time.Now().Add(uploadTime + time.Minute))
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxPictures)
	// In memory: an image for containers has no folder for files that come and go. Only who may answer gets this far.
	if err := v.r.ParseMultipartForm(maxPictures); err != nil {
		return refusal{http.StatusRequestEntityTooLarge, "This form cannot be read, or the pictures are too large: all together may have 5 MB."}
	}
	return nil
}
