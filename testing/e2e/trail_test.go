//go:build unix

package e2e

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// entries reads the whole audit log, one entry of each id, in order of version, by text.
func (s *stage) entries() map[string][]auditlog.Entry {
	s.t.Helper()
	client := cloudwatchlogs.NewFromConfig(s.host.Direct("logs"))
	group := s.host.Name("AuditLogGroup")
	trails, seen := map[string][]auditlog.Entry{}, map[string]bool{}
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(client, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group})
	for pages.HasMorePages() {
		page, err := pages.NextPage(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		for _, event := range page.Events {
			var e auditlog.Entry
			if err := json.Unmarshal([]byte(*event.Message), &e); err != nil {
				s.t.Fatal(err)
			}
			if !seen[e.ID] {
				seen[e.ID] = true
				trails[e.MessageSid] = append(trails[e.MessageSid], e)
			}
		}
	}
	for _, trail := range trails {
		slices.SortFunc(trail, func(a, b auditlog.Entry) int { return int(a.Version - b.Version) })
	}
	return trails
}

// checkTrails wants a trail without gaps for each text, which ends where the ledger's record is now.
func (s *stage) checkTrails(sids []string) {
	s.t.Helper()
	var trails map[string][]auditlog.Entry
	// A receipt may still change a record later on.
	records := map[string]ledger.Record{}
	s.until("the audit log has every change", time.Minute, func() bool {
		trails = s.entries()
		for _, sid := range sids {
			records[sid] = s.record(sid)
			if int64(len(trails[sid])) != records[sid].Version {
				return false
			}
		}
		return true
	})
	for _, sid := range sids {
		r := records[sid]
		for i, e := range trails[sid] {
			if e.Version != int64(i+1) || (i > 0 && e.From != trails[sid][i-1].To) {
				s.t.Errorf("the trail of %s has a gap at version %d", sid, e.Version)
			}
		}
		if last := trails[sid][len(trails[sid])-1]; last.To != string(r.State) {
			s.t.Errorf("the trail of %s ends as %q, the record is %q", sid, last.To, r.State)
		}
	}
}
