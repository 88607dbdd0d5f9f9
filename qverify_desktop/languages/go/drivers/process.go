package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// A verdict is what one test did.
type verdict struct {
	status, message, raised, observed string
	inTest                            bool
	frames                            []string
	ms                                int
}

// A run is one process of a test program.
type run struct {
	verdicts map[string]*verdict
	begun    string
	timedOut bool
	exit     int
	profile  string
	tail     string
	records  []byte
	news     atomic.Int64
}

var numberOfRuns atomic.Int64

// The testing package's own marks (cmd/internal/test2json): a byte 0x16 before each line that is no output of a test.
var mark = regexp.MustCompile(`^\x16?(=== RUN|=== NAME|=== CONT|=== PAUSE|--- PASS:|--- FAIL:|--- SKIP:) +([^ ]{0,500})(?: \((\d{1,9}\.\d{1,3})s\))?`)

const mostOutput = 1 << 20

// start runs tests of a package in one process and reads what they did. A test that is never reported has no verdict. The process
// is ended when no test has begun or ended for as long as limit says.
func start(one *pkg, names []string, cover bool, seed int, limit time.Duration, env ...string) *run {
	number := numberOfRuns.Add(1)
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = regexp.QuoteMeta(name)
	}
	arguments := []string{"-test.run=^(" + strings.Join(quoted, "|") + ")$", "-test.v=test2json", "-test.paniconexit0", "-test.timeout=0"}
	done := &run{verdicts: map[string]*verdict{}}
	if cover {
		done.profile = fmt.Sprintf("/tmp/qverify/cover-%d", number)
		arguments = append(arguments, "-test.coverprofile="+done.profile)
	}
	if seed != 0 {
		arguments = append(arguments, fmt.Sprintf("-test.shuffle=%d", seed))
	}
	records := fmt.Sprintf("/tmp/qverify/records-%d", number)
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	command := exec.CommandContext(ctx, one.binary, arguments...)
	command.Dir = filepath.Join(work, one.dir)
	// The folder of the reports is nobody's business in there.
	inherited := slices.DeleteFunc(os.Environ(), func(one string) bool { return strings.HasPrefix(one, "QV_OUT=") })
	command.Env = append(append(inherited, "QV_RECORDS="+records, "GOTRACEBACK=all"), env...)
	command.WaitDelay = time.Second
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	output, err := command.StdoutPipe()
	command.Stderr = command.Stdout
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		done.tail = err.Error()
		return done
	}
	done.news.Store(time.Now().UnixNano())
	finished := make(chan struct{})
	go func() {
		done.read(output)
		close(finished)
	}()
	done.watch(finished, cancel, limit, limit*time.Duration(len(names)+1))
	select {
	case <-finished:
	case <-time.After(2 * time.Second):
		output.Close()
		<-finished
	}
	err = command.Wait()
	syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
	done.exit = command.ProcessState.ExitCode()
	done.records, _ = os.ReadFile(records)
	os.Remove(records)
	done.take()
	return done
}

// watch waits for the end of the output, and cancels the process when it has been without news for too long, or takes too long
// with all of it: what it prints may pretend to be news.
func (r *run) watch(finished chan struct{}, cancel func(), limit, whole time.Duration) {
	last := time.Now().Add(whole)
	if last.After(deadline) {
		last = deadline
	}
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-finished:
			return
		case now := <-ticker.C:
			if now.Sub(time.Unix(0, r.news.Load())) > limit || now.After(last) {
				r.timedOut = true
				cancel()
				return
			}
		}
	}
}

func (r *run) read(from io.Reader) {
	reader := bufio.NewReaderSize(from, 64*1024)
	current := ""
	for {
		line, err := reader.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull && len(line) == 0 {
			return
		}
		text := strings.TrimRight(string(line), "\n")
		match := mark.FindStringSubmatch(text)
		if match != nil {
			r.news.Store(time.Now().UnixNano())
		}
		switch {
		case match == nil:
			if len(r.tail) < mostOutput {
				r.tail += text + "\n"
			}
			if one := r.verdicts[top(current)]; one != nil && len(one.message) < 2000 {
				one.message += strings.TrimSpace(text) + "\n"
			}
		case strings.HasPrefix(match[1], "==="):
			current = match[2]
			if name := top(current); name != "" && r.verdicts[name] == nil {
				r.verdicts[name] = &verdict{}
				r.begun = name
			}
		case !strings.Contains(match[2], "/"):
			one := r.verdicts[match[2]]
			if one == nil {
				one = &verdict{}
				r.verdicts[match[2]] = one
			}
			one.status = map[string]string{"--- PASS:": "passed", "--- FAIL:": "failed", "--- SKIP:": "skipped"}[match[1]]
			var seconds float64
			fmt.Sscanf(match[3], "%f", &seconds)
			one.ms = int(seconds * 1000)
			current = match[2]
		}
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}

func top(name string) string {
	before, _, _ := strings.Cut(name, "/")
	return before
}

type watched struct {
	Test     string   `json:"test"`
	Observed string   `json:"observed"`
	Raised   string   `json:"raised"`
	Message  string   `json:"message"`
	Frames   []string `json:"frames"`
	Failed   bool     `json:"failed"`
	Ended    bool     `json:"ended"`
}

// take adds what the generated tests wrote of themselves.
func (r *run) take() {
	if len(r.records) > 8<<20 {
		return
	}
	for _, line := range strings.Split(string(r.records), "\n") {
		var one watched
		if json.Unmarshal([]byte(line), &one) != nil {
			continue
		}
		found := r.verdicts[one.Test]
		if found == nil {
			continue
		}
		if one.Observed != "" {
			found.observed = one.Observed
		}
		if one.Ended && one.Failed {
			found.raised, found.frames = one.Raised, one.Frames
			found.inTest = one.Raised == ""
			if one.Message != "" {
				found.message = one.Message
			}
			if one.Raised != "" {
				found.observed = "panics: " + one.Message
			}
		}
	}
}
