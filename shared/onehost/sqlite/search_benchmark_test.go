package sqlite

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// envSearchTexts is how many texts BenchmarkSearch looks in, instead of a hundred thousand.
const envSearchTexts = "RELAY_SEARCH_TEXTS"

// saying makes up what people write: some words in every second text, most in few.
type saying struct {
	random *rand.Rand
	zipf   *rand.Zipf
}

func newSaying() saying {
	random := rand.New(rand.NewPCG(1, 2))
	return saying{random, rand.NewZipf(random, 1.3, 4, 20_000)}
}

// word returns the nth most frequent word: in "ba", "be" and so on, so that many have the same beginning.
func word(n uint64) string {
	const consonants, vowels = "bdfglmnprst", "aeiou"
	text := ""
	for n += 60; n > 0; n /= 55 {
		text += string(consonants[n%55/5]) + string(vowels[n%5])
	}
	return text
}

func (s saying) text() string {
	words := make([]string, 6+s.random.IntN(15))
	for i := range words {
		words[i] = word(s.zipf.Uint64())
	}
	return strings.Join(words, " ")
}

// fillSearched makes the texts of twenty thousand customers, and puts their words into the index.
func fillSearched(tb testing.TB, db *DB, texts int) {
	tb.Helper()
	says := newSaying()
	fillLedger(tb, db.Ledger(), texts, func(n int, r *ledger.Record) {
		r.State, r.Body = ledger.Delivered, says.text()
		r.Customer = sms.PhoneNumber(fmt.Sprintf("+1%d55501%02d", 200+n%20_000/100, n%100))
	})
	for isMore := true; isMore; {
		var err error
		if isMore, err = db.IndexWords(tb.Context()); err != nil {
			tb.Fatal(err)
		}
	}
}

// BenchmarkSearch looks for words that are in most texts, in some, and in few, and reports how long the slowest of a hundred take.
func BenchmarkSearch(b *testing.B) {
	texts := 100_000
	if set, err := strconv.Atoi(os.Getenv(envSearchTexts)); err == nil {
		texts = set
	}
	db := openNew(b)
	began := time.Now()
	fillSearched(b, db, texts)
	b.Logf("%d texts filled in %s", texts, time.Since(began))
	for _, one := range []struct {
		name string
		s    ledger.Search
	}{
		{"frequent", ledger.Search{Words: []string{word(0)}}},
		{"two frequent", ledger.Search{Words: []string{word(0), word(1)}}},
		{"beginning", ledger.Search{Words: []string{word(0)[:3]}}},
		{"longer beginning", ledger.Search{Words: []string{word(4_000)[:4] + "b"}}},
		{"rare", ledger.Search{Words: []string{word(9_000)}}},
		{"frequent and rare", ledger.Search{Words: []string{word(0), word(9_000)}}},
		{"frequent of one customer", ledger.Search{Words: []string{word(0)}, Query: ledger.Query{Number: "+12015550123"}}},
		{"frequent, a time", ledger.Search{Words: []string{word(0)}, Query: ledger.Query{
			Until: time.Date(2026, 11, 24, 12, 0, 20, 0, time.UTC),
		}}},
	} {
		b.Run(one.name, func(b *testing.B) {
			one.s.Limit = 20
			var took []time.Duration
			count := 0
			for b.Loop() {
				began := time.Now()
				found, err := db.Ledger().Search(b.Context(), one.s)
				if err != nil {
					b.Fatal(err)
				}
				took, count = append(took, time.Since(began)), found.Count
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64(count), "texts")
		})
	}
}
