// Package health is `relay health`: it asks the relay on this host whether it is well, for whatever watches it, such as a container's
// health check. What is wrong, and what to do, is for relay doctor to say.
package health

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/env"
)

// program is the command line, with the methods of this verb.
type program struct{ cli.Program }

// settings are those of relay serve that say where it listens.
func settings() []cli.Setting {
	return cli.Named(cli.ServeSettings(), cli.EnvListen, cli.EnvDomain)
}

// answer is what the relay says of itself.
type answer struct {
	Status   string   `json:"status"`
	Problems []string `json:"problems,omitempty"`
	Version  string   `json:"version,omitempty"`
}

// Command returns `relay health`.
func Command(base cli.Program) *cobra.Command {
	p := program{base}
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask the relay on this host whether it works",
		Long: `health asks relay serve on this host, at the address where its settings have it listen, for GET /sms/health. The exit code is 0 if
it works, also with problems, which health prints. It is 3 if it says that it cannot do its work, and 1 if it does not answer within
five seconds.`,
		Example: `  relay health
  relay health --listen 127.0.0.1:8081`,
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.health(cmd, asJSON) },
	}
	cli.AddFlags(cmd.Flags(), settings())
	cli.AddJSON(cmd.Flags(), &asJSON, "an object with the status and the problems")
	return cmd
}

func (p program) health(cmd *cobra.Command, asJSON bool) error {
	r := env.New(cli.LookupOf(settings(), cmd.Flags(), p.Lookup))
	address, err := addressOf(cli.Listen(r))
	if err != nil {
		return cli.Usage(err)
	}
	domain := ""
	if domains := cli.Domains(r); len(domains) > 0 {
		domain = domains[0]
	}
	said, isWell, err := ask(cmd.Context(), address, domain)
	if err != nil {
		return cli.Hinted(fmt.Errorf("no relay answers at %s: %w", address, err), "start it with relay serve; its log says why it stopped")
	}
	if asJSON {
		err = json.NewEncoder(p.Stdout).Encode(said)
	} else {
		cli.Printf(p.Stdout, "%s\n", strings.Join(append([]string{said.Status}, said.Problems...), "\n"))
	}
	if err == nil && !isWell {
		return cli.Hinted(cli.Found(errors.New("the relay cannot do its work")), "relay doctor says more")
	}
	return err
}

// addressOf is where this host reaches what listens on an address: on all of them it listens on loopback, too.
func addressOf(listen string) (string, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil || port == "" || port == "0" {
		return "", fmt.Errorf("%s %q has no host and port to ask at, such as 127.0.0.1:8080", cli.EnvListen, listen)
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}

// ask asks at the address; by https if the relay has a domain of its own. isWell is what the answer's status code says.
func ask(ctx context.Context, address, domain string) (said answer, isWell bool, err error) {
	const enough, most = 5 * time.Second, 1 << 16
	url, transport := "http://"+address+"/sms/health", &http.Transport{}
	if domain != "" {
		url = "https://" + address + "/sms/health"
		// Nothing secret goes there, and whether others trust the certificate is another question: the health says if it is running out.
		transport.TLSClientConfig = &tls.Config{ServerName: domain, InsecureSkipVerify: true} //nolint:gosec // see above.
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return answer{}, false, err
	}
	if domain != "" {
		request.Host = domain
	}
	response, err := (&http.Client{Timeout: enough, Transport: transport}).Do(request)
	if err != nil {
		return answer{}, false, err
	}
	defer response.Body.Close() //nolint:errcheck // it is only read.
	text, err := io.ReadAll(io.LimitReader(response.Body, most))
	if err == nil && (json.Unmarshal(text, &said) != nil || said.Status == "") {
		err = fmt.Errorf("something else answers there, with %d", response.StatusCode)
	}
	return said, response.StatusCode == http.StatusOK, err
}
