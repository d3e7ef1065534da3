package doctor

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	"quickdumpnow.com/smsrelay/shared/twilio"
	"quickdumpnow.com/smsrelay/shared/twilio/signature"
)

func frontDoorChecks() []Check {
	return []Check{
		{"public-url", "Twilio signs the URL it was given, and it needs HTTPS.", both, publicURL},
		{"front-door-health", "If nothing answers at that URL, texts wait at Twilio for seconds, and are then lost.", both, atFrontDoor(health)},
		{"certificate", "When it ends, Twilio reaches the relay no longer, and texts are lost.", both, atFrontDoor(certificate)},
		{
			"front-door-signature", "The relay must accept a request with a right signature. If it does not, it accepts no text.", both,
			atFrontDoor(rightlySigned),
		},
		{
			"front-door-forgery", "The relay must refuse a request with a wrong signature. If it does not, anyone can send texts in your name.",
			both, atFrontDoor(wronglySigned),
		},
		{"operator-routes", "Anyone who may ask for the status can see what customers wrote.", both, atFrontDoor(operatorRoutes)},
		{
			"version", "If the relay runs another build than this program, what this program says about it may be wrong.", both,
			atFrontDoor(version),
		},
	}
}

const fixPublicURL = "set PUBLIC_BASE_URL to the URL that you gave Twilio, such as https://relay.example.com, without /sms/…"

func publicURL(_ context.Context, e *exam) Finding {
	if len(e.PublicBaseURLs) == 0 {
		return skipOrFail(e, "PUBLIC_BASE_URL is not set here")
	}
	for _, base := range e.PublicBaseURLs {
		parsed, err := url.Parse(base)
		switch {
		case err != nil || parsed.Hostname() == "":
			return fail(fixPublicURL, "PUBLIC_BASE_URL is not a valid URL")
		case strings.Contains(parsed.Path, "/sms"):
			return fail(fixPublicURL, "%s ends with a path of the relay; leave it out", shown(base))
		case e.OwnTwilio && (twilio.IsLoopback(parsed.Hostname()) || parsed.Scheme != "https"):
			return fail("put a TLS proxy in front of relay serve, and "+fixPublicURL,
				"Twilio cannot reach %s: it needs HTTPS and a public address, not one of this host only", shown(base))
		}
	}
	return ok("%s", shown(e.PublicBaseURLs[0]))
}

// skipOrFail skips the check on AWS, where everything else can still be checked, and fails on one host, where without the URL no text
// comes in.
func skipOrFail(e *exam, found string) Finding {
	if e.AWS != nil {
		return Finding{Status: Skipped, Found: found, Fix: "set PUBLIC_BASE_URL, or --public-base-url, to the stack's output OperatorUrl"}
	}
	return fail(fixPublicURL, "%s", found)
}

// atFrontDoor makes a check at each public URL.
func atFrontDoor(check func(context.Context, *exam, string) Finding) func(context.Context, *exam) Finding {
	return func(ctx context.Context, e *exam) Finding {
		if len(e.PublicBaseURLs) == 0 {
			return skipped("PUBLIC_BASE_URL is not set here, see public-url")
		}
		findings := make([]Finding, len(e.PublicBaseURLs))
		for i, base := range e.PublicBaseURLs {
			findings[i] = check(ctx, e, strings.TrimSuffix(withoutOverrides(base), "/"))
		}
		return together(findings)
	}
}

// maxAnswer limits how much of an answer is read.
const maxAnswer = 64 << 10

// answer is what the front door said.
type answer struct {
	status int
	body   []byte
	// certificate is its certificate; nil if it came by http.
	certificate *x509.Certificate
}

// ask makes one request at the front door.
func (e *exam) ask(ctx context.Context, method, address string, form url.Values, signed string) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return answer{}, fmt.Errorf("%s is not a valid address", shown(address))
	}
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("X-Twilio-Signature", signed)
	}
	response, err := e.HTTP.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close() //nolint:errcheck // it is only read.
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	got := answer{status: response.StatusCode, body: body}
	if response.TLS != nil && len(response.TLS.PeerCertificates) > 0 {
		got.certificate = response.TLS.PeerCertificates[0]
	}
	return got, err
}

const fixReach = "check that relay serve runs (its log says relay serves) and that the proxy in front of it passes on /sms/…; on AWS, " +
	"that PUBLIC_BASE_URL is the stack's output"

// unreached is what checks say if front-door-health already reported that nothing answers.
func unreached(base string) Finding {
	return skipped("%s does not answer, see front-door-health", shown(base))
}

func health(ctx context.Context, e *exam, base string) Finding {
	got, err := e.ask(ctx, http.MethodGet, base+"/sms/health", nil, "")
	if err != nil {
		return fail(fixReach, "%s does not answer: %v", shown(base), withoutAddress(err))
	}
	var healthy struct {
		Status   string
		Problems []string
	}
	unreadable := json.Unmarshal(got.body, &healthy) != nil
	switch {
	case !unreadable && (healthy.Status == "degraded" || healthy.Status == "failing"):
		return fail("follow its message; the log of relay serve says more", "%s says that it is %s: %.500s", shown(base), healthy.Status,
			strings.Join(healthy.Problems, "; "))
	case got.status != http.StatusOK:
		return fail(fixReach, "%s answers the health check with %d", shown(base), got.status)
	case unreadable || healthy.Status != "ok":
		return fail(fixReach, "%s answers, but it is not a relay", shown(base))
	default:
		return ok("%s is up", shown(base))
	}
}

