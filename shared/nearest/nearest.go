// Package nearest finds the name that somebody probably meant to type. It does not know what the names mean.
package nearest

import "strings"

// Of returns the known names that are only a few slips away from what was typed, ignoring case: the nearest, and all that are
// as near; nil if there are none. A slip is one letter too many, too few or wrong, or two letters swapped.
func Of(typed string, known []string) []string {
	best := 1 + min(3, (len([]rune(typed))+2)/3)
	var names []string
	for _, name := range known {
		switch d := distance([]rune(strings.ToLower(typed)), []rune(strings.ToLower(name))); {
		case d < best:
			best, names = d, []string{name}
		case d == best && len(names) > 0:
			names = append(names, name)
		}
	}
	return names
}

// Question asks whether the nearest name was meant, `; did you mean "Active"?`, and is empty if no name is near.
func Question(typed string, known []string) string {
	names := Of(typed, known)
	if len(names) == 0 {
		return ""
	}
	return `; did you mean "` + strings.Join(names, `" or "`) + `"?`
}

// distance counts the slips between two words.
func distance(a, b []rune) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range b {
		rows[0][j+1] = j + 1
	}
	for i := range a {
		for j := range b {
			other := 1
			if a[i] == b[j] {
				other = 0
			}
			rows[i+1][j+1] = min(rows[i][j+1]+1, rows[i+1][j]+1, rows[i][j]+other)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				rows[i+1][j+1] = min(rows[i+1][j+1], rows[i-1][j-1]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
