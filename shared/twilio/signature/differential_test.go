package signature

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/twilio/twilio-go/client"
	"pgregory.net/rapid"
)

// theirs is twilio-go's verdict on the request under one base URL and one token.
func theirs(base, token string, r Request) bool {
	validator := client.NewRequestValidator(token)
	address := base + r.Path
	if r.RawQuery != "" {
		address += "?" + r.RawQuery
	}
	if r.Method == "GET" {
		return validator.Validate(address, nil, r.Signature)
	}
	return validator.ValidateBody(address, r.Body, r.Signature)
}

// theirsIsRight reports whether the request is one that twilio-go judges as Twilio signs it. What is left out here
// is in TestWhereTwilioGoIsWrong.
func theirsIsRight(base string, r Request) bool {
	address := base + r.Path + "?" + r.RawQuery
	parsed, err := url.Parse(address)
	switch {
	case err != nil || parsed.String() != address:
		return false // It would rewrite the URL to add or remove a port.
	case strings.HasPrefix(parsed.Host, "["):
		return false // It splits the host at its first colon.
	case !strings.HasPrefix(r.Path, "/") || strings.ContainsAny(r.Path+r.RawQuery, "#") || strings.Contains(r.Path, "?"):
		return false // No path and query of any HTTP request.
	case partSigned(r) == signedForm:
		return !strings.Contains(parsed.Query().Encode(), "bodySHA256") && theirsReadsForm(r.Body)
	case partSigned(r) == signedHash:
		hash, found := bodyHash(r.RawQuery)
		return found && hash != "" && slices.Equal(parsed.Query()["bodySHA256"], []string{hash})
	default:
		return partSigned(r) == signedURL
	}
}

// theirsReadsForm reports whether twilio-go signs the whole of a form: no semicolons, no parameter with two values.
func theirsReadsForm(body []byte) bool {
	values, err := url.ParseQuery(string(body))
	if err != nil || strings.Count(string(body), "&") >= maxParameters {
		return false
	}
	for _, several := range values {
		if len(slices.Compact(several)) > 1 {
			return false
		}
	}
	return true
}

var differentialBases = []string{
	"https://relay.example.com",
	"https://relay.example.com:443",
	"https://relay.example.com:8443/prod",
	"http://relay.example.com",
	"http://relay.example.com:80/a/b",
	"https://relay:secret@relay.example.com",
	"https://203.0.113.7:443",
}

// signatures returns what the request might carry: right ones with each way of writing the port, and wrong ones.
func signatures(t rapid.TB, base string, r Request) []string {
	t.Helper()
	var c check
	c.begin(r)
	link := string(c.tail)
	if partSigned(r) == signedForm {
		_ = c.form.read(r.Body)
	}
	tail := string(c.form.appendSigned(c.tail))
	bases, err := signedBases(base)
	if err != nil {
		t.Fatalf("signedBases(%s): %v", base, err)
	}
	return []string{
		SignURL(testToken, base+tail),
		SignURL(testToken, bases[0]+tail),
		SignURL(testToken, bases[1]+tail),
		SignURL(testToken, base+link),
		SignURL(otherToken, base+tail),
		SignURL(testToken, base+tail+" "),
		SignURL("", base+tail),
		SignURL(testToken, strings.ToUpper(base)+tail),
		"", "AAAA",
	}
}

// compareVerdicts holds our verdict on the request, under every signature it might carry, to twilio-go's, and
// reports how many of them both accepted.
func compareVerdicts(t rapid.TB, base string, r Request) (accepted int) {
	t.Helper()
	v := mustValidator(t, []string{base}, []string{testToken})
	for i, signature := range signatures(t, base, r) {
		r.Signature = signature
		err := v.Validate(r)
		if want := theirs(base, testToken, r); want != (err == nil) {
			t.Fatalf("base %s, signature %d of %+v: ours %v, theirs %t", base, i, r, err, want)
		}
		if err == nil {
			accepted++
		}
	}
	return accepted
}

// TestValidateAgreesWithTwilioGo compares on requests made at random as Twilio makes them.
func TestValidateAgreesWithTwilioGo(t *testing.T) {
	name := rapid.SampledFrom([]string{"Body", "From", "To", "FromCity", "NumMedia", "MediaUrl0", "a", "A", "", "é"})
	value := rapid.OneOf(rapid.String(), rapid.Just(""), rapid.Just(" x "), rapid.Just("a;b&c=d%"), rapid.Just("+18585550100"))
	path := rapid.StringMatching(`/[a-z/~%(2F)._-]{0,12}`).Filter(func(s string) bool {
		parsed, err := url.Parse(s)
		return err == nil && parsed.String() == s && !strings.HasPrefix(s, "//")
	})
	query := rapid.StringMatching(`([a-z]{1,3}=[A-Za-z0-9+'"()*~%]{0,6}&?){0,3}`)
	rapid.Check(t, func(t *rapid.T) {
		base := rapid.SampledFrom(differentialBases).Draw(t, "base")
		r := Request{Method: "POST", Path: path.Draw(t, "path"), RawQuery: query.Draw(t, "query")}
		switch rapid.SampledFrom([]string{"form", "json", "get"}).Draw(t, "kind") {
		case "form":
			values := url.Values{}
			for range rapid.IntRange(0, 8).Draw(t, "parameters") {
				values.Set(name.Draw(t, "name"), value.Draw(t, "value"))
			}
			r.ContentType, r.Body = formContent, []byte(values.Encode())
		case "json":
			body := rapid.String().Draw(t, "body")
			hashed := rapid.SampledFrom([]string{body, "another"}).Draw(t, "hashed")
			r.ContentType, r.Body, r.RawQuery = jsonContent, []byte(body), "bodySHA256="+hexSum(hashed)
		default:
			r.Method = "GET"
		}
		if !theirsIsRight(base, r) {
			t.Skip("twilio-go is no oracle for this one")
		}
		accepted := compareVerdicts(t, base, r)
		if _, isJSON := bodyHash(r.RawQuery); accepted == 0 && !isJSON {
			t.Fatalf("no signature was accepted for %+v", r)
		}
	})
}

