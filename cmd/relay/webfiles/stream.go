package webfiles

import (
	"cmp"
	"fmt"
	"html"
	"net/http"
	"strconv"
	"time"
)

// writeTime is how long a browser may take to read what it is told; a slower one is cut off, and comes again.
const writeTime = 10 * time.Second

// Stream is the connection of a page that is told of changes by server-sent events, until its browser is gone.
type Stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

// LastChange returns the last change that a page knows which listens: the one that it was told of last on a connection that was cut, or the
// one that its address has as after.
func LastChange(r *http.Request) (int64, error) {
	return strconv.ParseInt(cmp.Or(r.Header.Get("Last-Event-ID"), r.URL.Query().Get("after")), 10, 64)
}

// OpenStream answers a request with a connection that stays open. The error says that the browser is gone.
func OpenStream(w http.ResponseWriter) (Stream, error) {
	s := Stream{w: w, control: http.NewResponseController(w)}
	w.Header().Set("Content-Type", "text/event-stream")
	// A proxy that collects what is sent would hold it back.
	w.Header().Set("X-Accel-Buffering", "no")
	_ = s.control.SetReadDeadline(time.Time{}) // a server that cannot has none.
	return s, s.write(": you are told of changes\n\n")
}

// News has the page ask for itself again: it then knows all up to the newest change. The words are read aloud, if there are any.
func (s Stream) News(newest int64, words string) error {
	said := ""
	if words != "" {
		said = "data: <p class=\"notice\">" + html.EscapeString(words) + "</p>\n\n"
	}
	// The id comes last: if the connection is cut before it, all comes again.
	return s.write(fmt.Sprintf("%sid: %d\nevent: news\ndata: %d\n\n", said, newest, newest))
}

// Over has the page ask for itself once more, because it is told nothing any longer.
func (s Stream) Over() error { return s.write("event: news\ndata: over\n\n") }

// Try looks whether the browser is still there.
func (s Stream) Try() error { return s.write(":\n\n") }

func (s Stream) write(text string) error {
	_ = s.control.SetWriteDeadline(time.Now().Add(writeTime)) // a server that cannot has none.
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.control.Flush()
}
