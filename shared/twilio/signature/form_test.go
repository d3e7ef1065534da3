package signature

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// valuesOf is a form as net/url has it.
func valuesOf(form Form) url.Values {
	values := url.Values{}
	for name, value := range form.All() {
		values.Add(name, value)
	}
	return values
}

func TestParseForm(t *testing.T) {
	tests := []struct {
		name string
		body string
		want url.Values
	}{
		{"empty body", "", url.Values{}},
		{
			"plus and percent are decoded", "Body=a+b%2Bc%20d%c3%BC&From=%2B18585550100",
			url.Values{"Body": {"a b+c dü"}, "From": {"+18585550100"}},
		},
		{"a raw semicolon is an ordinary character", "Body=yes;no&To=;", url.Values{"Body": {"yes;no"}, "To": {";"}}},
		{"a value may hold an equals sign", "Body=a=b==", url.Values{"Body": {"a=b=="}}},
		{"a name without an equals sign is empty", "Body&To=", url.Values{"Body": {""}, "To": {""}}},
		{"an empty name is a name", "=x", url.Values{"": {"x"}}},
		{"empty pairs are ignored", "&&A=1&", url.Values{"A": {"1"}}},
		{"repeated values keep their order", "A=2&A=1&A=2", url.Values{"A": {"2", "1", "2"}}},
		{"blanks at the ends stay", "Body=++x%0A", url.Values{"Body": {"  x\n"}}},
		{"bytes that are no UTF-8 stay", "Body=%ff\xfe", url.Values{"Body": {"\xff\xfe"}}},
		{"the largest form", strings.Repeat("&", 999), url.Values{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := ParseForm([]byte(test.body))
			if err != nil {
				t.Fatalf("ParseForm() error: %v", err)
			}
			if diff := cmp.Diff(test.want, valuesOf(got)); diff != "" {
				t.Errorf("ParseForm() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseFormRefuses(t *testing.T) {
	tests := []struct{ name, body string }{
		{"a percent sign alone", "Body=100%"},
		{"one digit after it", "Body=%4"},
		{"digits that are not hexadecimal", "Body=%zz"},
		{"a second digit that is not", "Body=%4g&To=x"},
		{"a bad escape in a name", "%=x"},
		{"an escape cut by the next pair", "Body=%4&1=x"},
		{"1,001 parameters", strings.Repeat("&", 1000)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			form, err := ParseForm([]byte(test.body))
			if !errors.Is(err, ErrForm) {
				t.Errorf("ParseForm() = %v, %v, want ErrForm", form, err)
			}
			if err != nil && strings.Contains(err.Error(), "Body") {
				t.Errorf("error %q quotes the form", err)
			}
		})
	}
}

// FuzzParseForm holds the parser to net/url's, which differs only in that it refuses a raw semicolon, and checks
// that what was parsed survives being encoded and parsed again.
func FuzzParseForm(f *testing.F) {
	for _, seed := range []string{
		"", "Body=a+b%2B&To=", "Body=yes;no", "%", "A=1&A=2&A=1", "&&=&x", "Body=%ff\xfe", "a=%C3%BC;b=%3B", "Body=%4",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		form, err := ParseForm(body)
		var got url.Values
		if err == nil {
			got = valuesOf(form)
		} else if !errors.Is(err, ErrForm) {
			t.Fatalf("error %v is not ErrForm", err)
		}
		want, wantErr := url.ParseQuery(strings.ReplaceAll(string(body), ";", "%3B"))
		if tooMany := strings.Count(string(body), "&") >= maxParameters; tooMany || wantErr != nil {
			want = nil
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("ParseForm(%q) (-net/url +ours):\n%s", body, diff)
		}
		for name := range got {
			if !form.Has(name) || form.Get(name) != got.Get(name) {
				t.Fatalf("Get(%q) = %q, Has() = %t, want %q", name, form.Get(name), form.Has(name), got.Get(name))
			}
		}
		again, err := ParseForm([]byte(got.Encode()))
		if err != nil || len(got) > 0 && !cmp.Equal(got, valuesOf(again)) {
			t.Fatalf("%q read again: %v, %v", got.Encode(), again, err)
		}
	})
}

// TestNoSuchParameter: a name that only begins like one is not there.
func TestNoSuchParameter(t *testing.T) {
	form, err := ParseForm([]byte("Body=x&ToCity="))
	if err != nil || form.Has("To") || form.Has("Bodyx") || form.Get("To") != "" || !form.Has("ToCity") {
		t.Errorf("form %v, error %v", valuesOf(form), err)
	}
	if none := (Form{}); none.Has("") || none.Get("") != "" {
		t.Error("the zero value has a parameter")
	}
}

// TestOrderOfSigning holds the order in which parameters are signed to a plain sort of names and values, with names that begin alike.
func TestOrderOfSigning(t *testing.T) {
	name := rapid.OneOf(
		rapid.SampledFrom([]string{
			"", "a", "a\x00", "MediaUrl", "MediaUrl0", "MediaUrl1", "MediaUrl10", "MessageSid", "MessageStatus",
			"12345678", "12345678\x00", "1234567", "1234567\x00", "\xff\xff\xff\xff\xff\xff\xff\xff", "é",
		}),
		rapid.StringMatching(`[ab\x00]{0,10}`), rapid.String(),
	)
	rapid.Check(t, func(t *rapid.T) {
		type pair struct{ name, value string }
		var pairs []pair
		var body []string
		for range rapid.IntRange(0, 80).Draw(t, "parameters") {
			p := pair{name.Draw(t, "name"), rapid.SampledFrom([]string{"", "1", "2", "x"}).Draw(t, "value")}
			pairs = append(pairs, p)
			body = append(body, url.QueryEscape(p.name)+"="+url.QueryEscape(p.value))
		}
		var r reading
		if err := r.read([]byte(strings.Join(body, "&"))); err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(pairs, func(a, b pair) int {
			if a.name != b.name {
				return strings.Compare(a.name, b.name)
			}
			return strings.Compare(a.value, b.value)
		})
		want := "https://relay.example.com"
		for _, p := range slices.Compact(pairs) {
			want += p.name + p.value
		}
		if got := string(r.appendSigned([]byte("https://relay.example.com"))); got != want {
			t.Errorf("signed %q, want %q", got, want)
		}
	})
}
