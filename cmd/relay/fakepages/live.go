package fakepages

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/webfiles"
)

// restTime is how long a page rests after it was told that something has happened: what follows at once is one piece of news.
const restTime = 200 * time.Millisecond

// watch tells a page whenever something has happened, until it is closed.
func (p *Pages) watch(v *visit) error {
	seen, err := webfiles.LastChange(v.R)
	if err != nil {
		return webfiles.Refuse(http.StatusBadRequest, "after: want a number.")
	}
	stream, err := webfiles.OpenStream(v.W)
	for err == nil {
		newest, next := p.Fake.Changes()
		if newest == seen {
			err = wait(v, next)
			continue
		}
		if err = stream.News(newest, ""); err == nil {
			seen, err = newest, wait(v, time.After(restTime))
		}
	}
	return nil // it is over.
}

// errOver means that nobody is to be told any more.
var errOver = errors.New("the connection is over")

// wait waits until it is time. The error says that the connection is over meanwhile.
func wait[T any](v *visit, until <-chan T) error {
	select {
	case <-until:
		return nil
	case <-v.R.Context().Done():
	case <-v.pages.closing:
	}
	return errOver
}

// liveAfter is what a page listens to that shows all up to a change.
func liveAfter(change int64) string { return pathLive + "?after=" + strconv.FormatInt(change, 10) }
