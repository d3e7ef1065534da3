package env

// Parsed returns the variable as parse reads it, or fallback if it is unset or empty, or nothing that parse reads. The
// errors of parse must not quote what they were given.
func Parsed[T any](r *Reader, name string, fallback T, parse func(text string) (T, error)) T { //nolint:ireturn // T is whatever parse makes
	text := r.String(name, "")
	if text == "" {
		return fallback
	}
	value, err := parse(text)
	if err != nil {
		r.fail(name, "is wrong: %v", err)
		return fallback
	}
	return value
}
