package env

// Parsed returns the variable, or fallback if it is unset or empty, as parse reads it. The errors of parse must not quote the
// value.
func Parsed[T any](r *Reader, name, fallback string, parse func(text string) (T, error)) T { //nolint:ireturn // T is whatever parse makes
	value, err := parse(r.String(name, fallback))
	if err != nil {
		r.fail(name, "is wrong: %v", err)
	}
	return value
}
