package auditlog

// The kinds of findings.
const (
	// KindGap is a missing entry.
	KindGap = "gap"
	// KindEdit is a line that is not as it was written, or a second entry under the same id.
	KindEdit = "edit"
	// KindOrder is an entry that comes before an earlier entry of the same text or conversation.
	KindOrder = "order"
	// KindUnsealed is a change of a record that the relay did not make.
	KindUnsealed = "unsealed"
	// KindBehind is a record that is older than the log says: its table was set back.
	KindBehind = "behind"
)

// Kinds lists the kinds of findings.
func Kinds() []string { return []string{KindGap, KindEdit, KindOrder, KindUnsealed, KindBehind} }

// MaxFindings is how many findings a Report lists; it only counts the others.
const MaxFindings = 1000

// Finding is one thing that is wrong with a log.
type Finding struct {
	Kind string `json:"kind"`
	// MessageSid is the text, ConversationID the conversation; both are absent if that is not known. ID is the entry.
	MessageSid     string `json:"message_sid,omitempty"`
	ConversationID string `json:"conversation_id,omitempty"`
	ID             string `json:"id,omitempty"`
	// Line is the entry's place among the lines passed in, from 1; 0 if the entry is missing.
	Line int `json:"line,omitempty"`
	// Detail says what is wrong, in words.
	Detail string `json:"detail"`
}

// Report is what a Verifier found.
type Report struct {
	// Entries counts the different entries, Texts and Conversations the texts and the conversations they are about.
	Entries       int `json:"entries"`
	Texts         int `json:"texts"`
	Conversations int `json:"conversations"`
	// Duplicates counts repeated lines. A log holds each entry at least once, so repeated lines are not a finding.
	Duplicates int `json:"duplicates"`
	// SetAside counts the changes from which no entry could be made. Each leaves a gap.
	SetAside int `json:"set_aside"`
	// WithoutHash counts the entries that an older version of the relay wrote without a hash: only their versions are checked.
	WithoutHash int `json:"without_hash"`
	// Partial counts the texts and conversations whose first entries are older than the lines checked. Pending counts those whose
	// latest change may not have reached the log yet. Both are checked as far as the lines go.
	Partial int `json:"partial"`
	Pending int `json:"pending"`
	// Torn counts last lines whose end is missing. They are not checked; the ledger shows whether an entry is missing.
	Torn int `json:"torn"`
	// Heads is whether the ledger and the conversations' table were asked. Without it, nobody can see that the end of the log was cut off.
	Heads bool `json:"heads"`
	// Problems counts the findings by kind; Findings are the first of them.
	Problems map[string]int `json:"problems"`
	Findings []Finding      `json:"findings"`
}

// Sound reports whether nothing was found.
func (r Report) Sound() bool { return len(r.Problems) == 0 }

func (r *Report) add(f Finding) {
	r.Problems[f.Kind]++
	if len(r.Findings) < MaxFindings {
		r.Findings = append(r.Findings, f)
	}
}
