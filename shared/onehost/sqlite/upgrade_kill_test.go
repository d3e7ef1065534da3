package sqlite

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// upgradedPath tells the child process, which is this test binary once more, which file to bring up to date.
const upgradedPath = "SMSRELAY_TEST_UPGRADED_PATH"

// TestUpgradedChild is no test by itself: it is what TestKilledInTheMiddleOfAnUpgrade runs in another process.
func TestUpgradedChild(t *testing.T) {
	path := os.Getenv(upgradedPath)
	if path == "" {
		t.Skip("runs only as the child of TestKilledInTheMiddleOfAnUpgrade")
	}
	fmt.Println("opens")
	openAt(t, path, time.Now)
	fmt.Println("opened")
	time.Sleep(time.Minute)
}

// Whatever the moment at which the process is killed: the schema is the one before or the new one, and the next start finishes it.
func TestKilledInTheMiddleOfAnUpgrade(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	all := releases(t)
	versions := map[int]int{}
	for range 16 {
		path := ofRelease(t, all[len(all)-1])
		before, err := Inspect(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		openAndKill(t, path, time.Duration(rand.Int64N(int64(200*time.Millisecond))))
		after, err := Inspect(t.Context(), path)
		if err != nil || after.Version != before.Version && after.Version != SchemaVersion() {
			t.Errorf("after the kill: %+v, error %v", after, err)
		}
		versions[after.Version]++
		db := openAt(t, path, time.Now)
		checkIntegrity(t, db)
		if copies, err := Copies(path); err != nil || len(copies) == 0 {
			t.Errorf("copies %v, error %v; want one at least", copies, err)
		}
		if _, err := db.Ledger().Create(t.Context(), relaytest.Record(1, noon)); err != nil {
			t.Errorf("create a record: %v", err)
		}
	}
	t.Logf("the versions after the kills: %v", versions)
}

// openAndKill has a child process open the file, and kills it after a while.
func openAndKill(t *testing.T, path string, after time.Duration) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestUpgradedChild$", "-test.v")
	child.Env = append(os.Environ(), upgradedPath+"="+path)
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	for lines.Scan() && lines.Text() != "opens" {
		continue
	}
	time.Sleep(after)
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); err == nil || child.ProcessState.Exited() {
		t.Fatalf("the child ended by itself: %v", err)
	}
}

// What this program writes has no fields that it does not know, and is the record that it would have been without them
// (docs/decisions/0021-versions-of-the-data.md).
func TestFieldsOfANewerProgram(t *testing.T) {
	db := openNew(t)
	stored, err := db.Ledger().Create(t.Context(), relaytest.Record(1, noon))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.writer.exec(t.Context(), "UPDATE ledger SET record = json_set(record, '$.OfTheNext', 'x')"); err != nil {
		t.Fatal(err)
	}
	read, err := db.Ledger().Get(t.Context(), stored.MessageSid)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Ledger().Update(t.Context(), read); err != nil {
		t.Fatal(err)
	}
	var item string
	if _, err := db.reader.get(t.Context(), []any{&item}, "SELECT record FROM ledger"); err != nil {
		t.Fatal(err)
	}
	read.Version++
	if want, err := encodeRecord(read); err != nil || item != want {
		t.Errorf("stored %s, want %s; error %v", item, want, err)
	}
}
