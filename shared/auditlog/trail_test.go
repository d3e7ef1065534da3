package auditlog_test

import (
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
)

// TestInOrder: the versions say in which order a record changed, whatever the clocks say; what operators did stands where it was done.
func TestInOrder(t *testing.T) {
	t.Parallel()
	at := func(id string, version int64, second int) auditlog.Entry {
		return auditlog.Entry{ID: id, Version: version, MessageSid: "SM1", Time: time.Date(2026, 11, 30, 12, 0, second, 0, time.UTC)}
	}
	found := []auditlog.Entry{
		at("action:redrive", 0, 30), at("SM1.3", 3, 31), at("SM1.2", 2, 9), at("action:redrive", 0, 30), at("SM1.1", 1, 10),
		at("action:reply", 0, 5), at("action:late", 0, 60),
	}
	var got []string
	for _, e := range auditlog.InOrder(found, func(e auditlog.Entry) auditlog.Entry { return e }) {
		got = append(got, e.ID)
		if e.IsAbout("SM1") != e.IsDeed() {
			t.Errorf("%s is about SM1: %t", e.ID, e.IsAbout("SM1"))
		}
	}
	want := "action:reply SM1.1 SM1.2 action:redrive action:redrive SM1.3 action:late"
	if strings.Join(got, " ") != want {
		t.Errorf("the order is %v, want %s", got, want)
	}
}
