package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
)

var atRestProgram = flag.String("at-rest.program", "", "the program that BenchmarkAtRest looks at; else it builds one")

// BenchmarkAtRest starts the program on two large ledgers, with a replica and without, and leaves both alone. It shows what they take
// after the first three minutes, in which a replica begins: at most so much memory (RSS), processor time, and how often threads wake up.
// The words of all texts are in the index before, as after a restart.
func BenchmarkAtRest(b *testing.B) {
	sizes := scaleSizes()
	size := sizes[len(sizes)-1]
	alone, replicated := filled(b, size), filled(b, size)
	indexWords(b, alone)
	indexWords(b, replicated)
	_, twilioURL := newFake(b, nil)
	program := *atRestProgram
	if program == "" {
		program = buildRelay(b)
	}
	for b.Loop() {
		pid, stop := startUntilHealthy(b, program, twilioURL, alone)
		replicating, stopReplicating := startUntilHealthy(b, program, twilioURL, replicated, "--replicate", b.TempDir())
		time.Sleep(3*time.Minute + 5*time.Second)
		one, other := observed{pid: pid}, observed{pid: replicating}
		one.begin(b)
		other.begin(b)
		for range 30 {
			time.Sleep(5 * time.Second)
			one.look(b)
			other.look(b)
		}
		one.report(b, "alone")
		other.report(b, "replicating")
		stop()
		stopReplicating()
	}
}

// indexWords puts the words of all texts into the index.
func indexWords(b *testing.B, data string) {
	b.Helper()
	db, err := sqlite.Open(b.Context(), filepath.Join(data, datafolder.DatabaseFile), time.Now)
	if err != nil {
		b.Fatal(err)
	}
	for isMore := true; isMore && err == nil; {
		isMore, err = db.IndexWords(b.Context())
	}
	if err = errors.Join(err, db.Close()); err != nil {
		b.Fatal(err)
	}
}

// observed is a process that is looked at for a while.
type observed struct {
	pid         int
	since       time.Time
	ran, woken  int
	mostInBytes int
}

func (o *observed) begin(b *testing.B) {
	b.Helper()
	o.since = time.Now()
	o.ran, o.woken = threads(b, o.pid)
	o.look(b)
}

// look notes how much memory the process has.
func (o *observed) look(b *testing.B) {
	b.Helper()
	o.mostInBytes = max(o.mostInBytes, 1024*numberOf(b, fmt.Sprintf("/proc/%d/status", o.pid), "VmRSS:"))
}

func (o *observed) report(b *testing.B, name string) {
	b.Helper()
	ran, woken := threads(b, o.pid)
	took := time.Since(o.since)
	b.ReportMetric(float64(o.mostInBytes)/1e6, "MB-"+name)
	b.ReportMetric(100*float64(ran-o.ran)/float64(took), "%CPU-"+name)
	b.ReportMetric(float64(woken-o.woken)/took.Seconds(), "wakes/s-"+name)
}

// threads returns for how many nanoseconds a process' threads have run, and how often they began to wait.
func threads(b *testing.B, pid int) (ran, waited int) {
	b.Helper()
	folders, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	if err != nil || len(folders) == 0 {
		b.Fatalf("process %d has no threads: %v", pid, err)
	}
	for _, folder := range folders {
		ran += numberOf(b, filepath.Join(folder, "schedstat"), "")
		waited += numberOf(b, filepath.Join(folder, "status"), "voluntary_ctxt_switches:")
	}
	return ran, waited
}

// numberOf reads the number after a name that begins a line of a file.
func numberOf(b *testing.B, file, name string) int {
	b.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, name); found {
			n, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				b.Fatal(err)
			}
			return n
		}
	}
	b.Fatalf("%s has no %q", file, name)
	return 0
}
