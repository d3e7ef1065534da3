package jsonlines

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/fault"
)

// A line begins with its time, in a form of fixed width, so that the entry's own text can be had back byte for byte.
const (
	timeField  = `{"@timestamp":"`
	timeLayout = "2006-01-02T15:04:05.000Z"
	prefixEnd  = `"`
)

// errLine means that something in the log is not one of its lines.
var errLine = errors.New("not a line of the audit log")

// encode returns the lines as they are written in the file. The error is a permanent fault.
func encode(lines []auditlog.Line) ([]byte, error) {
	var out []byte
	for _, line := range lines {
		fields, isObject := bytes.CutPrefix(line.Text, []byte("{"))
		if !isObject || bytes.ContainsAny(line.Text, "\r\n") || !json.Valid(line.Text) {
			return nil, &fault.Error{Kind: fault.Permanent, Err: errors.New("text is not one line of JSON that is an object")}
		}
		out = append(out, timeField...)
		out = line.Time.UTC().AppendFormat(out, timeLayout)
		out = append(out, prefixEnd...)
		if !isEmptyObject(fields) {
			out = append(out, ',')
		}
		out = append(out, fields...)
		out = append(out, '\n')
	}
	return out, nil
}

// isEmptyObject reports whether an object that goes on with fields has none.
func isEmptyObject(fields []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(fields, " \t"), []byte("}"))
}

// decode reads one line of the file, without its newline.
func decode(text []byte) (auditlog.Line, error) {
	const timeEnd = len(timeField) + len(timeLayout)
	if len(text) < timeEnd+len(prefixEnd) || !json.Valid(text) {
		return auditlog.Line{}, errLine
	}
	at, err := time.Parse(timeLayout, string(text[len(timeField):timeEnd]))
	if err != nil || string(text[:len(timeField)]) != timeField || text[timeEnd] != prefixEnd[0] {
		return auditlog.Line{}, errLine
	}
	fields := bytes.TrimPrefix(text[timeEnd+len(prefixEnd):], []byte(","))
	return auditlog.Line{Time: at, Text: append([]byte("{"), fields...)}, nil
}
