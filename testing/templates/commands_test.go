package templates

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// commandRules are what a command on the pages needs besides its name, and why. A rule that needs nothing forbids the command.
func commandRules() []struct{ command, needs, why string } {
	return []struct{ command, needs, why string }{
		{"sqs start-message-move-task", "--destination-arn", "letters that were sent, and not moved, have no way back: the task ends FAILED"},
		{"secretsmanager create-secret", "--type Twilio", "rotation can be switched on for a secret of a managed type alone"},
		{"sam build", "--build-in-source", "a copy has no history, and the functions do not know their commit"},
		{"sam deploy --parameter-overrides", "", "the next plain sam deploy goes back to samconfig.toml"},
	}
}

// aCommand finds a command in a page: a line of a block, with the lines that it goes on in, or what is between backquotes with a flag.
var aCommand = regexp.MustCompile("(?m)^ *(aws|sam) (?:.*\\\\\n)*.*$|`(?:aws|sam) [^`]*--[^`]+`|\\| *\n *aws .*$")

func wrongCommands(page string) []string {
	var wrong []string
	for _, command := range aCommand.FindAllString(page, -1) {
		for _, rule := range commandRules() {
			if strings.Contains(command, rule.command) && (rule.needs == "" || !strings.Contains(command, rule.needs)) {
				wrong = append(wrong, strings.TrimSpace(command)+": "+rule.why)
			}
		}
	}
	return wrong
}

func TestCommandsOfThePagesDoWhatIsSaid(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(pages, filepath.Join(root, "README.md")) {
		page, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, wrong := range wrongCommands(string(page)) {
			t.Errorf("%s: %s", filepath.Base(path), wrong)
		}
	}
	for _, mistake := range []string{
		"aws sqs start-message-move-task --source-arn ARN", "with `aws sqs start-message-move-task --source-arn ARN`.",
		"printf x |\n  aws secretsmanager create-secret --name x", "sam deploy --parameter-overrides SeedBucket=x", "sam build",
	} {
		if len(wrongCommands(mistake)) != 1 {
			t.Errorf("%q is not found", mistake)
		}
	}
}

// TestTheQuotaComesFirst: the first deploy is refused for the account's quota more often than for anything else.
func TestTheQuotaComesFirst(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	asked, deploys := strings.Index(string(page), "aws lambda get-account-settings"), strings.Index(string(page), "sam deploy --guided")
	if asked < 0 || deploys < asked {
		t.Error("README.md deploys before it looks at the account's quota")
	}
}
