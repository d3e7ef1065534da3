package serve

import (
	"io"
	"log/slog"
	"os"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/onehost/journal"
)

// envJournalStream is where systemd says which file it made the standard error of.
const envJournalStream = "JOURNAL_STREAM"

// toJournal returns a logger that writes to the journal in its own fields, if the format is left to the relay and what is written to out
// ends there: systemd runs it. Else it returns the logger that is given.
func toJournal(logger *slog.Logger, format, stream string, out io.Writer, socket string) *slog.Logger {
	file, ok := cli.Own(out).(*os.File)
	if format != "auto" || !ok || !journal.Leads(stream, file) {
		return logger
	}
	handler, err := journal.Open(socket, logger.Handler())
	if err != nil {
		return logger
	}
	return slog.New(handler)
}
