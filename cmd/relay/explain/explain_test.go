package explain

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/retry"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

func TestExplainKnowsEveryState(t *testing.T) {
	for _, state := range ledger.States() {
		e, err := findState(string(state))
		if err != nil || !e.Known || e.Meaning == "" || e.Advice == "" {
			t.Errorf("state %s is explained as %+v, %v", state, e, err)
		}
		// An operator moves on a text that is dead or reached nobody, and nothing else does.
		if moves := e.next() != "nothing (final)"; moves != (!state.Final() || state == ledger.Dead || state.Resendable()) {
			t.Errorf("state %s may become %s", state, e.next())
		}
	}
}

// The reasons have no list in the ledger: its source does.
func TestExplainKnowsEveryReason(t *testing.T) {
	declared := reasonsOf(t, "../../../shared/ledger/state.go")
	var explained []string
	for _, e := range allReasons() {
		explained = append(explained, e.Name)
		if e.Meaning == "" || e.Advice == "" {
			t.Errorf("reason %s is explained as %+v", e.Name, e)
		}
		for _, state := range e.Of {
			if !ledger.State(state).Known() {
				t.Errorf("reason %s is said to be given for %s, which is no state", e.Name, state)
			}
		}
	}
	slices.Sort(declared)
	slices.Sort(explained)
	if diff := cmp.Diff(declared, explained); diff != "" {
		t.Errorf("reasons (-declared +explained):\n%s", diff)
	}
}

// reasonsOf returns the values of the constants of type Reason in a Go file.
func reasonsOf(t *testing.T, path string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var reasons []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != "Reason" {
			return true
		}
		for _, value := range spec.Values {
			literal, ok := value.(*ast.BasicLit)
			if !ok {
				t.Fatalf("a reason in %s is no literal", path)
			}
			reasons = append(reasons, strings.Trim(literal.Value, `"`))
		}
		return true
	})
	if len(reasons) < 10 {
		t.Fatalf("%s declares %d reasons: this is not where they are", path, len(reasons))
	}
	return reasons
}

// What is shown is what is done: the answers are those of the table.
func TestExplainedCodesAreTheTables(t *testing.T) {
	codes := twilio.Codes()
	all := allCodes()
	if len(all) != len(codes) {
		t.Fatalf("%d codes are explained, want %d", len(all), len(codes))
	}
	for i, code := range codes {
		e := all[i]
		if e.Name != strconv.Itoa(code.Number) || e.Meaning != code.Meaning || e.Why != code.Why || !e.Known {
			t.Errorf("code %d is explained as %+v", code.Number, e)
		}
		if want := retry.AnswerTo(code.Post).String(); e.Post.Answer != want || e.Post.Kind != code.Post.String() {
			t.Errorf("code %d is answered %+v, want %s to %s", code.Number, e.Post, want, code.Post)
		}
		if want := retry.AnswerTo(code.Receipt).String(); e.Receipt.Answer != want || e.Receipt.Kind != code.Receipt.String() {
			t.Errorf("code %d in a receipt is answered %+v, want %s to %s", code.Number, e.Receipt, want, code.Receipt)
		}
	}
}

// Everything that is listed can be asked for by its name, says where it leaves the text, and fits a terminal.
func TestExplainIsComplete(t *testing.T) {
	for _, s := range subjects() {
		for _, listed := range s.all() {
			e, err := s.find(listed.Name)
			if diff := cmp.Diff(listed, e); diff != "" || err != nil {
				t.Errorf("%s %s (-listed +found): %v\n%s", s.name, listed.Name, err, diff)
			}
			for _, a := range []*answered{e.Taken, e.Post, e.Receipt} {
				if a != nil && (a.Answer == "" || a.Becomes == "") {
					t.Errorf("%s %s leaves the text nowhere: %+v", s.name, e.Name, a)
				}
			}
			var text bytes.Buffer
			if err := e.write(&text); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(text.String()) {
				if len([]rune(strings.TrimSuffix(line, "\n"))) > 80 {
					t.Errorf("%s %s: line of more than 80 columns: %s", s.name, e.Name, line)
				}
			}
			if _, err := json.Marshal(e); err != nil {
				t.Errorf("%s %s: %v", s.name, e.Name, err)
			}
		}
	}
}

func TestExplainNearest(t *testing.T) {
	tests := []struct {
		number int
		want   []string
	}{
		{10000, []string{"10001 (account not active)", "10002 (not for trial accounts)"}},
		{21619, []string{"21618 (body cannot be sent)", "21620 (media URL invalid)"}},
		{30009, []string{"30008 (not delivered, no reason given)", "30007 (filtered by the carrier)"}},
		{99999, []string{"70052 (public key validation required)", "70051 (API key not permitted)"}},
	}
	for _, test := range tests {
		e := explainCode(test.number)
		if diff := cmp.Diff(test.want, e.Nearest); diff != "" || e.Known {
			t.Errorf("nearest to %d (-want +got):\n%s", test.number, diff)
		}
	}
}

func TestExplainCompletes(t *testing.T) {
	codes := subjects()[0]
	names, directive := codes.complete(nil, nil, "2161")
	want := []cobra.Completion{
		"21610\trecipient has opted out", "21611\tsender's queue is full", "21612\tsender cannot reach the recipient",
		"21613\tsender needs an address", "21614\trecipient is not a mobile number", "21616\tsender is several numbers",
		"21617\tbody too long", "21618\tbody cannot be sent",
	}
	if diff := cmp.Diff(want, names); diff != "" || directive != cobra.ShellCompDirectiveNoFileComp {
		t.Errorf("completions (-want +got), %d:\n%s", directive, diff)
	}
	if names, _ := codes.complete(nil, []string{"21610"}, ""); names != nil {
		t.Errorf("a second argument is offered: %q", names)
	}
}

func TestWaitIsWrittenShort(t *testing.T) {
	for seconds, want := range map[int]string{
		1: "1s", 45: "45s", 60: "1m", 90: "1m30s", 600: "10m", 3600: "1h", 7200: "2h", 36000: "10h",
		5400: "1h30m", 3601: "1h0m1s",
	} {
		if got := (answered{RetryAfterSeconds: seconds}).wait(); got != want {
			t.Errorf("%d seconds are %s, want %s", seconds, got, want)
		}
	}
}

func TestWrap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`([a-zäö]{1,20} {1,2}){0,30}`).Draw(t, "text")
		width := rapid.IntRange(1, 40).Draw(t, "width")
		lines := cli.Wrap(text, width)
		if got, want := strings.Fields(strings.Join(lines, " ")), strings.Fields(text); !slices.Equal(got, want) {
			t.Errorf("wrap(%q) has the words %q", text, got)
		}
		for i, line := range lines {
			if len([]rune(line)) > width && strings.Contains(line, " ") {
				t.Errorf("line %q is longer than %d", line, width)
			}
			if i > 0 && len([]rune(lines[i-1]))+1+len([]rune(strings.Fields(line)[0])) <= width {
				t.Errorf("%q would have had room for the start of %q", lines[i-1], line)
			}
		}
	})
}
