package sqlite

import (
	"fmt"
	"strings"
	"testing"

	"quickdumpnow.com/smsrelay/shared/ledger"
)

// TestBeginningsMeanWhatFTS5sMean finds for each beginning as many texts as FTS5 does by itself.
func TestBeginningsMeanWhatFTS5sMean(t *testing.T) {
	db := openNew(t)
	bodies := []string{"Zoé zoéy ZOEX zoë's", "gate-keeper's gate", "13125550147", ""}
	for n := range maxCompleted + 5 {
		bodies = append(bodies, fmt.Sprintf("many%02d word of %d", n, n))
	}
	says := newSaying()
	for range 8 {
		bodies = append(bodies, says.text())
	}
	write(t, db, bodies...)
	tried := map[string]bool{}
	completed, found := 0, 0
	for _, body := range append(bodies, "13125 1312555014 +1858 Gatek zoé nothing") {
		for _, word := range ledger.Words(body) {
			for end := range word + " " {
				tried[word[:end]] = true
			}
			tried[strings.ToUpper(word)] = true
		}
	}
	delete(tried, "")
	for word := range tried {
		for _, words := range [][]string{{word}, {"word", word}} {
			s := ledger.Search{Words: words}
			match, err := db.Ledger().matchBeginning(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			own := quoted(word) + " *"
			if len([]rune(word)) < minBeginning {
				own = quoted(word)
			}
			if strings.Contains(match, " OR ") {
				completed++
			}
			got, want := count(t, db, match), count(t, db, matchOf(s, own))
			if got != want {
				t.Errorf("%q: %s finds %d, want %d", words, match, got, want)
			}
			found += got
		}
	}
	if completed == 0 || found == 0 {
		t.Errorf("%d beginnings were made to words, and %d texts were found", completed, found)
	}
}

func count(t *testing.T, db *DB, match string) (n int) {
	t.Helper()
	if _, err := db.reader.get(t.Context(), []any{&n}, countFoundQuery, match, 0, int64(1)<<62, 1000); err != nil {
		t.Fatalf("%s: %v", match, err)
	}
	return n
}

// TestABeginningIsMadeToWords, unless there are too many of them, or they are not in the index as they are written.
func TestABeginningIsMadeToWords(t *testing.T) {
	db := openNew(t)
	bodies := []string{"gates gate-keeper GATE café"}
	for n := range maxCompleted + 1 {
		bodies = append(bodies, fmt.Sprintf("many%02d", n))
	}
	write(t, db, bodies...)
	for beginning, want := range map[string]string{
		"gate": `words : (("gate" OR "gates"))`, "GATES": `words : (("gates"))`, "gat": `words : ("gat" *)`, "ga": `words : ("ga")`,
		"many": `words : ("many" *)`, "café": `words : ("café" *)`, "none": `words : ("none" *)`, "gate-k": `words : ("gate-k" *)`,
	} {
		got, err := db.Ledger().matchBeginning(t.Context(), ledger.Search{Words: []string{beginning}})
		if err != nil || got != want {
			t.Errorf("%s: %s, error %v, want %s", beginning, got, err, want)
		}
	}
}
