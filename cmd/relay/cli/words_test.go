package cli

import "testing"

func TestSentence(t *testing.T) {
	t.Parallel()
	for words, want := range map[string]string{
		"": "", " ": "", "no such route": "No such route.", "It is there. ": "It is there.", "x": "X.",
	} {
		if got := Sentence(words); got != want {
			t.Errorf("%q becomes %q, want %q", words, got, want)
		}
	}
}
