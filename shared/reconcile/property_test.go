package reconcile_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/reconcile"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// assignments calls yield with every way in which the messages may have been made by the POSTs: each message by one POST
// that could have, no POST two. by[i] is the POST of message i, POST 0 is the one in question.
func assignments(messages []sms.Listed, posts []time.Time, yield func(by []int)) {
	by := make([]int, len(messages))
	taken := make([]bool, len(posts))
	var assign func(i int)
	assign = func(i int) {
		if i == len(messages) {
			yield(by)
			return
		}
		for p, startedAt := range posts {
			from, to := reconcile.Window(startedAt, span, 0)
			created := messages[i].DateCreated
			if taken[p] || created.Before(from.Truncate(time.Second)) || created.After(to) {
				continue
			}
			by[i], taken[p] = p, true
			assign(i + 1)
			taken[p] = false
		}
	}
	assign(0)
}

// draw draws when POSTs of the same words began, and messages of those words on the list. Most lie close together.
func draw(t *rapid.T) (posts []time.Time, messages []sms.Listed) {
	within := rapid.SampledFrom([]int{3, 30, 150}).Draw(t, "within")
	for _, ms := range rapid.SliceOfNDistinct(rapid.IntRange(-1000*within, 1000*within), 1, 5, rapid.ID).Draw(t, "posts") {
		posts = append(posts, noon.Add(time.Duration(ms)*time.Millisecond))
	}
	for i := range rapid.IntRange(0, 5).Draw(t, "messages") {
		messages = append(messages, listed(fmt.Sprint(i), time.Duration(rapid.IntRange(-within-35, within+95).Draw(t, "created"))*time.Second))
	}
	return posts, messages
}

// about is the question about the nth POST. The others are its rivals.
func about(nth int, posts []time.Time, messages []sms.Listed) reconcile.Question {
	return reconcile.Question{
		Message: sms.Outbound{From: number, To: phone, Body: words}, StartedAt: posts[nth], Span: span, Listed: messages,
		Rivals: slices.Delete(slices.Clone(posts), nth, nth+1),
	}
}

// What Find says holds in every way in which the messages can have come about. The message is one that the POST can have
// made if messages were made in the order of the POSTs. Ambiguous is allowed to be said too often: how often is not tested.
func TestFindAgainstEveryAssignment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		posts, messages := draw(t)
		found, verdict := reconcile.Find(about(0, posts, messages))
		with, without, inOrder := 0, 0, map[string]bool{}
		assignments(messages, posts, func(by []int) {
			i := slices.Index(by, 0)
			if i < 0 {
				without++
				return
			}
			with++
			if ordered(by, posts, messages) {
				inOrder[messages[i].Sid] = true
			}
		})
		switch {
		case with+without == 0:
			// There is a message that nobody here has made.
		case verdict == reconcile.Present && without > 0:
			t.Errorf("present, though the POST may have made none")
		case verdict == reconcile.Absent && with > 0:
			t.Errorf("absent, though the POST may have made one")
		case verdict == reconcile.Ambiguous && with == 0:
			t.Errorf("ambiguous, though the POST has made none")
		case verdict == reconcile.Present && len(inOrder) > 0 && !inOrder[found.Sid]:
			t.Errorf("found %s; in order it would be one of %v", found.Sid, inOrder)
		}
	})
}

// ordered reports whether the messages were made in the order of their POSTs.
func ordered(by []int, posts []time.Time, messages []sms.Listed) bool {
	for a := range by {
		for b := range by {
			if messages[a].DateCreated.Before(messages[b].DateCreated) && posts[by[a]].After(posts[by[b]]) {
				return false
			}
		}
	}
	return true
}

// Each of several lost POSTs asks for itself: no two of them find the same message.
func TestNoMessageIsFoundTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		posts, messages := draw(t)
		finders := map[string]int{}
		for i := range posts {
			found, verdict := reconcile.Find(about(i, posts, messages))
			if verdict != reconcile.Present {
				continue
			}
			if other, ok := finders[found.Sid]; ok {
				t.Errorf("POSTs %d and %d both find %s", other, i, found.Sid)
			}
			finders[found.Sid] = i
		}
	})
}

// They ask one after the other, and what one has found is known to the next: what is left of the messages can still have been
// made by the POSTs that are left.
func TestFindOneAfterTheOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		posts, messages := draw(t)
		known, open := map[string]bool{}, slices.Clone(posts)
		for _, startedAt := range posts {
			before := possible(messages, known, open)
			q := about(slices.Index(open, startedAt), open, messages)
			q.Known = known
			found, verdict := reconcile.Find(q)
			if verdict != reconcile.Present {
				continue
			}
			known[found.Sid] = true
			open = slices.DeleteFunc(open, startedAt.Equal)
			if before && !possible(messages, known, open) {
				t.Fatalf("once %s is taken, nobody can have made the rest", found.Sid)
			}
		}
	})
}

// possible reports whether the messages that are not known can all have been made by the POSTs.
func possible(messages []sms.Listed, known map[string]bool, posts []time.Time) bool {
	unknown := slices.DeleteFunc(slices.Clone(messages), func(m sms.Listed) bool { return known[m.Sid] })
	found := false
	assignments(unknown, posts, func([]int) { found = true })
	return found
}

// The order in which Twilio lists, and the ledger names rivals, means nothing, and neither does a message that is there twice.
func TestFindIsTheSameInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		posts, messages := draw(t)
		q := about(0, posts, messages)
		found, verdict := reconcile.Find(q)
		q.Listed = rapid.Permutation(slices.Concat(messages, messages)).Draw(t, "listed")
		q.Rivals = rapid.Permutation(q.Rivals).Draw(t, "rivals")
		if again, other := reconcile.Find(q); again != found || other != verdict {
			t.Errorf("%s, %v; in another order %s, %v", found.Sid, verdict, again.Sid, other)
		}
	})
}
