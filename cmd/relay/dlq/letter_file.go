package dlq

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/deadletters"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
)

// keptLetter is a dropped letter in a file: everything that is needed to put it back. It holds what the customer wrote.
type keptLetter struct {
	DroppedAt time.Time `json:"dropped_at"`
	DroppedBy string    `json:"dropped_by"`
	Because   string    `json:"because"`
	// State is the text's in the ledger when the letter was dropped.
	MessageSid string            `json:"message_sid,omitempty"`
	State      ledger.State      `json:"state,omitempty"`
	LetterID   string            `json:"letter_id"`
	SentAt     time.Time         `json:"sent_at"`
	Group      string            `json:"group"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Body       string            `json:"body"`
}

// outgoing is the letter for the dead-letter queue it came from. That queue may still know it from an earlier restore.
func (k keptLetter) outgoing(now time.Time) queue.Outgoing {
	id := "restore." + k.LetterID + "." + strconv.FormatInt(now.UnixMilli(), 36)
	return queue.Outgoing{Group: k.Group, DeduplicationID: id, Body: k.Body, Attributes: k.Attributes}
}

// letterFile keeps dropped letters. The first letter makes the file, and only its owner may read it.
type letterFile struct {
	path, by, because string
	now               func() time.Time

	file *os.File
}

// save adds one letter, and returns when it is on the disk.
func (f *letterFile) save(l deadletters.Letter) error {
	if f.file == nil {
		file, err := os.OpenFile(f.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		f.file = file
	}
	line, err := json.Marshal(keptLetter{
		DroppedAt: f.now().UTC(), DroppedBy: f.by, Because: f.because, MessageSid: l.Envelope.RelayID, State: l.Record.State,
		LetterID: l.MessageID, SentAt: l.SentAt, Group: l.Group, Attributes: l.Attributes, Body: l.Body,
	})
	if err != nil {
		return err
	}
	if _, err := f.file.Write(append(line, '\n')); err != nil {
		return err
	}
	return f.file.Sync()
}

func (f *letterFile) close() error {
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}

// readLetterFile reads a file that save wrote. If one line cannot be read, no letter of the file is put back.
func readLetterFile(file io.Reader) ([]keptLetter, error) {
	var kept []keptLetter
	lines := bufio.NewReader(file)
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var k keptLetter
			if err := json.Unmarshal(line, &k); err != nil || k.Body == "" || k.Group == "" || k.LetterID == "" {
				return nil, fmt.Errorf("line %d is not a letter that relay dlq drop wrote", number)
			}
			kept = append(kept, k)
		}
		if errors.Is(err, io.EOF) {
			return kept, nil
		}
		if err != nil {
			return nil, err
		}
	}
}
