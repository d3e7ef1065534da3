package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const (
	otherToken  = "fedcba9876543210fedcba9876543210"
	formContent = "application/x-www-form-urlencoded"
	jsonContent = "application/json"
)

// form returns a webhook request as Twilio would make it but for its signature, which is that of the text.
func form(path, rawQuery, body, signedText string) Request {
	return Request{
		Method: "POST", Path: path, RawQuery: rawQuery, ContentType: formContent,
		Body: []byte(body), Signature: SignURL(testToken, signedText),
	}
}

// get returns a GET with the signature of the text.
func get(path, rawQuery, signedText string) Request {
	return Request{Method: "GET", Path: path, RawQuery: rawQuery, Signature: SignURL(testToken, signedText)}
}

// jsonPost returns a POST of JSON under https://relay.example.com/j whose URL carries the hash, signed with it.
func jsonPost(body, hash string) Request {
	query := "x=1&bodySHA256=" + hash
	return Request{
		Method: "POST", Path: "/j", RawQuery: query, ContentType: jsonContent,
		Body: []byte(body), Signature: SignURL(testToken, "https://relay.example.com/j?"+query),
	}
}

func hexSum(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

func mustValidator(t rapid.TB, baseURLs, tokens []string) *Validator {
	t.Helper()
	v, err := NewValidator(baseURLs, tokens)
	if err != nil {
		t.Fatalf("NewValidator(%q): %v", baseURLs, err)
	}
	return v
}

// In the rows the text that Twilio signs is spelled out, so that they do not depend on SignForm.
func TestValidateAccepts(t *testing.T) {
	const plain = "https://relay.example.com"
	tests := []struct {
		name    string
		base    string
		request Request
	}{
		{"a form without parameters", plain, form("/in", "", "", plain+"/in")},
		{"a form and a query", plain, form("/in", "b=2&a=1", "To=y&From=x", plain+"/in?b=2&a=1FromxToy")},
		{"empty values", plain, form("/in", "", "FromCity=&Body=", plain+"/inBodyFromCity")},
		{"untrimmed values", plain, form("/in", "", "Body=++hi%0A+", plain+"/inBody  hi\n ")},
		{"repeated parameter, different values", plain, form("/in", "", "A=2&B=x&A=1&A=2", plain+"/inA1A2Bx")},
		{"repeated parameter, equal values", plain, form("/in", "", "A=1&A=1", plain+"/inA1")},
		{"upper case before lower case", plain, form("/in", "", "a=1&B=2", plain+"/inB2a1")},
		{"a name that begins another", plain, form("/in", "", "ab=2&a=c", plain+"/inacab2")},
		{"a raw semicolon", plain, form("/in", "", "Body=x;y", plain+"/inBodyx;y")},
		{
			"percent escapes and quotes in the query as they are", plain,
			form("/in", "q=%7e'%22\"&z=a+b%2f", "Body=x", plain+"/in?q=%7e'%22\"&z=a+b%2fBodyx"),
		},
		{"an undecoded path", plain, form("/in%2Fbound/%7Ex", "", "", plain+"/in%2Fbound/%7Ex")},
		{"a new parameter", plain, form("/in", "", "Brand=New&To=x", plain+"/inBrandNewTox")},
		{"a content type with a charset", plain, withContent(form("/in", "", "A=1", plain+"/inA1"),
			"Application/X-WWW-Form-URLEncoded ; charset=UTF-8")},

		{"GET", plain, get("/in", "MessageSid=SM1&Body=a%20b", plain+"/in?MessageSid=SM1&Body=a%20b")},
		{"GET without a query", plain, get("/in", "", plain+"/in")},
		{"JSON", plain, jsonPost(`{"a":1}`, hexSum(`{"a":1}`))},
		{"JSON without a body", plain, jsonPost("", hexSum(""))},

		{"signed with the default port", plain, get("/in", "", "https://relay.example.com:443/in")},
		{"configured with the default port", plain + ":443", get("/in", "", plain+"/in")},
		{"both with the default port", plain + ":443", get("/in", "", "https://relay.example.com:443/in")},
		{"http: signed with port 80", "http://relay.example.com", get("/in", "", "http://relay.example.com:80/in")},
		{"http: configured with port 80", "http://relay.example.com:80", get("/in", "", "http://relay.example.com/in")},
		{"another port", plain + ":8443", get("/in", "", "https://relay.example.com:8443/in")},
		{"another port that Twilio left out", plain + ":8443", get("/in", "", plain+"/in")},
		{"another scheme's default port", plain + ":80", get("/in", "", "https://relay.example.com:80/in")},

		{"base URL with a trailing slash", plain + "/", get("/in", "", plain+"/in")},
		{"base URL with two, and one is meant", plain + "//", get("/in", "", plain+"//in")},
		{"base URL with a path prefix", plain + "/prod/v1/", get("/in", "", plain+"/prod/v1/in")},
		{
			"base URL with a prefix, signed with the port", plain + "/prod",
			get("/in", "a=1", "https://relay.example.com:443/prod/in?a=1"),
		},
		{"base URL with connection overrides", plain + "/#rc=5&rp=5xx,ct", get("/in", "", plain+"/in")},
		{"base URL that is the whole URL", plain + "/in", get("", "", plain+"/in")},
		{
			"base URL with user info", "https://relay:p!ss:w@rd@relay.example.com",
			get("/in", "", "https://relay:p!ss:w@rd@relay.example.com/in"),
		},
		{
			"user info, signed with the port", "https://relay:p!ss@relay.example.com",
			get("/in", "", "https://relay:p!ss@relay.example.com:443/in"),
		},
		{
			"user info with an at sign, and an IPv6 literal with the default port", "https://relay:w@rd@[2001:db8::1]:443",
			get("/in", "", "https://relay:w@rd@[2001:db8::1]/in"),
		},
		{"host in upper case on both sides", "https://Relay.Example.com", get("/in", "", "https://Relay.Example.com/in")},
		{"IPv6 literal", "https://[2001:db8::1]", get("/in", "", "https://[2001:db8::1]/in")},
		{"IPv6 literal, signed with the default port", "https://[2001:db8::1]", get("/in", "", "https://[2001:db8::1]:443/in")},
		{"IPv6 literal, configured with the default port", "https://[2001:db8::1]:443", get("/in", "", "https://[2001:db8::1]/in")},
		{"IPv6 literal with another port", "https://[2001:db8::1]:8443", get("/in", "", "https://[2001:db8::1]:8443/in")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := mustValidator(t, []string{test.base}, []string{testToken})
			if err := v.Validate(test.request); err != nil {
				t.Errorf("Validate() = %v, want nil", err)
			}
		})
	}
}

