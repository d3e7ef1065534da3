// Package text has the verbs about texts: `relay send`, `relay status`, `relay tail` and `relay resend`. Send and status call the
// function that serves the operators' HTTP API, in this process, so that a command and the API say the same.
package text

import "quickdumpnow.com/smsrelay/cmd/relay/cli"

// program is the command line, with the methods of these verbs.
type program struct{ cli.Program }
