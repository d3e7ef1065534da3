package auditlog_test

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
)

// talked is the log of one conversation that had n changes, one an hour from noon on. With adopted, the first of them was made by an
// older version of the relay.
func talked(t *testing.T, n int, adopted bool) (w written, c conversation.Conversation) {
	t.Helper()
	w.heads = map[string]auditlog.Head{}
	if adopted {
		c = stop()
		c.Version = 1
		w.appendConversation(t, nil, &c, auditlog.ChangeCreated, noon.Add(-time.Hour))
	}
	for i := range n {
		w.talk(t, &c, noon.Add(time.Duration(i)*time.Hour), i)
	}
	return w, c
}

// talk lets the conversation go one version on, in the table and in the log.
func (w *written) talk(t *testing.T, stored *conversation.Conversation, at time.Time, n int) {
	t.Helper()
	before, wanted := *stored, stop()
	wanted.OptOut.OptedOut, wanted.OptOut.Since = n%2 == 0, at
	after, err := auditlog.SealConversation(before, wanted, at)
	if err != nil {
		t.Fatal(err)
	}
	after.Version++
	change, old := auditlog.ChangeChanged, &before
	if before.Version == 0 {
		change, old = auditlog.ChangeCreated, nil
	}
	w.appendConversation(t, old, &after, change, at)
	w.keep(after)
	*stored = after
}

func (w *written) keep(c conversation.Conversation) {
	w.heads[auditlog.ChainOf(c.ID)] = auditlog.Head{Version: c.Version, Seal: c.Seal, UpdatedAt: c.UpdatedAt}
}

func (w *written) appendConversation(t *testing.T, before, after *conversation.Conversation, change string, at time.Time) {
	t.Helper()
	entry, err := auditlog.ConversationEntry(before, after, change, auditlog.Seen{SequenceNumber: "7", At: at})
	if err != nil {
		t.Fatal(err)
	}
	line, err := entry.Line()
	if err != nil {
		t.Fatal(err)
	}
	w.lines = append(w.lines, line)
}

func (w *written) remove(i int) { w.lines = slices.Delete(w.lines, i, i+1) }

// TestMistakesInAConversationsChain: what is touched in the log, or in the table, is found as what it is.
func TestMistakesInAConversationsChain(t *testing.T) {
	for _, tt := range []struct {
		name    string
		adopted bool
		touch   func(t *testing.T, w *written, c *conversation.Conversation)
		want    []string
	}{
		{"nothing", false, func(*testing.T, *written, *conversation.Conversation) {}, []string{}},
		{"nothing, and an older version began it", true, func(*testing.T, *written, *conversation.Conversation) {}, []string{}},
		{"the first is missing", false, func(_ *testing.T, w *written, _ *conversation.Conversation) { w.remove(0) }, []string{auditlog.KindGap}},
		{"one is missing", false, func(_ *testing.T, w *written, _ *conversation.Conversation) { w.remove(1) }, []string{auditlog.KindGap}},
		{"the last is missing", false, func(_ *testing.T, w *written, _ *conversation.Conversation) { w.remove(3) }, []string{auditlog.KindGap}},
		{"all are missing", false, func(_ *testing.T, w *written, _ *conversation.Conversation) { w.lines = nil }, []string{auditlog.KindGap}},
		{"the adopted one is missing", true, func(_ *testing.T, w *written, _ *conversation.Conversation) {
			w.remove(1)
		}, []string{auditlog.KindGap}},
		{"one says something else", false, func(_ *testing.T, w *written, _ *conversation.Conversation) {
			w.lines[2].Text = bytes.Replace(w.lines[2].Text, []byte(`"opted_out":true`), []byte(`"opted_out":false`), 1)
		}, []string{auditlog.KindEdit}},
		{"one says something else, with a hash that fits", false, func(_ *testing.T, w *written, _ *conversation.Conversation) {
			w.lines[2].Text = auditlog.Rehash(bytes.Replace(w.lines[2].Text, []byte(`"opted_out":true`), []byte(`"opted_out":false`), 1))
		}, []string{auditlog.KindEdit}},
		{"the last says something else, with a hash that fits", false, func(_ *testing.T, w *written, _ *conversation.Conversation) {
			w.lines[3].Text = auditlog.Rehash(bytes.Replace(w.lines[3].Text, []byte(`"opted_out":false`), []byte(`"opted_out":true`), 1))
		}, []string{auditlog.KindEdit}},
		{"it is said to be another conversation's", false, func(_ *testing.T, w *written, c *conversation.Conversation) {
			w.lines[2].Text = auditlog.Rehash(bytes.Replace(w.lines[2].Text,
				[]byte(`"conversation_id":"`+c.ID), []byte(`"conversation_id":"`+someID), 1))
		}, []string{auditlog.KindEdit, auditlog.KindGap}},
		{"a later one says that it is adopted", false, func(_ *testing.T, w *written, _ *conversation.Conversation) {
			w.remove(0)
			w.lines[0].Text = auditlog.Rehash(bytes.Replace(w.lines[0].Text,
				[]byte(`"twilio_number"`), []byte(`"reason":"adopted","twilio_number"`), 1))
		}, []string{auditlog.KindEdit}},
		{"the table is older", false, func(_ *testing.T, w *written, c *conversation.Conversation) {
			c.Version, c.Seal = 2, hashOf(w.lines[1].Text)
			w.keep(*c)
		}, []string{auditlog.KindBehind}},
		{"the seal in the table is another", false, func(_ *testing.T, w *written, c *conversation.Conversation) {
			c.Seal = hashOf(w.lines[0].Text)
			w.keep(*c)
		}, []string{auditlog.KindEdit}},
		{"the table has lost it", false, func(_ *testing.T, w *written, c *conversation.Conversation) {
			delete(w.heads, auditlog.ChainOf(c.ID))
		}, []string{auditlog.KindGap}},
		{"changed by hand", false, func(t *testing.T, w *written, c *conversation.Conversation) {
			t.Helper()
			after := *c
			after.OptOut.OptedOut = true
			w.appendConversation(t, c, &after, auditlog.ChangeChanged, noon.Add(5*time.Hour))
		}, []string{auditlog.KindUnsealed}},
		{"changed by hand, and then by the relay", false, func(t *testing.T, w *written, c *conversation.Conversation) {
			t.Helper()
			after := *c
			after.OptOut.OptedOut = true
			w.appendConversation(t, c, &after, auditlog.ChangeChanged, noon.Add(5*time.Hour))
			w.talk(t, &after, noon.Add(6*time.Hour), 6)
		}, []string{auditlog.KindUnsealed}},
		{"its ID and seal taken away by hand", false, func(t *testing.T, w *written, c *conversation.Conversation) {
			t.Helper()
			after := *c
			after.ID, after.Seal = "", ""
			w.appendConversation(t, c, &after, auditlog.ChangeChanged, noon.Add(5*time.Hour))
			w.talk(t, &after, noon.Add(6*time.Hour), 6)
			delete(w.heads, auditlog.ChainOf(c.ID))
		}, []string{auditlog.KindUnsealed}},
		{"removed", false, func(t *testing.T, w *written, c *conversation.Conversation) {
			t.Helper()
			w.appendConversation(t, c, nil, auditlog.ChangeRemoved, noon.Add(5*time.Hour))
			delete(w.heads, auditlog.ChainOf(c.ID))
		}, []string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, c := talked(t, 4, tt.adopted)
			tt.touch(t, &w, &c)
			report := w.verifyAs(t, true, auditlog.Options{Ordered: true, HeadsAt: noon.Add(24 * time.Hour)})
			if diff := cmp.Diff(tt.want, kinds(report)); diff != "" {
				t.Errorf("kinds (-want +got):\n%s\n%+v", diff, report)
			}
			for _, f := range report.Findings {
				if f.ConversationID == "" || f.MessageSid != "" {
					t.Errorf("finding %+v does not name the conversation", f)
				}
			}
			if report.Texts != 0 {
				t.Errorf("%d texts are counted", report.Texts)
			}
		})
	}
}

