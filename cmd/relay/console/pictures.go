package console

import (
	"io"
	"net/http"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/webfiles"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/media"
)

const (
	// maxPictures bounds a form with pictures, in bytes: what Twilio takes with one message, and the rest of the form.
	maxPictures = media.MaxTotal + webfiles.MaxForm
	// uploadTime is how long such a form may take to come in: a phone in the yard is slow.
	uploadTime = 2 * time.Minute
)

// pictures are the files of a form.
func (v *visit) pictures() (all []operations.Picture, err error) {
	if v.R.MultipartForm == nil {
		return nil, nil
	}
	for _, one := range v.R.MultipartForm.File["pictures"] {
		if one.Size == 0 && one.Filename == "" {
			continue // The field was left empty.
		}
		file, err := one.Open()
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(file)
		_ = file.Close() // it was only read.
		if err != nil {
			return nil, err
		}
		all = append(all, operations.PictureOf(one.Header.Get("Content-Type"), content))
	}
	return all, nil
}

// readUpload reads a form with pictures, for which there is more time and more room than for others.
func (v *visit) readUpload() error {
	control := http.NewResponseController(v.W)
	// A server that cannot set them has none.
	_ = control.SetReadDeadline(time.Now().Add(uploadTime))
	_ = control.SetWriteDeadline(time.Now().Add(uploadTime + time.Minute))
	v.R.Body = http.MaxBytesReader(v.W, v.R.Body, maxPictures)
	// In memory: an image for containers has no folder for files that come and go. Only who may answer gets this far.
	if err := v.R.ParseMultipartForm(maxPictures); err != nil {
		return webfiles.Refuse(http.StatusRequestEntityTooLarge,
			"This form cannot be read, or the pictures are too large: all together may have 5 MB.")
	}
	return nil
}
