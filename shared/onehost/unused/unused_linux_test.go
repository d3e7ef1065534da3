package unused

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"modernc.org/libc"
)

// TestUnchanged: of the program's file, what can be written to or was written to stays.
func TestUnchanged(t *testing.T) {
	t.Parallel()
	const maps = `00400000-0132d000 r-xp 00000000 fe:00 12345                              /usr/bin/relay
Size:              15540 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
0132d000-02151000 r--p 00f2d000 fe:00 12345                              /usr/bin/relay
Anonymous:             4 kB
02151000-02160000 r--p 01d51000 fe:00 12345                              /usr/bin/relay
Anonymous:             0 kB
02160000-02211000 rw-p 01d60000 fe:00 12345                              /usr/bin/relay
Anonymous:             0 kB
7fdde8610000-7fdde8a00000 r--p 00000000 fe:00 12346                      /usr/lib/relay
Anonymous:             0 kB
7fdde8610000-7fdde8a00000 rw-p 00000000 00:00 0
Anonymous:             0 kB
`
	got, err := unchanged(strings.NewReader(maps), "/usr/bin/relay")
	want := []part{{0x400000, 0x132d000}, {0x2151000, 0x2160000}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%x, error %v; want %x", got, err, want)
	}
}

// TestGiveBackProgram: the program goes on, with fewer pages of its own file.
func TestGiveBackProgram(t *testing.T) {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	before := resident(t, program)
	if err := GiveBackProgram(); err != nil {
		t.Fatal(err)
	}
	if after := resident(t, program); after >= before {
		t.Errorf("%d kB of the program are in memory, and %d kB were before", after, before)
	}
}

// resident is how many kB of a file are in the memory of this process.
func resident(t *testing.T, file string) (total int) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	isFile := false
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "-") && strings.Contains(line, " ") && !strings.Contains(strings.Fields(line)[0], ":") {
			isFile = strings.HasSuffix(strings.TrimSpace(line), " "+file)
		}
		if rss, found := strings.CutPrefix(line, "Rss:"); isFile && found {
			total += kilobytes(t, rss)
		}
	}
	return total
}

func kilobytes(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "kB")))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestGiveBackFreed: what was allocated as SQLite does, and freed, is not in memory any longer, and can be used again.
func TestGiveBackFreed(t *testing.T) {
	tls := libc.NewTLS()
	defer tls.Close()
	fill := func() (blocks []uintptr) {
		for range 2 * keptRegions {
			block := libc.Xmalloc(tls, blockBytes)
			if block == 0 {
				t.Fatal("out of memory")
			}
			libc.Xmemset(tls, block, 'x', blockBytes)
			blocks = append(blocks, block)
		}
		return blocks
	}
	inMemory := func(blocks []uintptr) (n int) {
		for _, block := range blocks {
			if from, _ := pagesOf(block); isResident(from) {
				n++
			}
		}
		return n
	}
	for range 2 {
		blocks := fill()
		if got := inMemory(blocks); got != len(blocks) {
			t.Errorf("%d of %d blocks are in memory", got, len(blocks))
		}
		for _, block := range blocks {
			libc.Xfree(tls, block)
		}
		if got := inMemory(blocks); got == 0 {
			t.Error("the allocator keeps nothing: this package is not needed any longer")
		}
		if err := GiveBack(); err != nil {
			t.Fatal(err)
		}
		if got := inMemory(blocks); got > 0 {
			t.Errorf("%d freed blocks are in memory still", got)
		}
	}
}
