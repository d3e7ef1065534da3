// Package text has the verbs about texts: `relay send`, `relay reply`, `relay status`, `relay tail`, `relay media` and `relay resend`. Most
// of them call the function that serves the operators' HTTP API, in this process, so that a command and the API say the same.
package text

import "quickdumpnow.com/smsrelay/cmd/relay/cli"

// program is the command line, with the methods of these verbs.
type program struct{ cli.Program }