func withContent(r Request, contentType string) Request {
	r.ContentType = contentType
	return r
}

func with(r Request, change func(*Request)) Request {
	change(&r)
	return r
}

func TestValidateRefuses(t *testing.T) {
	const plain = "https://relay.example.com"
	good := form("/in", "a=1", "To=y&From=x", plain+"/in?a=1FromxToy")
	tests := []struct {
		name    string
		request Request
		want    error
	}{
		{"no signature", with(good, func(r *Request) { r.Signature = "" }), ErrNoSignature},
		{"a blank signature", with(good, func(r *Request) { r.Signature = " " }), ErrMismatch},
		{"half a signature", with(good, func(r *Request) { r.Signature = r.Signature[:14] }), ErrMismatch},
		{"a signature and more", with(good, func(r *Request) { r.Signature += "=" }), ErrMismatch},
		{"a signature twice", with(good, func(r *Request) { r.Signature += "," + r.Signature }), ErrMismatch},
		{
			"another token's signature",
			with(good, func(r *Request) { r.Signature = SignURL(otherToken, plain+"/in?a=1FromxToy") }), ErrMismatch,
		},
		{
			"an empty key's signature",
			with(good, func(r *Request) { r.Signature = SignURL("", plain+"/in?a=1FromxToy") }), ErrMismatch,
		},
		{"another path", with(good, func(r *Request) { r.Path = "/on" }), ErrMismatch},
		{"a trailing slash", with(good, func(r *Request) { r.Path = "/in/" }), ErrMismatch},
		{"another query", with(good, func(r *Request) { r.RawQuery = "a=2" }), ErrMismatch},
		{"no query", with(good, func(r *Request) { r.RawQuery = "" }), ErrMismatch},
		{"another order of the query", form("/in", "b=2&a=1", "", plain+"/in?a=1&b=2"), ErrMismatch},
		{"a changed value", with(good, func(r *Request) { r.Body = []byte("To=y&From=z") }), ErrMismatch},
		{"a missing parameter", with(good, func(r *Request) { r.Body = []byte("To=y") }), ErrMismatch},
		{"an added parameter", with(good, func(r *Request) { r.Body = []byte("To=y&From=x&Body=") }), ErrMismatch},
		{"an added value", with(good, func(r *Request) { r.Body = []byte("To=y&From=x&From=w") }), ErrMismatch},
		{"a trimmed value", form("/in", "", "Body=hi", plain+"/inBodyhi "), ErrMismatch},
		{"another host", get("/in", "", "https://relay.example.org/in"), ErrMismatch},
		{"another scheme", get("/in", "", "http://relay.example.com/in"), ErrMismatch},
		{"another port", get("/in", "", "https://relay.example.com:8443/in"), ErrMismatch},
		{"http's default port with https", get("/in", "", "https://relay.example.com:80/in"), ErrMismatch},

		{"a bad percent escape", form("/in", "", "Body=100%", plain+"/inBody100%"), ErrForm},
		{"too many parameters", form("/in", "", strings.Repeat("&", maxParameters), plain+"/in"), ErrForm},

		{"JSON without its hash", withContent(form("/in", "a=1", `{}`, plain+"/in?a=1"), jsonContent), ErrNoBodyHash},
		{"JSON without its hash, signed as a form", withContent(form("/in", "", `{}`, plain+"/in{}"), jsonContent), ErrNoBodyHash},
		{"JSON with an escaped name of the hash", withContent(form("/j", "body%53HA256="+hexSum("{}"), "{}",
			plain+"/j?body%53HA256="+hexSum("{}")), jsonContent), ErrNoBodyHash},
		{"JSON with another body", with(jsonPost(`{}`, hexSum(`{}`)), func(r *Request) { r.Body = []byte(`[]`) }), ErrBodyHash},
		{"JSON with an empty hash", jsonPost("{}", ""), ErrBodyHash},
		{"JSON with a hash in upper case", jsonPost("{}", strings.ToUpper(hexSum("{}"))), ErrBodyHash},
		{"JSON with half a hash", jsonPost("{}", hexSum("{}")[:32]), ErrBodyHash},
		{"JSON whose first hash is wrong", jsonPost("{}", hexSum("x")+"&bodySHA256="+hexSum("{}")), ErrBodyHash},
		{"JSON with the hash of a forged body", with(jsonPost("{}", hexSum("{}")), func(r *Request) {
			r.RawQuery = "x=1&bodySHA256=" + hexSum("[]")
			r.Body = []byte("[]")
		}), ErrMismatch},

		{"a form that calls itself JSON", withContent(good, jsonContent), ErrNoBodyHash},
		{"JSON that calls itself a form", withContent(jsonPost(`{}`, hexSum(`{}`)), formContent), ErrMismatch},
		{"a POST without a content type", withContent(good, ""), ErrContent},
		{"multipart", withContent(good, "multipart/form-data; boundary=x"), ErrContent},
		{"a content type that begins like a form's", withContent(good, formContent+"2"), ErrContent},
		{"GET with a body", with(get("/in", "", plain+"/in"), func(r *Request) { r.Body = []byte("x") }), ErrContent},
		{"PUT", with(good, func(r *Request) { r.Method = "PUT" }), ErrContent},
		{"HEAD", with(get("/in", "", plain+"/in"), func(r *Request) { r.Method = "HEAD" }), ErrContent},
		{"no method", with(good, func(r *Request) { r.Method = "" }), ErrContent},
		{"a path that changes the host", get(".example.org/in", "", plain+".example.org/in"), ErrContent},
		{"a path that makes the host user info", get("@example.org/in", "", plain+"@example.org/in"), ErrContent},
		{"nothing at all", Request{}, ErrNoSignature},
	}
	v := mustValidator(t, []string{plain}, []string{testToken})
	if err := v.Validate(good); err != nil {
		t.Fatalf("the request that the rows change: %v", err)
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if err := v.Validate(test.request); !errors.Is(err, test.want) {
				t.Errorf("Validate() = %v, want %v", err, test.want)
			}
		})
	}
}

