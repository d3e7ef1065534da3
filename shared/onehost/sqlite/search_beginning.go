package sqlite

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"quickdumpnow.com/smsrelay/shared/ledger"
)

const (
	// minBeginning is how long the beginning of a word is at least: the index has all beginnings of that length, and too many words begin
	// with a shorter one.
	minBeginning = 3
	// maxCompleted is how many words a beginning is made to at most. What it costs grows with their number.
	maxCompleted = 40

	// FTS5's own table of its words is in the memory of one connection. A row is one place where a word is, so that SQLite need not count
	// them.
	termsTable = `CREATE VIRTUAL TABLE temp.text_terms USING fts5vocab (main, text_words, instance)`
	termsQuery = `SELECT term FROM temp.text_terms WHERE term >= ?1 LIMIT 1`
)

// matchBeginning writes a search in the language of the index in which the last word is the beginning of one.
//
// For a beginning that is longer than those in the index, FTS5 first puts together all texts that have such a word, however many they are
// and however few of them are asked for: a fifth of a second for a frequent one in ten million. So the index is told the words: it then
// goes from text to text, and stops when there are enough. A beginning of many words, or with other signs than ASCII's, is left to FTS5.
func (l *Ledger) matchBeginning(ctx context.Context, s ledger.Search) (string, error) {
	last := ""
	if len(s.Words) > 0 {
		last = s.Words[len(s.Words)-1]
	}
	signs := utf8.RuneCountInString(last)
	if signs < minBeginning {
		return matchOf(s, ""), nil
	}
	if signs > minBeginning && isPlain(last) {
		words, err := l.db.complete(ctx, strings.ToLower(last))
		if err != nil {
			return "", err
		}
		if len(words) > 0 && len(words) <= maxCompleted {
			return matchOf(s, "("+strings.Join(words, " OR ")+")"), nil
		}
	}
	return matchOf(s, quoted(last)+" *"), nil
}

// isPlain reports whether a word is in the index as it is written, but for capitals.
func isPlain(word string) bool {
	return !strings.ContainsFunc(word, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') })
}

// complete returns the words of the index that begin so, quoted, or more than maxCompleted of them.
func (db *DB) complete(ctx context.Context, beginning string) (words []string, err error) {
	pool, err := openPoolAs("ro", db.path, 1)
	if err != nil {
		return nil, err
	}
	terms := &reader{statements: newStatements(pool), pool: pool}
	defer func() { err = errors.Join(err, terms.close()) }()
	if _, err := pool.ExecContext(ctx, termsTable); err != nil {
		return nil, err
	}
	for next := beginning; len(words) <= maxCompleted; {
		var word string
		isThere, err := terms.get(ctx, []any{&word}, termsQuery, next)
		if err != nil || !isThere || !strings.HasPrefix(word, beginning) {
			return words, err
		}
		words = append(words, quoted(word))
		next = word + "\x00" // No word is between them.
	}
	return words, nil
}
