package signature

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// signedBases returns the beginnings that a signed URL may have under the base URL text: with a port and without.
// Everything else stays byte for byte as it was configured, because that is what Twilio signs.
//
// Twilio is inconsistent about the port, so its own libraries try the URL with its port (the scheme's default where
// it names none) and with no port at all, whichever it names; so do we.
func signedBases(text string) ([]string, error) {
	text, _, _ = strings.Cut(text, "#")
	text = strings.TrimSuffix(text, "/")
	if err := checkBaseURL(text); err != nil {
		return nil, err
	}
	scheme, rest, _ := strings.Cut(text, "://")
	authority, path := cutBefore(rest, '/')
	userInfo, host := "", authority
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		userInfo, host = authority[:at+1], authority[at+1:]
	}
	host, port := cutPort(host)
	if port == "" {
		port = defaultPort(scheme)
	}
	start := scheme + "://" + userInfo + host
	return []string{start + path, start + ":" + port + path}, nil
}

// checkBaseURL refuses what cannot be the beginning of a webhook's URL. Its errors do not quote the URL, which may
// hold a password.
func checkBaseURL(text string) error {
	parsed, err := url.Parse(text)
	switch {
	case err != nil:
		return errors.New("is no URL")
	case parsed.Scheme != "http" && parsed.Scheme != "https":
		return errors.New("does not begin with https:// or http://")
	case parsed.Hostname() == "":
		return errors.New("names no host")
	case strings.HasSuffix(parsed.Host, ":"):
		return errors.New("has a colon without a port")
	case strings.Contains(text, "?"):
		return errors.New("has a query")
	default:
		return nil
	}
}

// defaultPort returns the port that a URL of the scheme means when it names none.
func defaultPort(scheme string) string {
	if strings.EqualFold(scheme, "https") {
		return "443"
	}
	return "80"
}

// cutPort splits a port off a host; an IPv6 literal keeps its brackets.
func cutPort(host string) (name, port string) {
	_, port, err := net.SplitHostPort(host)
	if err != nil {
		return host, ""
	}
	return strings.TrimSuffix(host, ":"+port), port
}

// cutBefore splits text in front of the first sep; the second part begins with it or is empty.
func cutBefore(text string, sep byte) (before, from string) {
	if i := strings.IndexByte(text, sep); i >= 0 {
		return text[:i], text[i:]
	}
	return text, ""
}

// allSignedBases collects signedBases of every base URL and names each one that is wrong by its place in the list.
func allSignedBases(baseURLs []string) ([][]byte, error) {
	var bases [][]byte
	var problems []error
	for i, text := range baseURLs {
		two, err := signedBases(text)
		if err != nil {
			problems = append(problems, fmt.Errorf("base URL %d of %d %w", i+1, len(baseURLs), err))
		}
		for _, base := range two {
			bases = append(bases, []byte(base))
		}
	}
	return bases, errors.Join(problems...)
}
