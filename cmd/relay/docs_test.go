package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/doctor"
	"quickdumpnow.com/smsrelay/cmd/relay/setup"
)

// pages are what people read.
func pages(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join("..", "..", "docs", "*.md"))
	if err != nil || len(found) == 0 {
		t.Fatalf("%d pages, error %v", len(found), err)
	}
	return append(found, filepath.Join("..", "..", "README.md"))
}

func readPage(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheRunbookHasEachCheck(t *testing.T) {
	page := readPage(t, filepath.Join("..", "..", "docs", "runbook.md"))
	_, table, found := strings.Cut(page, "## What `relay doctor` finds")
	if !found {
		t.Fatal("the runbook has nothing of relay doctor")
	}
	known := map[string]bool{}
	for _, c := range doctor.Checks() {
		known[c.Name] = true
		if strings.Count(table, "\n| `"+c.Name+"` |") != 1 {
			t.Errorf("the runbook does not have %s, once", c.Name)
		}
	}
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (.*) \\| (.*) \\|(.*)\\|$").FindAllStringSubmatch(table, -1) {
		if !known[row[1]] {
			t.Errorf("the runbook has %s, which is no check", row[1])
		}
		if strings.TrimSpace(row[2]) == "" || strings.TrimSpace(row[3]) == "" {
			t.Errorf("the runbook does not say what to look at, or what to do, of %s", row[1])
		}
	}
}

// TestEachCommandLineOfThePagesIsOne holds every `relay …` of the pages against the program: its verb, and its flags.
func TestEachCommandLineOfThePagesIsOne(t *testing.T) {
	count := 0
	for _, path := range pages(t) {
		for _, line := range commandLines(readPage(t, path)) {
			count++
			if problem := problemOf(line); problem != "" {
				t.Errorf("%s: relay %s: %s", filepath.Base(path), strings.Join(line, " "), problem)
			}
		}
	}
	if count < 50 {
		t.Errorf("only %d command lines were found", count)
	}
}

// TestWrongCommandLinesAreNoticed, or the test above would say nothing.
func TestWrongCommandLinesAreNoticed(t *testing.T) {
	for text, wrong := range map[string]bool{
		"`relay doctor --only webhook-url`": false, "`relay doctr`": true, "`relay doctor --olny x`": true, "`relay dlq redriv`": true,
		"```sh\nrelay dlq redrive --apply\n```": false, "```sh\nrelay dlq redrive --aply\n```": true,
		"`bin/relay serve --routes x.json`": false, "`relay dlq`": false, "`relay explain code 20003`": false,
		"`relay status SID --trail`": false, "`relay status SID --tail`": true, "`relay-data`": false, "`relay sweep --whatever`": true,
	} {
		problem := ""
		for _, line := range commandLines(text) {
			problem += problemOf(line)
		}
		if (problem != "") != wrong {
			t.Errorf("%s: problem %q, want one: %v", text, problem, wrong)
		}
	}
}

var (
	inline = regexp.MustCompile("`(?:bin/)?relay( [^`]*)?`")
	fenced = regexp.MustCompile("(?s)```sh\n(.*?)```")
	called = regexp.MustCompile(`(?:^|[ ;|&(])(?:bin/|\./cmd/)?relay ([^;|&<>)#]*)`)
	quoted = regexp.MustCompile(`"[^"]*"|'[^']*'`)
)

// commandLines finds the words behind each `relay` in inline code and in shell blocks.
func commandLines(page string) [][]string {
	var lines [][]string
	for _, block := range fenced.FindAllStringSubmatch(page, -1) {
		text := strings.ReplaceAll(block[1], "\\\n", " ")
		for line := range strings.SplitSeq(quoted.ReplaceAllString(text, "QUOTED"), "\n") {
			for _, match := range called.FindAllStringSubmatch(strings.Split(line, " #")[0], -1) {
				// `go build -o bin/relay ./cmd/relay` calls no relay.
				if words := strings.Fields(match[1]); len(words) == 0 || !strings.HasPrefix(words[0], "./") {
					lines = append(lines, words)
				}
			}
		}
	}
	for _, match := range inline.FindAllStringSubmatch(fenced.ReplaceAllString(page, ""), -1) {
		if words := strings.Fields(quoted.ReplaceAllString(match[1], "QUOTED")); len(words) > 0 {
			lines = append(lines, words)
		}
	}
	return lines
}

// problemOf says what is wrong with a command line, "" if nothing is.
func problemOf(words []string) string {
	command := program{}.root()
	command.InitDefaultCompletionCmd()
	for len(words) > 0 && command.HasSubCommands() && !strings.HasPrefix(words[0], "-") {
		next := subcommand(command, words[0])
		if next == nil {
			break
		}
		command, words = next, words[1:]
	}
	missing := command.HasSubCommands() && len(words) > 0 && !strings.HasPrefix(words[0], "-") && words[0] != "…" && words[0] != "COMMAND"
	if missing && command.ValidateArgs(words[:1]) != nil {
		return "there is no such verb"
	}
	for _, word := range words {
		name, isFlag := strings.CutPrefix(word, "--")
		name, _, _ = strings.Cut(name, "=")
		name = strings.TrimRight(name, ",.…")
		if isFlag && name != "" && name != "help" && command.Flags().Lookup(name) == nil && command.InheritedFlags().Lookup(name) == nil {
			return "there is no flag --" + name
		}
	}
	return ""
}

func subcommand(command *cobra.Command, name string) *cobra.Command {
	for _, sub := range command.Commands() {
		if sub.Name() == name || sub.HasAlias(name) {
			return sub
		}
	}
	return nil
}

// TestTheUnitIsShown as packages have it.
func TestTheUnitIsShown(t *testing.T) {
	page := readPage(t, filepath.Join("..", "..", "docs", "one-host.md"))
	if !strings.Contains(page, "```ini\n"+setup.Unit("/usr/bin/relay")+"```\n") {
		t.Error("docs/one-host.md does not have the unit of cmd/relay/setup/sms-relay.service")
	}
}
