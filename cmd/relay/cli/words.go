package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"quickdumpnow.com/smsrelay/shared/ledger"
)

// CountsOf lists what a plan counts, in a fixed order.
func CountsOf(counts map[string]int) string {
	names := make([]string, 0, len(counts))
	for name := range counts {
		names = append(names, name)
	}
	slices.Sort(names)
	for i, name := range names {
		names[i] = fmt.Sprintf("%d %s", counts[name], name)
	}
	return strings.Join(names, ", ")
}

// Plural counts things.
func Plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// Sentence writes words as a sentence, and nothing as nothing.
func Sentence(words string) string {
	words = strings.TrimSuffix(strings.TrimSpace(words), ".")
	if words == "" {
		return ""
	}
	return strings.ToUpper(words[:1]) + words[1:] + "."
}

// StateLine returns the state of a text, with the reason.
func StateLine(r ledger.Record) string {
	if r.Version == 0 {
		return "not in the ledger"
	}
	if r.Reason == "" {
		return string(r.State)
	}
	return fmt.Sprintf("%s (%s)", r.State, r.Reason)
}

// Were counts texts as the subject of a sentence in the past.
func Were(n int) string {
	if n == 1 {
		return "1 text was"
	}
	return strconv.Itoa(n) + " texts were"
}

// OrDash fills an empty cell.
func OrDash(cell string) string {
	if cell == "" {
		return "-"
	}
	return cell
}
