package signature

import (
	"net/url"
	"testing"

	"github.com/twilio/twilio-go/client"
)

// benchmarkForm is the incoming-message webhook of a text of two segments, as Twilio sends it.
func benchmarkForm() url.Values {
	return url.Values{
		"ToCountry": {"US"}, "ToState": {"CA"}, "SmsMessageSid": {"SM0123456789abcdef0123456789abcdef"}, "NumMedia": {"0"},
		"ToCity": {"SAN DIEGO"}, "FromZip": {"92101"}, "SmsSid": {"SM0123456789abcdef0123456789abcdef"}, "FromState": {"CA"},
		"SmsStatus": {"received"}, "FromCity": {"SAN DIEGO"}, "FromCountry": {"US"}, "To": {"+18585550142"}, "ToZip": {"92101"},
		"Body": {"Hello, I have a sofa, two mattresses and some boxes to be picked up on Thursday; is that " +
			"possible before noon, and would 100 % of it fit into one truck? Thank you & best regards"},
		"NumSegments": {"2"}, "MessageSid": {"SM0123456789abcdef0123456789abcdef"},
		"AccountSid": {"AC0123456789abcdef0123456789abcdef"}, "From": {"+18585550100"}, "ApiVersion": {"2010-04-01"},
	}
}

func BenchmarkValidate(b *testing.B) {
	const base = "https://relay.example.com"
	values := benchmarkForm()
	r := Request{Method: "POST", Path: "/sms/inbound", ContentType: formContent, Body: []byte(values.Encode())}
	r.Signature = SignForm(testToken, base+r.Path, values)
	b.Run("one base URL, one token", func(b *testing.B) {
		v := mustValidator(b, []string{base}, []string{testToken})
		b.ReportAllocs()
		for b.Loop() {
			if err := v.Validate(r); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("two base URLs, three tokens", func(b *testing.B) {
		v := mustValidator(b, []string{"https://old.example.com", base}, []string{"previous", otherToken, testToken})
		b.ReportAllocs()
		for b.Loop() {
			if err := v.Validate(r); err != nil {
				b.Fatal(err)
			}
		}
	})
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
	body := []byte(benchmarkForm().Encode())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseForm(body); err != nil {
			b.Fatal(err)
		}
	}
}
