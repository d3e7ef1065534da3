package auditlog

// The kinds of findings.
const (
	// KindGap is an entry that should be there and is not.
	KindGap = "gap"
	// KindEdit is a line that is not as it was written, or a second entry under the same id.
	KindEdit = "edit"
	// KindOrder is an entry that stands before one of the same text that was written earlier.
	KindOrder = "order"
	// KindUnsealed is a change of a record past the relay.
	KindUnsealed = "unsealed"
	// KindBehind is a record that is older than the log says: the ledger was set back.
	KindBehind = "behind"
)

// Kinds lists the kinds of findings.
func Kinds() []string { return []string{KindGap, KindEdit, KindOrder, KindUnsealed, KindBehind} }

// MaxFindings is how many findings a Report holds one by one; the others it only counts.
const MaxFindings = 1000

// Finding is one thing that is wrong with a log.
type Finding struct {
	Kind string `json:"kind"`
	// MessageSid is the text, absent where that is not known, and ID the entry.
	MessageSid string `json:"message_sid,omitempty"`
	ID         string `json:"id,omitempty"`
	// Line is where the entry stands among the lines handed in, from 1; 0 of one that is not there.
	Line int `json:"line,omitempty"`
	// Detail says what is wrong, in words.
	Detail string `json:"detail"`
}

// Report is what a Verifier found.
type Report struct {
	// Entries counts the different entries, Texts the texts that they tell of.
	Entries int `json:"entries"`
	Texts   int `json:"texts"`
	// Duplicates counts lines that stand more than once. A log holds each entry at least once, so that they are no finding.
	Duplicates int `json:"duplicates"`
	// SetAside counts the changes that no entry could be made of, each of which leaves a gap.
	SetAside int `json:"set_aside"`
	// WithoutHash counts the entries that an older version of the relay left without one: only their versions are looked at.
	WithoutHash int `json:"without_hash"`
	// Partial counts the texts whose beginning is older than the lines looked at, Pending those whose latest change the log
	// may not have heard of yet. Both are held together as far as the lines go.
	Partial int `json:"partial"`
	Pending int `json:"pending"`
	// Torn counts last lines whose end is missing. They are not looked at: whether an entry is missing, the ledger says.
	Torn int `json:"torn"`
	// Heads is whether the ledger was asked. Without it, nothing tells of a tail that was cut off.
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
