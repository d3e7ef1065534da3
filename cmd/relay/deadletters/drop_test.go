package deadletters_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/cmd/relay/deadletters"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

func TestDrop(t *testing.T) {
	r := newRelay(t)
	r.deaths(3)
	var saved []deadletters.Letter
	drop := deadletters.Drop{
		From: atOnce{r.dead}, Records: r.ledger, Filter: deadletters.Filter{IDs: []string{relaytest.MessageSid(2)}},
		Save: func(l deadletters.Letter) error {
			if n := len(r.dead.Messages()); n != 3 {
				t.Errorf("%d letters when it is saved, want all 3", n)
			}
			saved = append(saved, l)
			return nil
		},
	}
	dropped, err := drop.Run(t.Context())
	if err != nil || !cmp.Equal(sids(dropped), []string{relaytest.MessageSid(2)}) || !cmp.Equal(sids(saved), sids(dropped)) {
		t.Fatalf("dropped %v, saved %v, error %v", sids(dropped), sids(saved), err)
	}
	if diff := cmp.Diff([]string{relaytest.MessageSid(1), relaytest.MessageSid(3)}, sids(r.read())); diff != "" {
		t.Errorf("letters (-want +left):\n%s", diff)
	}
	r.checkState(2, ledger.Dead)
}

// What cannot be kept, or noted, is not deleted.
func TestDropKeepsWhatItCannotSave(t *testing.T) {
	full := errors.New("no space left on device")
	for name, spoil := range map[string]func(d *deadletters.Drop){
		"not saved": func(d *deadletters.Drop) { d.Save = func(deadletters.Letter) error { return full } },
		"not noted": func(d *deadletters.Drop) { d.Note = func(context.Context, deadletters.Letter) error { return full } },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRelay(t)
			r.deaths(3)
			drop := deadletters.Drop{From: atOnce{r.dead}, Records: r.ledger, Save: func(deadletters.Letter) error { return nil }}
			spoil(&drop)
			if dropped, err := drop.Run(t.Context()); len(dropped) != 0 || !errors.Is(err, full) {
				t.Errorf("dropped %v, error %v", sids(dropped), err)
			}
			if got := r.read(); len(got) != 3 {
				t.Errorf("%d letters are left, want 3", len(got))
			}
		})
	}
}
