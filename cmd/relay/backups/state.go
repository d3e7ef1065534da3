package backups

import (
	"fmt"
	"path/filepath"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/duration"
	"quickdumpnow.com/smsrelay/shared/onehost/durable"
)

// State is how it stands with the backups of a data folder. It is kept in the folder, so that everybody can see it. Times are UTC.
type State struct {
	// To is where the backups go, Every how often relay serve makes one; zero if it makes none.
	To    string        `json:"to"`
	Every time.Duration `json:"every_ns"`
	// Since is when relay serve began to make them.
	Since time.Time `json:"since"`
	// Last is when the newest backup was taken, zero if there is none.
	Last time.Time `json:"last"`
	// Failure is why the latest try made none, empty if it did, and FailedAt when that was.
	Failure  string    `json:"failure,omitempty"`
	FailedAt time.Time `json:"failed_at,omitzero"`
	// Unsound is set if the copied audit log of the newest backup was found to be wrong.
	Unsound bool `json:"unsound,omitempty"`
}

// lateAfter is how many intervals may pass without a backup.
const lateAfter = 2

// Problem says what is wrong with the backups, in words for people; empty if nothing is. A first try that is not due yet is no problem.
func (s State) Problem(now time.Time) string {
	last := s.Last
	if last.IsZero() {
		last = s.Since
	}
	age := now.Sub(last)
	switch {
	case s.Every <= 0:
		return ""
	case s.Failure != "":
		return fmt.Sprintf("the backup to %s failed at %s: %s%s", s.To, s.FailedAt.Format(time.RFC3339), s.Failure, s.newest())
	case age > lateAfter*s.Every:
		return fmt.Sprintf("the backup to %s is late: it should be made every %s%s", s.To, duration.Text(s.Every), s.newest())
	default:
		return ""
	}
}

func (s State) newest() string {
	if s.Last.IsZero() {
		return "; there is none yet"
	}
	return "; the newest is of " + s.Last.Format(time.RFC3339)
}

// ReadState reads the state of a folder; found is false if no backup of it was ever tried.
func ReadState(data string) (s State, found bool, err error) {
	found, err = durable.ReadJSON(filepath.Join(data, datafolder.BackupFile), &s)
	return s, found, err
}

// Write keeps the state in the folder.
func (s State) Write(data string, disk durable.Disk) error {
	return disk.WriteJSON(filepath.Join(data, datafolder.BackupFile), s)
}