func TestValidateSeveralBaseURLsAndTokens(t *testing.T) {
	v := mustValidator(t, []string{"https://old.example.com/prod", "https://new.example.com"}, []string{otherToken, testToken})
	for _, base := range []string{"https://old.example.com/prod", "https://new.example.com", "https://new.example.com:443"} {
		for _, token := range []string{testToken, otherToken} {
			request := get("/in", "a=1", "")
			request.Signature = SignURL(token, base+"/in?a=1")
			if err := v.Validate(request); err != nil {
				t.Errorf("signed for %s with %s...: %v", base, token[:4], err)
			}
		}
	}
	if err := v.Validate(get("/in", "", "https://old.example.com/in")); !errors.Is(err, ErrMismatch) {
		t.Errorf("the old host without its prefix: %v, want ErrMismatch", err)
	}
}

// countingScheme counts how many signatures were made.
type countingScheme struct{ sums *int }

func (s countingScheme) MAC(key []byte) hash.Hash { return countingHash{hmacSHA1{}.MAC(key), s.sums} }

type countingHash struct {
	hash.Hash
	sums *int
}

func (h countingHash) Sum(b []byte) []byte {
	*h.sums++
	return h.Hash.Sum(b)
}

// That no candidate is left out once one has matched is counted, not timed.
func TestValidateTriesEveryCandidate(t *testing.T) {
	v := mustValidator(t, []string{"https://a.example.com", "https://b.example.com"}, []string{testToken, otherToken, "third"})
	var sums int
	for i := range v.keys {
		v.keys[i].scheme = countingScheme{&sums}
	}
	requests := map[string]Request{
		"the first candidate matches": get("/in", "", "https://a.example.com/in"),
		"the last does": with(get("/in", "", ""),
			func(r *Request) { r.Signature = SignURL("third", "https://b.example.com:443/in") }),
		"none does": get("/in", "", "x"),
	}
	for name, request := range requests {
		sums = 0
		err := v.Validate(request)
		if want := 2 * 2 * 3; sums != want {
			t.Errorf("%s (%v): %d signatures were made, want %d", name, err, sums, want)
		}
	}
}