// hashOf returns the hash at the end of a line.
func hashOf(text []byte) string {
	_, hash, _ := bytes.Cut(text, []byte(`,"hash":"`))
	return string(bytes.TrimSuffix(hash, []byte(`"}`)))
}

// TestOneConversation: the others are neither looked at nor counted, and a text of the same log is not, either.
func TestOneConversation(t *testing.T) {
	w, c := talked(t, 3, false)
	other := stop()
	w.talk(t, &other, noon, 0)
	text, _ := lived(t, 2)
	w.lines = append(w.lines, text.lines...)
	options := auditlog.Options{Chain: auditlog.ChainOf(c.ID), HeadsAt: noon.Add(24 * time.Hour)}
	if report := w.verifyAs(t, true, options); !report.Sound() || report.Entries != 3 || report.Conversations != 1 || report.Texts != 0 {
		t.Errorf("report %+v", report)
	}
	if all := w.verifyAs(t, true, auditlog.Options{HeadsAt: noon.Add(24 * time.Hour)}); all.Conversations != 2 || all.Texts != 1 {
		t.Errorf("report of all %+v", all)
	}
}

// TestReadingAConversationFromSomeTimeOn: what is older than the lines is no finding, whenever the conversation began.
func TestReadingAConversationFromSomeTimeOn(t *testing.T) {
	w, _ := talked(t, 4, false)
	options := auditlog.Options{From: noon.Add(2 * time.Hour), HeadsAt: noon.Add(24 * time.Hour)}
	if report := w.verifyAs(t, true, options); !report.Sound() || report.Partial != 1 || report.Entries != 2 {
		t.Errorf("report %+v", report)
	}
}

// TestConversationBegunMeanwhile: the table is asked again about those that it did not have before the log was read.
func TestConversationBegunMeanwhile(t *testing.T) {
	w, c := talked(t, 1, false)
	v := auditlog.NewVerifier(auditlog.Options{HeadsAt: noon.Add(-time.Minute)})
	for _, line := range w.lines {
		v.Add(line)
	}
	asked := ""
	gone, err := v.Ask(t.Context(), func(_ context.Context, name string) (auditlog.Head, error) {
		asked = name
		return w.heads[name], nil
	})
	if report := v.Report(); err != nil || gone != 0 || asked != auditlog.ChainOf(c.ID) || !report.Sound() || report.Conversations != 1 {
		t.Errorf("asked for %q, %d gone, error %v, report %+v", asked, gone, err, report)
	}
}
