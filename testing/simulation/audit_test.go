package simulation_test

import (
	"encoding/json"
	"fmt"
	"strings"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// checkAudit holds the audit log against the ledger's changes.
func (s *schedule) checkAudit() {
	kept := map[string]bool{}
	for _, line := range s.audit.Lines() {
		var e auditlog.Entry
		if err := json.Unmarshal(line.Text, &e); err != nil {
			s.violated("audit line: %v", err)
		}
		kept[strings.TrimSpace(e.ID+" "+e.From+" "+e.To)] = true
	}
	before := map[string]ledger.State{}
	for _, c := range s.changes {
		r := c.record
		want := fmt.Sprintf("%s.%d %s %s", r.MessageSid, r.Version, before[r.MessageSid], r.State)
		before[r.MessageSid] = r.State
		if !kept[want] {
			s.violated("audit log lacks %s", want)
		}
		delete(kept, want)
	}
	if s.Names > 0 {
		for _, c := range s.known {
			want := auditlog.ID(auditlog.ChainOf(c.ID), c.Version, auditlog.ChangeChanged)
			if !kept[want] {
				s.violated("audit log lacks %s", want)
			}
			delete(kept, want)
		}
	}
	for extra := range kept {
		s.violated("audit log has %s, which did not happen", extra)
	}
	s.checkChain()
}

// checkChain verifies the hash chains of the audit log against the ledger and the conversations, as relay audit verify does.
func (s *schedule) checkChain() {
	v := auditlog.NewVerifier(auditlog.Options{Ordered: true})
	last := map[string]ledger.Record{}
	for _, c := range s.changes {
		last[c.record.MessageSid] = c.record
	}
	for sid, r := range last {
		v.Expect(sid, auditlog.Head{Version: r.Version, Seal: r.Seal})
	}
	if s.Names > 0 {
		for _, c := range s.known {
			v.Expect(auditlog.ChainOf(c.ID), auditlog.Head{Version: c.Version, Seal: c.Seal})
		}
	}
	for _, line := range s.audit.Lines() {
		v.Add(line)
	}
	report := v.Report()
	for _, f := range report.Findings {
		s.violated("audit log does not verify: %+v", f)
	}
	if report.WithoutHash > 0 {
		s.violated("%d entries have no hash", report.WithoutHash)
	}
}
