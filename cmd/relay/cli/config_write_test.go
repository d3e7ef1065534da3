package cli

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSettingsAreWrittenIntoAFile(t *testing.T) {
	tests := []struct {
		name, text string
		settings   []Given
		want       string
		changed    []Given
	}{
		{"a new file", "", []Given{{"RELAY_DATA", "/srv/relay"}}, "RELAY_DATA=/srv/relay\n", []Given{{"RELAY_DATA", "/srv/relay"}}},
		{
			"what else is there stays", "# Ours.\nAWS_PROFILE=x\n\nexport RELAY_DATA = 'old'\n; end",
			[]Given{{"RELAY_DATA", "new"}, {"RELAY_LISTEN", ":80"}},
			"# Ours.\nAWS_PROFILE=x\n\nRELAY_DATA=new\n; end\nRELAY_LISTEN=:80\n",
			[]Given{{"RELAY_DATA", "new"}, {"RELAY_LISTEN", ":80"}},
		},
		{"the same in another spelling", "export RELAY_DATA = \"a b\"\n", []Given{{"RELAY_DATA", "a b"}}, "export RELAY_DATA = \"a b\"\n", nil},
		{
			"what a shell would read in another way", "",
			[]Given{{"RELAY_DATA", "a $b \"c\" `d` \\e'#"}},
			"RELAY_DATA=\"a \\$b \\\"c\\\" \\`d\\` \\\\e'#\"\n",
			[]Given{{"RELAY_DATA", "a $b \"c\" `d` \\e'#"}},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, changed, err := WithSettings(test.text, test.settings)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got) + cmp.Diff(test.changed, changed); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if again, changed, err := WithSettings(got, test.settings); again != got || changed != nil || err != nil {
				t.Errorf("the second time: %q, %v, %v", again, changed, err)
			}
			for _, s := range test.settings {
				if _, is := lineOf([]string{s.line()}, s.Name); is != s.Value {
					t.Errorf("%s is read as %q", s.line(), is)
				}
			}
		})
	}
	if _, _, err := WithSettings("", []Given{{"RELAY_DATA", "a\nTWILIO_AUTH_TOKEN=b"}}); err == nil {
		t.Error("a value of two lines is written")
	}
}