// FuzzValidate compares on whatever the fuzzer makes, where twilio-go is an oracle, and elsewhere checks that a
// signature which is none is never accepted.
func FuzzValidate(f *testing.F) {
	f.Add(uint8(0), uint8(0), "/sms/inbound", "", []byte("Body=Hi&From=%2B18585550100&FromCity="))
	f.Add(uint8(1), uint8(0), "/sms/inbound", "a=1&b='%22", []byte("Body=x;y&Body=z"))
	f.Add(uint8(2), uint8(1), "/j", "bodySHA256="+hexSum("{}"), []byte("{}"))
	f.Add(uint8(3), uint8(1), "/j", "bodySHA256=", []byte("{}"))
	f.Add(uint8(4), uint8(2), "/%2F", "Body=a+b", []byte{})
	f.Add(uint8(5), uint8(0), "", "?", []byte("A=%"))
	kinds := []Request{
		{Method: "POST", ContentType: formContent}, {Method: "POST", ContentType: jsonContent}, {Method: "GET"},
	}
	f.Fuzz(func(t *testing.T, baseIndex, kindIndex uint8, path, rawQuery string, body []byte) {
		base := differentialBases[int(baseIndex)%len(differentialBases)]
		r := kinds[int(kindIndex)%len(kinds)]
		r.Path, r.RawQuery, r.Body = path, rawQuery, body
		if theirsIsRight(base, r) {
			compareVerdicts(t, base, r)
		}
		r.Signature = SignURL(otherToken, base+path)
		if err := mustValidator(t, []string{base}, []string{testToken}).Validate(r); err == nil {
			t.Fatalf("another token's signature was accepted for %+v", r)
		}
	})
}

// TestWhereTwilioGoIsWrong pins each case in which twilio-go v1.31.0's RequestValidator does not do what Twilio's
// signing asks for, so that a new version that fixes one is noticed. The signed text is spelled out.
func TestWhereTwilioGoIsWrong(t *testing.T) {
	const plain = "https://relay.example.com"
	const v6 = "https://[2001:db8::1]"
	hashed := "bodySHA256=" + hexSum("A=1")
	tests := []struct {
		name    string
		base    string
		request Request
		theirs  bool
		ours    error
	}{
		{
			"it refuses a repeated parameter with different values", plain,
			form("/in", "", "A=1&A=2", plain+"/inA1A2"), false, nil,
		},
		{
			"it accepts a second value that nobody signed", plain,
			form("/in", "", "A=1&A=forged", plain+"/inA1"), true, ErrMismatch,
		},
		{
			"it refuses a raw semicolon in a form", plain,
			form("/in", "", "Body=x;y", plain+"/inBodyx;y"), false, nil,
		},
		{
			"it reads JSON without bodySHA256 as a form", plain,
			withContent(form("/in", "", `{"a":1}`, plain+`/in{"a":1}`), jsonContent), true, ErrNoBodyHash,
		},
		{
			"it takes a body of any content for a form", plain,
			withContent(form("/in", "", "A=1", plain+"/inA1"), "text/plain"), true, ErrContent,
		},
		{
			"it takes a form for JSON if the query has bodySHA256", plain,
			form("/in", hashed, "A=1", plain+"/in?"+hashed+"A1"), false, nil,
		},
		{
			"it does not sign a form's parameters if the query has bodySHA256", plain,
			form("/in", hashed, "A=1", plain+"/in?"+hashed), true, ErrMismatch,
		},
		{
			"it cuts an IPv6 literal with a port at its first colon", v6 + ":443",
			form("/in", "", "A=1", v6+"/inA1"), false, nil,
		},
		{
			"it cuts an IPv6 literal with another port as well", v6 + ":8443",
			form("/in", "", "A=1", v6+"/inA1"), false, nil,
		},
		{
			"it escapes user info again to add a port", "https://relay:p!ss@relay.example.com",
			form("/in", "", "A=1", "https://relay:p!ss@relay.example.com:443/inA1"), false, nil,
		},
		{
			"it escapes a path again to add a port", plain,
			form("/in|out", "", "A=1", plain+":443/in|outA1"), false, nil,
		},
		{
			"it keeps a base URL's fragment", plain + "/in#rc=5",
			form("", "", "A=1", plain+"/inA1"), false, nil,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := theirs(test.base, testToken, test.request); got != test.theirs {
				t.Errorf("twilio-go says %t, was known to say %t: is it fixed?", got, test.theirs)
			}
			v := mustValidator(t, []string{test.base}, []string{testToken})
			if err := v.Validate(test.request); !errors.Is(err, test.ours) {
				t.Errorf("Validate() = %v, want %v", err, test.ours)
			}
		})
	}
	t.Run("it works with an empty token, with which anyone can sign", func(t *testing.T) {
		forged := get("/in", "", "")
		forged.Signature = SignURL("", plain+"/in")
		if !theirs(plain, "", forged) {
			t.Error("twilio-go refuses an empty token: is it fixed?")
		}
		if v, err := NewValidator([]string{plain}, []string{""}); err == nil {
			t.Errorf("NewValidator() = %v, want an error", v)
		}
	})
}
