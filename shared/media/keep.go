package media

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Path is where the relay offers its items: the token follows.
const Path = "/m/"

// mustLast is for how long an item has to be offered after its text was sent: for as long as Twilio may keep the text, and an hour.
const mustLast = sms.MaxValidityPeriod + time.Hour

// Keeper copies the attachments of a message into the relay's store, from which Twilio fetches them.
type Keeper struct {
	Source Source
	Store  Store
	// MaxItem is how many bytes of one item the relay's front door can serve; 0 means MaxTotal.
	MaxItem int64
	// KeepFor is how long an item is kept; 0 means KeptFor.
	KeepFor time.Duration
	Now     func() time.Time
	// NewToken makes a token; nil means NewToken.
	NewToken func() Token
}

// Keep returns the attachments, each with the Token of a copy that lasts for long enough, or marked as Left because it does not fit, is
// not offered or is not there. What has been decided before stays so. If one could not be fetched or kept, it is returned without either,
// with an error in whose chain there is a *fault.Error: Keep may be called again with what it returned.
func (k Keeper) Keep(ctx context.Context, attachments []sms.Media) ([]sms.Media, error) {
	attachments = slices.Clone(attachments)
	var failures []error
	room := int64(MaxTotal)
	for i := range attachments {
		one := &attachments[i]
		if one.Token != "" && one.KeptUntil.Sub(k.Now()) < mustLast {
			one.Token, one.KeptUntil = "", time.Time{}
		}
		if i >= MaxItems {
			one.Left = one.Token == ""
		}
		if one.Token == "" && !one.Left {
			if err := k.keep(ctx, one, i+1, room); err != nil {
				failures = append(failures, fmt.Errorf("attachment %d: %w", i+1, err))
			}
		}
		if one.Token != "" {
			room -= one.Size
		}
	}
	return attachments, errors.Join(failures...)
}

// keep fetches one attachment, which is the message's number-th, and keeps it if it fits into room.
func (k Keeper) keep(ctx context.Context, one *sms.Media, number int, room int64) error {
	limit := room
	if k.MaxItem > 0 {
		limit = min(limit, k.MaxItem)
	}
	content, err := k.Source.FetchMedia(ctx, one.URL, limit)
	if tooLarge, ok := errors.AsType[*TooLargeError](err); ok {
		leave(one, tooLarge.ContentType, tooLarge.Size)
		return nil
	}
	if err != nil && fault.Of(err).Kind == fault.Permanent {
		// It will never be there.
		leave(one, "", 0)
		return nil
	}
	if err != nil {
		return err
	}
	defer content.Close() //nolint:errcheck // It was only read.
	item, err := k.put(ctx, content, typeOf(content.ContentType, one.ContentType), number)
	switch {
	case errors.Is(err, ErrTooLarge), errors.Is(err, errNotOffered):
		leave(one, content.ContentType, max(content.Size, 0))
		return nil
	case err != nil:
		return err
	}
	one.Token, one.KeptUntil, one.Size, one.ContentType = string(item.Token), item.ExpiresAt, item.Size, item.ContentType
	return nil
}

// errNotOffered means that the content is of a type that is not Offered, or that there is none.
var errNotOffered = errors.New("attachments of this type are not passed on")

// put keeps what was fetched.
func (k Keeper) put(ctx context.Context, content Content, contentType string, number int) (Item, error) {
	if _, ok := Offered(contentType); !ok {
		return Item{}, errNotOffered
	}
	read, size := io.Reader(content), content.Size
	if size < 0 {
		whole, err := io.ReadAll(content)
		if err != nil {
			return Item{}, err
		}
		read, size = bytes.NewReader(whole), int64(len(whole))
	}
	if size == 0 {
		return Item{}, errNotOffered
	}
	newToken := NewToken
	if k.NewToken != nil {
		newToken = k.NewToken
	}
	item := Item{
		Token: newToken(), ContentType: contentType, Size: size, Name: FileName(contentType, number),
		ExpiresAt: k.Now().UTC().Truncate(time.Second).Add(cmp.Or(k.KeepFor, KeptFor)),
	}
	return item, k.Store.Put(ctx, item, read)
}

// typeOf returns the content type that Twilio's server gave. If that says nothing, the webhook's counts.
func typeOf(served, announced string) string {
	switch contentType := TypeOf(served); contentType {
	case "", "application/octet-stream", "binary/octet-stream":
		return TypeOf(announced)
	default:
		return contentType
	}
}

// leave marks an attachment that the text goes without, with what was learned about it.
func leave(one *sms.Media, contentType string, size int64) {
	one.Left, one.Size = true, size
	if known := typeOf(contentType, one.ContentType); known != "" {
		one.ContentType = known
	}
}

// Leave marks every attachment without a copy as Left: the words do not wait for them any longer.
func Leave(attachments []sms.Media) []sms.Media {
	attachments = slices.Clone(attachments)
	for i := range attachments {
		attachments[i].Left = attachments[i].Token == ""
	}
	return attachments
}

// LeaveAll marks every attachment as Left: the words go without them, as the number or the phone takes none.
func LeaveAll(attachments []sms.Media) []sms.Media {
	attachments = slices.Clone(attachments)
	for i := range attachments {
		attachments[i].Token, attachments[i].KeptUntil, attachments[i].Left = "", time.Time{}, true
	}
	return attachments
}

// URLs returns where Twilio fetches the copies, below a base URL of the relay's.
func URLs(baseURL string, attachments []sms.Media) []string {
	var urls []string
	for _, one := range attachments {
		if one.Token != "" {
			urls = append(urls, strings.TrimSuffix(baseURL, "/")+Path+one.Token)
		}
	}
	return urls
}

// LeftOf returns the attachments that the text goes without.
func LeftOf(attachments []sms.Media) []Left {
	var left []Left
	for i, one := range attachments {
		if one.Token == "" {
			left = append(left, Left{Number: i + 1, ContentType: one.ContentType, Size: one.Size})
		}
	}
	return left
}
