// Command driver runs tests, mutants and observations of Go packages inside the sandbox. It is built in the container
// from these files and the standard library alone; what it reports is described in languages/report.py.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const work = "/work"

// Where reports go. Tests are not told.
var reportFolder = os.Getenv("QV_OUT")

// A request is what the host asks. Paths are relative to the work folder.
type request struct {
	Task      string            `json:"task"`
	Modules   []string          `json:"modules"`
	Files     map[string]string `json:"files"`
	OwnFiles  []string          `json:"own_files"`
	Sources   []string          `json:"sources"`
	Only      []string          `json:"only"`
	Seed      int               `json:"seed"`
	Coverage  bool              `json:"coverage"`
	TestS     int               `json:"test_s"`
	DeadlineS int               `json:"deadline_s"`
	Mutants   []mutant          `json:"mutants"`
	Watch     string            `json:"watch"`
}

type record map[string]any

// A report is kept in memory and written whole: what code under test does to the file is undone by the next writing.
type report struct {
	path    string
	mutex   sync.Mutex
	content []byte
	written time.Time
}

var reports []*report

func newReport(name string) *report {
	one := &report{path: filepath.Join(reportFolder, name), written: time.Now()}
	reports = append(reports, one)
	return one
}

func (r *report) write(one record) {
	if line, err := json.Marshal(one); err == nil {
		r.add(line)
	}
}

// add writes a record that is JSON already.
func (r *report) add(line []byte) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.content = append(append(r.content, line...), '\n')
	if time.Since(r.written) > 2*time.Second {
		r.save()
	}
}

func (r *report) save() {
	part := r.path + ".part"
	os.RemoveAll(part)
	err := os.WriteFile(part, r.content, 0o644)
	if err == nil && os.Rename(part, r.path) != nil {
		os.RemoveAll(r.path)
		err = os.Rename(part, r.path)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	r.written = time.Now()
}

func clipped(text string, most int) string {
	text = strings.ToValidUTF8(text, "?")
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "")
}

var deadline time.Time

func main() {
	content, err := os.ReadFile(os.Args[1])
	var asked request
	if err == nil {
		err = json.Unmarshal(content, &asked)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	os.Unsetenv("QV_OUT")
	deadline = time.Now().Add(time.Duration(asked.DeadlineS) * time.Second)
	for _, folder := range asked.Modules {
		// Packages without a module are one of their own.
		manifest := filepath.Join(work, folder, "go.mod")
		if _, err := os.Lstat(manifest); os.IsNotExist(err) {
			os.WriteFile(manifest, []byte("module project\n\ngo 1.21\n"), 0o644)
		}
	}
	layZone()
	switch asked.Task {
	case "suite":
		runSuite(&asked)
	case "mutants":
		runMutants(&asked)
	case "observe":
		runObservation(&asked)
	}
	for _, one := range reports {
		one.save()
	}
}

// layZone gives the time zone that the environment writes in the notation of POSIX (NPT-5:45) as a file, because Go reads
// files only. Format: RFC 9636, version 2, one local time type and the notation in the footer.
func layZone() {
	zone := os.Getenv("TZ")
	if zone == "" || !strings.ContainsAny(zone, "0123456789") {
		return
	}
	block := "TZif2" + strings.Repeat("\x00", 15) +
		strings.Repeat("\x00", 16) + "\x00\x00\x00\x01" + "\x00\x00\x00\x04" +
		"\x00\x00\x00\x00\x00\x00" + "UTC\x00"
	file := "/tmp/qverify/zone"
	if os.WriteFile(file, []byte(block+block+"\n"+zone+"\n"), 0o644) == nil {
		os.Setenv("TZ", file)
	}
}
