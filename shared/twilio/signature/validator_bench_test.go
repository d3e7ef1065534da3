package signature

import (
	"crypto/hmac"
	"crypto/sha1"
	"net/url"
	"testing"

	"github.com/twilio/twilio-go/client"
)

// benchmarkForm is the incoming-message webhook of a text of two segments, and its body in the order in which Twilio sends it.
func benchmarkForm() (form url.Values, body []byte) {
	form = url.Values{}
	for _, p := range [][2]string{
		{"ToCountry", "US"},
		{"ToState", "CA"},
		{"SmsMessageSid", "SM0123456789abcdef0123456789abcdef"},
		{"NumMedia", "0"},
		{"ToCity", "SAN DIEGO"},
		{"FromZip", "92101"},
		{"SmsSid", "SM0123456789abcdef0123456789abcdef"},
		{"FromState", "CA"},
		{"SmsStatus", "received"},
		{"FromCity", "SAN DIEGO"},
		{"Body", "Hello, I have a sofa, two mattresses and some boxes to be picked up on Thursday; is that " +
			"possible before noon, and would 100 % of it fit into one truck? Thank you & best regards"},
		{"FromCountry", "US"},
		{"To", "+18585550142"},
		{"ToZip", "92101"},
		{"NumSegments", "2"},
		{"MessageSid", "SM0123456789abcdef0123456789abcdef"},
		{"AccountSid", "AC0123456789abcdef0123456789abcdef"},
		{"From", "+18585550100"},
		{"ApiVersion", "2010-04-01"},
	} {
		form.Set(p[0], p[1])
		body = append(body, "&"+p[0]+"="+url.QueryEscape(p[1])...)
	}
	return form, body[1:]
}

// BenchmarkValidate is the check of a webhook. "bare HMAC" is the least that one base URL and one token can cost: compare with it.
// (A base URL is tried with its port and without.)
func BenchmarkValidate(b *testing.B) {
	const base = "https://relay.example.com"
	values, body := benchmarkForm()
	r := Request{Method: "POST", Path: "/sms/inbound", ContentType: formContent, Body: body}
	r.Signature = SignForm(testToken, base+r.Path, values)
	signed := func(b *testing.B, v *Validator) *check {
		b.Helper()
		c := v.newCheck()
		c.begin(r)
		if err := c.form.read(r.Body); err != nil {
			b.Fatal(err)
		}
		c.tail = c.form.appendSigned(c.tail)
		return c
	}
	b.Run("bare HMAC", func(b *testing.B) {
		text := append([]byte(base), signed(b, mustValidator(b, []string{base}, []string{testToken})).tail...)
		mac := hmac.New(sha1.New, []byte(testToken))
		var sum []byte
		b.ReportAllocs()
		for b.Loop() {
			mac.Reset()
			mac.Write(text)
			sum = mac.Sum(sum[:0])
		}
	})
	b.Run("MAC of one base URL in two spellings", func(b *testing.B) {
		v := mustValidator(b, []string{base}, []string{testToken})
		c := signed(b, v)
		b.ReportAllocs()
		for b.Loop() {
			if err := v.match(c); err != nil {
				b.Fatal(err)
			}
		}
	})
	bodyToVerdict := func(name string, baseURLs, tokens []string) {
		b.Run(name, func(b *testing.B) {
			v := mustValidator(b, baseURLs, tokens)
			b.ReportAllocs()
			for b.Loop() {
				if err := v.Validate(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	bodyToVerdict("one base URL, one token", []string{base}, []string{testToken})
	bodyToVerdict("two base URLs, three tokens", []string{"https://old.example.com", base}, []string{"previous", otherToken, testToken})
	b.Run("twilio-go", func(b *testing.B) {
		validator := client.NewRequestValidator(testToken)
		b.ReportAllocs()
		for b.Loop() {
			if !validator.ValidateBody(base+r.Path, r.Body, r.Signature) {
				b.Fatal("refused")
			}
		}
	})
}

func BenchmarkParseForm(b *testing.B) {
	_, body := benchmarkForm()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseForm(body); err != nil {
			b.Fatal(err)
		}
	}
}
