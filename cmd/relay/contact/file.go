package contact

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/contact"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// columns are those that a file has, in any order. Others are an error: a column that nobody reads looks as if it counted.
func columns() []string { return []string{"number", "customer", "name"} }

// line is a name of a file, with the place where it is.
type line struct {
	contact.Wanted

	at int
	// written is the name as the file has it.
	written string
}

// maxFile bounds what is read of a file, in bytes.
const maxFile = 64 << 20

// parse reads a CSV of names. The error is everything that is wrong with it, each with its line. routed reports whether a number has a
// route.
func parse(file io.Reader, numbers cli.NumberFlags, routed func(sms.PhoneNumber) bool) ([]line, error) {
	text, err := io.ReadAll(io.LimitReader(file, maxFile))
	if err != nil {
		return nil, err
	}
	reader := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	reader.TrimLeadingSpace, reader.FieldsPerRecord = true, -1
	header, err := reader.Read()
	if errors.Is(err, io.EOF) {
		return nil, errNothing
	}
	if err != nil {
		return nil, err
	}
	order, err := orderOf(header)
	if err != nil {
		return nil, err
	}
	r := fileReader{numbers: numbers, routed: routed, order: order, seen: map[[2]sms.PhoneNumber]line{}}
	for {
		fields, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			// What is behind a broken quote cannot be told apart.
			r.problems = append(r.problems, err)
			break
		}
		at, _ := reader.FieldPos(0)
		r.read(at, fields)
	}
	if len(r.problems) == 0 && len(r.lines) == 0 {
		return nil, errNothing
	}
	return r.lines, errors.Join(r.problems...)
}

// orderOf returns the place of each of the columns.
func orderOf(header []string) (map[string]int, error) {
	order := map[string]int{}
	for i, title := range header {
		title = strings.ToLower(strings.TrimSpace(title))
		if _, twice := order[title]; twice || !slices.Contains(columns(), title) {
			return nil, fmt.Errorf("line 1: want the columns number, customer and name, each once; %q is not one of them", title)
		}
		order[title] = i
	}
	for _, title := range columns() {
		if _, ok := order[title]; !ok {
			return nil, fmt.Errorf("line 1: the column %s is missing: want number, customer and name", title)
		}
	}
	return order, nil
}

// fileReader reads the lines behind the header.
type fileReader struct {
	numbers  cli.NumberFlags
	routed   func(sms.PhoneNumber) bool
	order    map[string]int
	seen     map[[2]sms.PhoneNumber]line
	lines    []line
	problems []error
}

func (r *fileReader) wrong(at int, format string, arguments ...any) {
	r.problems = append(r.problems, fmt.Errorf("line %d: %w", at, fmt.Errorf(format, arguments...)))
}

// read reads one line.
func (r *fileReader) read(at int, fields []string) {
	if len(fields) != len(r.order) {
		r.wrong(at, "%s, want %d", cli.Plural(len(fields), "field"), len(r.order))
		return
	}
	count := len(r.problems)
	l := line{at: at, written: strings.TrimSpace(fields[r.order["name"]])}
	l.Number = r.phone(at, "number", fields)
	l.Customer = r.phone(at, "customer", fields)
	if l.Number != "" && !r.routed(l.Number) {
		r.wrong(at, "number: %s has no route: it is none of your numbers", string(l.Number))
	}
	var err error
	if l.Name, err = contact.Fold(l.written); err != nil {
		r.wrong(at, "name: %w", err)
	}
	if len(r.problems) > count {
		return
	}
	key := [2]sms.PhoneNumber{l.Number, l.Customer}
	before, twice := r.seen[key]
	switch {
	case twice && before.Name != l.Name:
		r.wrong(at, "%s has another name in line %d", string(l.Customer), before.at)
	case !twice:
		r.seen[key] = l
		r.lines = append(r.lines, l)
	}
}

func (r *fileReader) phone(at int, column string, fields []string) sms.PhoneNumber {
	number, err := r.numbers.Read(fields[r.order[column]])
	if err != nil {
		r.wrong(at, "%s: %w", column, err)
		return ""
	}
	return number
}

// errNothing means that a file has no names.
var errNothing = errors.New("the file has no names")