// certificateLate is how long before its end a certificate should have been renewed, or a sixth of its life if that is less.
const certificateLate = 14 * 24 * time.Hour

func certificate(ctx context.Context, e *exam, base string) Finding {
	got, err := e.ask(ctx, http.MethodGet, base+"/sms/health", nil, "")
	switch {
	case err != nil:
		return unreached(base)
	case got.certificate == nil:
		return skipped("%s is http, and has no certificate", shown(base))
	}
	until := got.certificate.NotAfter.UTC()
	left, life := until.Sub(e.Now()), until.Sub(got.certificate.NotBefore)
	if left < min(certificateLate, life/6) {
		return warn("see that whoever gets the certificate can: the log of relay serve, or of the proxy in front of it, says why not",
			"the certificate of %s ends at %s, and was not renewed", shown(base), until.Format(time.RFC3339))
	}
	return ok("the certificate of %s ends at %s", shown(base), until.Format(time.RFC3339))
}

// withoutAddress removes the URL, which may contain a password.
func withoutAddress(err error) error {
	if wrapped, isURL := err.(*url.Error); isURL { //nolint:errorlint // net/http's client returns it unwrapped.
		return wrapped.Err
	}
	return err
}

// harmless is a status callback that names no text of the relay: a relay acknowledges it and does nothing. No message has its
// MessageSid.
func harmless() url.Values {
	var random [16]byte
	_, _ = rand.Read(random[:]) // it never fails: see its documentation
	return url.Values{"MessageSid": {"SM" + hex.EncodeToString(random[:])}, "MessageStatus": {string(sms.StatusSent)}}
}

func rightlySigned(ctx context.Context, e *exam, base string) Finding {
	if len(e.AuthTokens) == 0 {
		return Finding{Status: Skipped, Found: "the Auth Token, which signs the request, is not set here", Fix: fixCredentials}
	}
	address, form := base+sms.CallbackPath, harmless()
	got, err := e.ask(ctx, http.MethodPost, address, form, signature.SignForm(e.AuthTokens[0], address, form))
	switch {
	case err != nil:
		return unreached(base)
	case got.status == http.StatusForbidden:
		return fail("start relay serve with this TWILIO_AUTH_TOKEN and PUBLIC_BASE_URL, and check that the proxy does not change paths and "+
			"queries; on AWS, check the parameter PublicBaseUrl and the secret",
			"%s refuses a request that is signed with the first Auth Token for that URL", shown(base))
	case got.status/100 != 2:
		return fail(fixReach, "%s answers a status callback with %d", shown(base), got.status)
	default:
		return ok("%s accepts a request with a right signature", shown(base))
	}
}

func wronglySigned(ctx context.Context, e *exam, base string) Finding {
	address, form := base+sms.CallbackPath, harmless()
	got, err := e.ask(ctx, http.MethodPost, address, form, signature.SignForm(rand.Text(), address, form))
	switch {
	case err != nil:
		return unreached(base)
	case got.status == http.StatusForbidden:
		return ok("%s refuses a request with a wrong signature", shown(base))
	case got.status/100 == 2:
		return fail("remove the number's webhook at once, and find out what answers at that URL: the relay always checks signatures",
			"%s accepts a request with a wrong signature", shown(base))
	default:
		return fail(fixReach, "%s answers a forged request with %d, not 403", shown(base), got.status)
	}
}

func operatorRoutes(ctx context.Context, e *exam, base string) Finding {
	got, err := e.ask(ctx, http.MethodGet, base+"/sms/status?limit=1", nil, "")
	switch {
	case err != nil:
		return unreached(base)
	case got.status == http.StatusOK:
		return fail("find out what answers at that URL: relay serve asks for RELAY_OPERATOR_TOKEN, and the stack for IAM credentials",
			"%s shows texts to anyone who asks", shown(base))
	default:
		return ok("%s shows texts to nobody without credentials", shown(base))
	}
}

func version(ctx context.Context, e *exam, base string) Finding {
	got, err := e.ask(ctx, http.MethodGet, base+"/sms/health", nil, "")
	var running telemetry.Build
	switch {
	case err != nil:
		return unreached(base)
	case json.Unmarshal(got.body, &running) != nil || running.Version == "":
		return skipped("%s does not say which build it is", shown(base))
	case !running.IsSame(e.Build):
		return warn("restart relay serve with this build, or deploy it; or use the build that is running", "%s runs %.40s, this is %s",
			shown(base), running.Version, e.Build.Version)
	default:
		return ok("%s runs %s, the same build as this program", shown(base), e.Build.Version)
	}
}
