package backups

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/duration"
	"quickdumpnow.com/smsrelay/shared/onehost/durable"
)

// ReplicaState is how it stands with the replica of a data folder. It is kept in the folder, so that everybody can see it. Times are UTC.
type ReplicaState struct {
	// To is where the replica is; empty if relay serve keeps none. ID is which one it is there.
	To string `json:"to"`
	ID string `json:"id,omitempty"`
	// Since is when relay serve began to keep it, or went on with it.
	Since time.Time `json:"since"`
	// Last is the moment whose state the replica has, zero if it has none. relay serve knows it to the second; here it is half a minute
	// older at most.
	Last time.Time `json:"last"`
	// Failure is why the latest try failed, empty if it did not.
	Failure string `json:"failure,omitempty"`
	// StoppedAt is when relay serve stopped and had copied everything; zero while it runs.
	StoppedAt time.Time `json:"stopped_at,omitzero"`
}

// replicaLate is how old a replica may be.
const replicaLate = 2 * time.Minute

// Age is how old the replica is, or how long it has been coming; 0 if there is none.
func (s ReplicaState) Age(now time.Time) time.Duration {
	switch {
	case s.To == "":
		return 0
	case s.Last.IsZero():
		return now.Sub(s.Since)
	default:
		return now.Sub(s.Last)
	}
}

// Problem says what is wrong with the replica, in words for people; empty if nothing is. A place that does not answer for a moment is no
// problem.
func (s ReplicaState) Problem(now time.Time) string {
	age := s.Age(now)
	if age <= replicaLate || !s.StoppedAt.IsZero() {
		return ""
	}
	problem := fmt.Sprintf("the replica in %s is %s old", s.To, duration.Text(age.Round(time.Second)))
	if s.Last.IsZero() {
		problem = fmt.Sprintf("there is no replica in %s yet, after %s", s.To, duration.Text(age.Round(time.Second)))
	}
	if s.Failure != "" {
		problem += ": " + s.Failure
	}
	return problem
}

// ReadReplicaState reads the state of a folder; found is false if relay serve never kept a replica of it.
func ReadReplicaState(data string) (s ReplicaState, found bool, err error) {
	found, err = durable.ReadJSON(filepath.Join(data, datafolder.ReplicaFile), &s)
	return s, found, err
}

// DropReplicaState removes what was not copied to a replica yet, because there is none any more: it has what customers wrote.
func DropReplicaState(data string) error {
	return os.RemoveAll(filepath.Join(data, datafolder.ReplicaFolder))
}

// Write keeps the state in the folder. It does not wait for the disk: after a power cut the state of before is as good.
func (s ReplicaState) Write(data string) error {
	disk := durable.Disk{Sync: func(*os.File) error { return nil }}
	return disk.WriteJSON(filepath.Join(data, datafolder.ReplicaFile), s)
}
