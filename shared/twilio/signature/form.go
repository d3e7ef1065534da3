package signature

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sort"
)

// ErrForm says that a body is not a form: it holds a percent sign that two hexadecimal digits do not follow, or
// more parameters than any webhook of Twilio's.
var ErrForm = errors.New("body is not a readable form")

// maxParameters bounds the work that a stranger's request can cause before its signature is known to be wrong.
// Twilio's own webhooks have fewer than a hundred.
const maxParameters = 1000

// Form is a form that was read: its parameters in the order of its bytes. The zero value has none.
type Form struct {
	text       string
	parameters []parameter
}

// ParseForm decodes an application/x-www-form-urlencoded body. It is the parser that Validator.Validate uses, so that the form
// that was validated is the form that is read. Unlike net/url's it treats a raw semicolon as an ordinary character. Empty and
// blank values are kept as they are. The error is ErrForm.
func ParseForm(body []byte) (Form, error) {
	r := reading{decoded: make([]byte, 0, len(body)), parameters: make([]parameter, 0, bytes.Count(body, []byte{'&'})+1)}
	if err := r.read(body); err != nil {
		return Form{}, err
	}
	return Form{text: string(r.decoded), parameters: r.parameters}, nil
}

// Get returns the first value of the parameter with that name, "" if there is none.
func (f Form) Get(name string) string {
	for _, p := range f.parameters {
		if f.text[p.start:p.middle] == name {
			return f.text[p.middle:p.end]
		}
	}
	return ""
}

// Has reports whether there is a parameter with that name.
func (f Form) Has(name string) bool {
	return slices.ContainsFunc(f.parameters, func(p parameter) bool { return f.text[p.start:p.middle] == name })
}

// All returns the names and values, in the order of the form's bytes.
func (f Form) All() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for _, p := range f.parameters {
			if !yield(f.text[p.start:p.middle], f.text[p.middle:p.end]) {
				return
			}
		}
	}
}

// parameter is where a name and its value are in the decoded text: the value follows the name.
type parameter struct {
	// rank is the name's first bytes as a number. It puts most names in order without a look at the text.
	rank               uint64
	start, middle, end int
}

// reading is a form that is being read, and the room for it. It may be used again.
type reading struct {
	// decoded has all names and values, one after the other.
	decoded    []byte
	parameters []parameter
}

// read decodes a body, in place of what was read before.
func (r *reading) read(body []byte) error {
	r.decoded, r.parameters = r.decoded[:0], r.parameters[:0]
	if bytes.Count(body, []byte{'&'}) >= maxParameters {
		return fmt.Errorf("more than %d parameters: %w", maxParameters, ErrForm)
	}
	for more := true; more; {
		var pair []byte
		if pair, body, more = cut(body, '&'); len(pair) == 0 {
			continue
		}
		name, value, _ := cut(pair, '=')
		if err := r.add(name, value); err != nil {
			return err
		}
	}
	return nil
}

// cut does what bytes.Cut does, at one byte, and so more quickly.
func cut(text []byte, at byte) (before, after []byte, found bool) {
	if i := bytes.IndexByte(text, at); i >= 0 {
		return text[:i], text[i+1:], true
	}
	return text, nil, false
}

// add decodes one name and its value.
func (r *reading) add(name, value []byte) (err error) {
	start := len(r.decoded)
	if r.decoded, err = appendUnescaped(r.decoded, name); err != nil {
		return err
	}
	middle := len(r.decoded)
	if r.decoded, err = appendUnescaped(r.decoded, value); err != nil {
		return err
	}
	r.note(start, middle)
	return nil
}

// note notes the parameter that was just appended to decoded.
func (r *reading) note(start, middle int) {
	var first [8]byte
	copy(first[:], r.decoded[start:middle])
	r.parameters = append(r.parameters, parameter{
		rank: binary.BigEndian.Uint64(first[:]), start: start, middle: middle, end: len(r.decoded),
	})
}

// appendSigned appends to text what Twilio signs of a form: name and value of each distinct pair, in the byte order of the names
// and then of the values, with nothing in between. It sorts the parameters.
func (r *reading) appendSigned(text []byte) []byte {
	r.sort()
	for i, p := range r.parameters {
		if i > 0 && !r.before(&r.parameters[i-1], &p) {
			continue // It is the same once more.
		}
		text = append(text, r.decoded[p.start:p.end]...)
	}
	return text
}

// fewParameters is more than Twilio's webhooks have, unless they are unusual.
const fewParameters = 64

// sort puts the parameters in the order of signing. The quickest way for a few of them is to move each to its place.
func (r *reading) sort() {
	if len(r.parameters) > fewParameters {
		sort.Slice(r.parameters, func(i, k int) bool { return r.before(&r.parameters[i], &r.parameters[k]) })
		return
	}
	for i, p := range r.parameters {
		at := i
		for ; at > 0 && r.before(&p, &r.parameters[at-1]); at-- {
			r.parameters[at] = r.parameters[at-1]
		}
		r.parameters[at] = p
	}
}

// before reports whether p is signed before q: by its name, and then by its value.
func (r *reading) before(p, q *parameter) bool {
	if p.rank != q.rank {
		return p.rank < q.rank
	}
	return r.beforeAlike(p, q)
}

// beforeAlike does the same for names that begin alike.
func (r *reading) beforeAlike(p, q *parameter) bool {
	if c := bytes.Compare(r.decoded[p.start:p.middle], r.decoded[q.start:q.middle]); c != 0 {
		return c < 0
	}
	return bytes.Compare(r.decoded[p.middle:p.end], r.decoded[q.middle:q.end]) < 0
}

// appendUnescaped appends a name or a value, decoded, to text.
func appendUnescaped(text, part []byte) ([]byte, error) {
	for i, c := range part {
		if c == '+' || c == '%' {
			return appendEscaped(append(text, part[:i]...), part[i:])
		}
	}
	return append(text, part...), nil
}

func appendEscaped(text, part []byte) ([]byte, error) {
	for i := 0; i < len(part); i++ {
		switch part[i] {
		case '+':
			text = append(text, ' ')
		case '%':
			if i+2 >= len(part) || !isHex(part[i+1]) || !isHex(part[i+2]) {
				return text, fmt.Errorf("bad percent escape: %w", ErrForm)
			}
			text = append(text, fromHex(part[i+1])<<4|fromHex(part[i+2]))
			i += 2
		default:
			text = append(text, part[i])
		}
	}
	return text, nil
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// fromHex returns the value of a digit for which isHex holds.
func fromHex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	default:
		return c - 'a' + 10
	}
}