// hmacSHA512 is in place of the algorithm of a shared key: another hash, of another length.
type hmacSHA512 struct{}

func (hmacSHA512) MAC(key []byte) hash.Hash { return hmac.New(sha512.New, key) }

func TestValidateAnotherScheme(t *testing.T) {
	v := mustValidator(t, []string{"https://relay.example.com"}, []string{testToken})
	v.keys = append(v.keys, signingKey{scheme: hmacSHA512{}, secret: []byte("shared")})
	mac := hmacSHA512{}.MAC([]byte("shared"))
	mac.Write([]byte("https://relay.example.com/in"))
	request := get("/in", "", "https://relay.example.com/in")
	if err := v.Validate(request); err != nil {
		t.Errorf("signed with the token: %v", err)
	}
	request.Signature = base64.StdEncoding.EncodeToString(mac.Sum(nil))
	if err := v.Validate(request); err != nil {
		t.Errorf("signed with the shared key: %v", err)
	}
}

func TestNewValidatorRefuses(t *testing.T) {
	const plain = "https://relay.example.com"
	tests := []struct {
		name     string
		baseURLs []string
		tokens   []string
		want     string
	}{
		{"no base URL", nil, []string{testToken}, "no base URL"},
		{"an empty base URL", []string{plain, ""}, []string{testToken}, "base URL 2 of 2"},
		{"no scheme", []string{"relay.example.com"}, []string{testToken}, "https://"},
		{"no scheme but a port", []string{"relay.example.com:443"}, []string{testToken}, "base URL 1 of 1"},
		{"another scheme", []string{"ftp://relay.example.com"}, []string{testToken}, "https://"},
		{"a path alone", []string{"/sms"}, []string{testToken}, "https://"},
		{"no slashes", []string{"https:relay.example.com"}, []string{testToken}, "no host"},
		{"no host", []string{"https:///sms"}, []string{testToken}, "no host"},
		{"a port without a host", []string{"https://:443"}, []string{testToken}, "no host"},
		{"a colon without a port", []string{plain + ":"}, []string{testToken}, "port"},
		{"a port that is no number", []string{plain + ":https"}, []string{testToken}, "no URL"},
		{"a blank in the host", []string{"https://relay example.com"}, []string{testToken}, "no URL"},
		{"a blank before it", []string{" " + plain}, []string{testToken}, "base URL 1 of 1"},
		{"a query", []string{plain + "?a=1"}, []string{testToken}, "query"},
		{"a question mark", []string{plain + "?"}, []string{testToken}, "query"},
		{"no token", []string{plain}, nil, "no auth token"},
		{"an empty token", []string{plain}, []string{""}, "auth token 1 of 1"},
		{"a blank token behind a good one", []string{plain}, []string{testToken, " \t\n"}, "auth token 2 of 2"},
		{"a secret in a bad base URL", []string{"https://relay:hush-hush@relay example.com"}, []string{testToken}, "no URL"},
		{"everything at once: the base URL", []string{"hush-hush"}, []string{" "}, "base URL 1 of 1"},
		{"everything at once: the token", []string{"hush-hush"}, []string{" "}, "auth token 1 of 1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v, err := NewValidator(test.baseURLs, test.tokens)
			if err == nil || v != nil {
				t.Fatalf("NewValidator() = %v, %v, want an error", v, err)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %q does not say %q", err, test.want)
			}
			if strings.Contains(err.Error(), "hush-hush") || strings.Contains(err.Error(), testToken) {
				t.Errorf("error %q gives a secret away", err)
			}
		})
	}
}
