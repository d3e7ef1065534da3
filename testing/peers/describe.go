//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// describe says when, on what and of which versions it was measured.
func describe(root string, o options, now time.Time) (string, error) {
	versions := []string{runtime.Version()}
	for _, program := range []string{"python3", "node"} {
		out, err := exec.Command(program, "--version").Output() //nolint:gosec,noctx // it answers at once.
		if err != nil {
			return "", fmt.Errorf("%s --version: %w", program, err)
		}
		versions = append(versions, strings.TrimSpace(strings.Replace(string(out), "v", "Node ", strings.Count(program, "node"))))
	}
	libraries, err := pinned(root)
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("Measured on %s, %d cores of %s (%s). %s; %s. The medians of %d starts, and of %d times %d calls of a warm process.",
		now.UTC().Format("2 January 2006"), runtime.NumCPU(), processor(), runtime.GOARCH, strings.Join(versions, ", "),
		strings.Join(libraries, ", "), o.plan.starts, o.plan.rounds, o.plan.calls)
	if o.note != "" {
		text += " " + o.note
	}
	return text + "\n", nil
}

// pinned returns the peers' libraries with their versions.
func pinned(root string) ([]string, error) {
	var found []string
	for _, place := range []struct{ file, pattern string }{
		{"python/requirements.txt", `(?m)^(boto3|twilio)==(\S+)$`},
		{"node/package.json", `"(@aws-sdk/client-sqs|twilio)": "([^"]+)"`},
		{"go.mod", `\s(github.com/aws/aws-sdk-go-v2|github.com/twilio/twilio-go) v(\S+)`},
	} {
		text, err := os.ReadFile(filepath.Join(root, "testing", "peers", filepath.FromSlash(place.file))) //nolint:gosec // its own files.
		if err != nil {
			return nil, err
		}
		for _, match := range regexp.MustCompile(place.pattern).FindAllStringSubmatch(string(text), -1) {
			name := match[1]
			if name == "twilio" {
				name += map[string]string{"python/requirements.txt": " for Python", "node/package.json": " for Node"}[place.file]
			}
			found = append(found, strings.TrimPrefix(strings.TrimPrefix(name, "github.com/aws/"), "github.com/twilio/")+" "+match[2])
		}
	}
	return found, nil
}

// processor is what the system calls it.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "a processor"
	}
	match := regexp.MustCompile(`(?m)^model name\s*:\s*(.+)$`).FindSubmatch(text)
	if match == nil {
		return "a processor"
	}
	return strings.TrimSpace(string(match[1]))
}
