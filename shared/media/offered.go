package media

import (
	"fmt"
	"mime"
	"strings"
)

// TypeOf returns the content type of a header or webhook parameter in the form that is kept: lower case, without parameters. It is empty
// if the header has none.
func TypeOf(header string) string {
	contentType, _, err := mime.ParseMediaType(header)
	if err != nil {
		return ""
	}
	if contentType == "image/jpg" {
		return "image/jpeg"
	}
	return contentType
}

// Offered reports whether the relay passes on attachments of the type, and returns how their file names end. These are the types that
// Twilio takes for MMS (its page "Accepted content types for media"), without those that a browser may run or that a carrier's phone
// cannot show. HTML, SVG and XML are never among them.
func Offered(contentType string) (extension string, ok bool) {
	extension, ok = map[string]string{
		"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/bmp": "bmp", "image/tiff": "tiff",
		"image/heic": "heic", "image/heif": "heif",
		"video/mp4": "mp4", "video/mpeg": "mpeg", "video/quicktime": "mov", "video/webm": "webm", "video/3gpp": "3gp", "video/3gpp2": "3g2",
		"video/h261": "h261", "video/h263": "h263", "video/h264": "h264",
		"audio/mpeg": "mp3", "audio/mp4": "m4a", "audio/aac": "aac", "audio/ogg": "ogg", "audio/amr": "amr", "audio/amr-nb": "amr",
		"audio/3gpp": "3gp", "audio/3gpp2": "3g2", "audio/ac3": "ac3", "audio/webm": "webm", "audio/basic": "au", "audio/l24": "l24",
		"audio/vnd.wave": "wav",
		"text/vcard":     "vcf", "text/x-vcard": "vcf", "text/directory": "vcf", "application/vcard": "vcf",
		"text/calendar": "ics", "text/csv": "csv", "text/rtf": "rtf",
		"application/pdf": "pdf",
	}[contentType]
	return extension, ok
}

// IsInline reports whether a browser may show an item of the type itself, instead of saving it.
func IsInline(contentType string) bool {
	_, ok := Offered(contentType)
	kind, _, _ := strings.Cut(contentType, "/")
	return ok && (kind == "image" || kind == "video" || kind == "audio")
}

// FileName returns the name of a message's attachment, which is counted from 1: "picture-1.jpg". Twilio wants at most 20 characters.
func FileName(contentType string, number int) string {
	extension, ok := Offered(contentType)
	if !ok {
		extension = "bin"
	}
	return fmt.Sprintf("%s-%d.%s", strings.ReplaceAll(kindOf(contentType), " ", "-"), number, extension)
}

// kindOf says in a word or two what an attachment of the type is.
func kindOf(contentType string) string {
	kind, _, _ := strings.Cut(contentType, "/")
	switch {
	case kind == "image":
		return "picture"
	case kind == "video", kind == "audio":
		return kind
	case contentType == "text/calendar":
		return "event"
	case contentType == "application/pdf":
		return "document"
	case strings.HasSuffix(contentType, "vcard"), contentType == "text/directory":
		return "contact"
	default:
		return "file"
	}
}
