package datafolder

import (
	"fmt"
	"path/filepath"
	"time"

	"quickdumpnow.com/smsrelay/shared/onehost/durable"
)

// Exported says in a data folder that its relay has moved to AWS, or is about to: relay serve does not start on the folder then, because
// two relays with the same texts would send them twice. Times are UTC.
type Exported struct {
	// To names the other relay: its region, its ledger's table and its queue.
	To string `json:"to"`
	// By is the operator, Began when he began to move a relay that was stopped.
	By    string    `json:"by"`
	Began time.Time `json:"began"`
	// Items is when all that is kept was there, Done when the messages on the queues were, too; zero before.
	Items time.Time `json:"items,omitzero"`
	Done  time.Time `json:"done,omitzero"`
}

// ReadExported reads the mark of a folder; found is false if its relay has not moved.
func ReadExported(data string) (e Exported, found bool, err error) {
	found, err = durable.ReadJSON(filepath.Join(data, ExportedFile), &e)
	return e, found, err
}

// Write marks the folder.
func (e Exported) Write(data string) error {
	return durable.Disk{}.WriteJSON(filepath.Join(data, ExportedFile), e)
}

// ExportedError is why relay serve does not start on a folder.
type ExportedError struct{ Exported }

func (e ExportedError) Error() string {
	if e.Done.IsZero() {
		return fmt.Sprintf("this relay is being moved to %s, by %s since %s", e.To, e.By, e.Began.Format(time.RFC3339))
	}
	return fmt.Sprintf("this relay has moved to %s, by %s at %s", e.To, e.By, e.Done.Format(time.RFC3339))
}
