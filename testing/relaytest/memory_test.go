package relaytest

import (
	"testing"
	"testing/synctest"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/route"
)

func openMemoryQueue(t *testing.T, o QueueOptions) QueueUnderTest {
	t.Helper()
	q := NewMemoryQueue(o, time.Now)
	return QueueUnderTest{Sender: q, Receiver: q, Dead: q.Dead}
}

func openMemoryLedger(t *testing.T) LedgerUnderTest {
	t.Helper()
	l := &MemoryLedger{}
	return LedgerUnderTest{Store: l, Lister: l}
}

func openMemoryRoutes(t *testing.T) route.Table {
	t.Helper()
	return &MemoryRoutes{}
}

func openMemoryAuditLog(t *testing.T) (auditlog.Log, func(t *testing.T) []auditlog.Line) {
	t.Helper()
	l := &MemoryAuditLog{}
	return l, func(*testing.T) []auditlog.Line { return l.Lines() }
}

func TestMemoryQueue(t *testing.T) { TestQueue(t, openMemoryQueue) }

func TestMemoryLedger(t *testing.T) { TestLedger(t, openMemoryLedger) }

func TestMemoryConversations(t *testing.T) {
	TestConversations(t, func(*testing.T) ConversationsUnderTest { return &MemoryConversations{} })
}

func TestMemoryMedia(t *testing.T) {
	TestMedia(t, func(_ *testing.T, now func() time.Time) media.Store { return &MemoryMedia{Now: now} })
}

func TestMemoryRoutes(t *testing.T) { TestRoutes(t, openMemoryRoutes) }

func TestMemoryUnreadableRoute(t *testing.T) {
	TestUnreadableRoute(t, func(*testing.T) (route.Table, Spoil) {
		m := &MemoryRoutes{}
		return m, m.Spoil
	})
}

func TestMemoryTrail(t *testing.T) {
	TestTrail(t, func(*testing.T) (auditlog.Log, auditlog.Trail) {
		log := &MemoryAuditLog{}
		return log, log
	})
}

func TestMemoryAuditLog(t *testing.T) { TestAuditLog(t, openMemoryAuditLog) }

// A fake that left a goroutine or a timer behind would deadlock its bubble.
func TestMemoryQueueInABubble(t *testing.T) {
	for _, tt := range queueTests() {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { tt.run(queueTest{t, openMemoryQueue(t, tt.options)}) })
		})
	}
}

func TestMemoryLedgerInABubble(t *testing.T) {
	for _, tt := range ledgerTests() {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { tt.run(ledgerTest{t, openMemoryLedger(t)}) })
		})
	}
}
