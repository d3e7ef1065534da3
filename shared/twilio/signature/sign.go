package signature

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // SHA-1 is Twilio's choice for X-Twilio-Signature; as an HMAC it is not broken.
	"encoding/base64"
	"hash"
	"net/url"
)

// scheme is a way of signing webhooks: the keyed hash that makes X-Twilio-Signature, which is then written in base64.
// Twilio's Webhooks configuration API can replace the Auth Token by shared keys with another algorithm; a second
// scheme, chosen by our own configuration and never by what a request claims, is all that asks for.
type scheme interface {
	// MAC returns a new hash keyed with key. It is fed the URL and then the parameters.
	MAC(key []byte) hash.Hash
}

// hmacSHA1 is the scheme that Twilio uses by default, keyed with the account's primary Auth Token.
type hmacSHA1 struct{}

// MAC implements scheme.
func (hmacSHA1) MAC(key []byte) hash.Hash { return hmac.New(sha1.New, key) }

// SignForm returns the X-Twilio-Signature of a form POST to url (absolute, with its query and without a fragment), as Twilio
// makes it with the Auth Token token. If a parameter has several values, each distinct value is signed once, in byte order, as
// in Twilio's Node and Python libraries.
func SignForm(token, url string, form url.Values) string {
	var r reading
	for name, values := range form {
		for _, value := range values {
			start := len(r.decoded)
			r.decoded = append(append(r.decoded, name...), value...)
			r.note(start, start+len(name))
		}
	}
	return sign(token, r.appendSigned([]byte(url)))
}

// SignURL returns the X-Twilio-Signature of a GET, or of a POST of JSON whose URL has bodySHA256: Twilio signs only the URL
// for both.
func SignURL(token, url string) string {
	return sign(token, []byte(url))
}

func sign(token string, text []byte) string {
	mac := hmacSHA1{}.MAC([]byte(token))
	mac.Write(text)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
