package audit_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// shelf is where changes are set aside. While full, it takes none.
type shelf struct {
	kept map[string]string
	full bool
}

func (s *shelf) put(_ context.Context, name string, change []byte) error {
	if s.full {
		return errors.New("no room")
	}
	s.kept[name] = string(change)
	return nil
}

func withShelf(log auditlog.Log) (stage, *shelf) {
	s, aside := newStage(log), &shelf{kept: map[string]string{}}
	s.SetAside = aside.put
	return s, aside
}

// poisoned is a batch whose third change is unreadable.
func poisoned() []events.DynamoDBEventRecord {
	batch := slices.Concat(changes(0, life(1, noon)), changes(3, life(2, noon))[:2])
	batch[2] = unreadable(2)
	return batch
}

// TestUnreadableChangeHoldsUpNoOther: it is kept whole, and an entry says where.
func TestUnreadableChangeHoldsUpNoOther(t *testing.T) {
	s, aside := withShelf(nil)
	if failed := s.handle(t, poisoned()...); failed != "" {
		t.Fatalf("change %s is named as failed", failed)
	}
	entries := s.entries(t)
	if len(entries) != 5 || len(aside.kept) != 1 {
		t.Fatalf("%d entries are kept and %d changes set aside, want 5 and 1", len(entries), len(aside.kept))
	}
	poison := entries[2]
	kept := aside.kept[poison.Object]
	var whole events.DynamoDBEventRecord
	if err := json.Unmarshal([]byte(kept), &whole); err != nil || whole.Change.SequenceNumber != unreadable(2).Change.SequenceNumber ||
		len(whole.Change.NewImage) == 0 {
		t.Errorf("set aside is %s, %v", kept, err)
	}
	if poison.Subject != auditlog.SubjectUnreadable || poison.MessageSid != "" {
		t.Errorf("the entry is %+v", poison)
	}
	if !strings.Contains(s.emitted.String(), `"AuditSetAside":1`) {
		t.Errorf("it is not counted: %s", s.emitted)
	}
	s.handle(t, poisoned()...)
	if ids := s.ids(t); ids[2] != ids[7] {
		t.Errorf("coming again, its entry is %s, was %s", ids[7], ids[2])
	}
}

// TestUnreadableChangeIsNotLost: where it cannot be set aside, it is named, and comes again.
func TestUnreadableChangeIsNotLost(t *testing.T) {
	s, aside := withShelf(nil)
	aside.full = true
	if failed := s.handle(t, poisoned()...); failed != poisoned()[2].Change.SequenceNumber {
		t.Errorf("change %q is named, want the unreadable one", failed)
	}
	if n := len(s.entries(t)); n != 2 {
		t.Errorf("%d entries are kept, want those before it", n)
	}
}

// picky is a log that never takes the lines that hold a text.
type picky struct {
	*relaytest.MemoryAuditLog

	against string
}

func (p picky) Append(ctx context.Context, lines []auditlog.Line) error {
	bad := slices.IndexFunc(lines, func(line auditlog.Line) bool { return strings.Contains(string(line.Text), p.against) })
	if bad < 0 {
		return p.MemoryAuditLog.Append(ctx, lines)
	}
	if err := p.MemoryAuditLog.Append(ctx, lines[:bad]); err != nil {
		return err
	}
	return &auditlog.IncompleteError{Kept: bad, Err: &fault.Error{Kind: fault.Permanent, Err: errors.New("too old")}}
}

// TestEntryThatTheLogNeverTakes is set aside as an unreadable change is; one that it does not take now is not.
func TestEntryThatTheLogNeverTakes(t *testing.T) {
	batch := slices.Concat(changes(0, life(1, noon)), changes(3, life(2, noon))[:1])
	log := picky{MemoryAuditLog: &relaytest.MemoryAuditLog{}, against: `"id":"` + idsOf(life(1, noon))[1] + `"`}
	s, aside := withShelf(log)
	s.log = log.MemoryAuditLog
	s.clock.Advance(15 * 24 * time.Hour)
	if failed := s.handle(t, batch...); failed != "" {
		t.Fatalf("change %s is named as failed", failed)
	}
	entries := s.entries(t)
	if len(entries) != 4 || entries[1].Subject != auditlog.SubjectUnreadable || len(aside.kept) != 1 {
		t.Errorf("kept are %+v, set aside %d", entries, len(aside.kept))
	}
	if now := s.clock.Now(); !entries[1].Time.Equal(now) {
		t.Errorf("its entry is dated %v, want now, %v: dated like the change, it would not be taken either", entries[1].Time, now)
	}
	everything := picky{MemoryAuditLog: &relaytest.MemoryAuditLog{}, against: `"id"`}
	s, _ = withShelf(everything)
	if failed := s.handle(t, batch...); failed != batch[0].Change.SequenceNumber {
		t.Errorf("a log that takes nothing at all: change %q is named, want the first", failed)
	}
}

// sweeping is a picky log that refuses a call whole, and does not say for which line.
type sweeping struct{ picky }

func (s sweeping) Append(ctx context.Context, lines []auditlog.Line) error {
	err := s.picky.Append(ctx, lines)
	if incomplete, ok := errors.AsType[*auditlog.IncompleteError](err); ok {
		return &auditlog.IncompleteError{Err: incomplete.Err}
	}
	return err
}

// TestOnlyTheCulpritIsSetAside where the log does not say which line it is.
func TestOnlyTheCulpritIsSetAside(t *testing.T) {
	batch := slices.Concat(changes(0, life(1, noon)), changes(3, life(2, noon)))
	for i, culprit := range slices.Concat(idsOf(life(1, noon)), idsOf(life(2, noon))) {
		log := picky{MemoryAuditLog: &relaytest.MemoryAuditLog{}, against: `"id":"` + culprit + `"`}
		s, aside := withShelf(sweeping{log})
		s.log = log.MemoryAuditLog
		if failed := s.handle(t, batch...); failed != "" {
			t.Fatalf("change %s is named as failed", failed)
		}
		missing, unreadable := true, 0
		for _, entry := range s.entries(t) {
			missing = missing && entry.ID != culprit
			if entry.Subject == auditlog.SubjectUnreadable {
				unreadable++
			}
		}
		if len(aside.kept) != 1 || unreadable == 0 || !missing {
			t.Errorf("culprit %d: %d are set aside", i, len(aside.kept))
		}
	}
}
