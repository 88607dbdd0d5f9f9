package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"
)

const mostHangs = 3

// runObservation runs the functions that call targets; a call that hangs or ends the process is passed over.
func runObservation(asked *request) {
	out := newReport("observed.jsonl")
	built := newBuilder(asked, true)
	built.build()
	for _, one := range built.pkgs {
		if !one.built() {
			continue
		}
		for _, file := range one.files {
			for _, test := range file.tests {
				observe(one, test.name, time.Duration(asked.TestS)*time.Second, out)
			}
		}
	}
	out.write(record{"kind": "done"})
}

func observe(one *pkg, name string, limit time.Duration, out *report) {
	from := 0
	for attempt := 0; attempt < mostHangs && time.Now().Before(deadline); attempt++ {
		last := -1
		finished := false
		done := start(one, []string{name}, true, 0, limit, fmt.Sprintf("QV_FROM=%d", from))
		os.Remove(done.profile)
		for _, line := range strings.Split(string(done.records), "\n") {
			var seen struct {
				Kind  string
				Index int
				Ended bool
			}
			if len(line) > 64*1024 || json.Unmarshal([]byte(line), &seen) != nil {
				continue
			}
			switch {
			case seen.Kind == "trying":
				last = seen.Index
			case seen.Kind == "call":
				out.add([]byte(line))
			case seen.Ended:
				finished = true
			}
		}
		if finished || last < 0 {
			return
		}
		from = last + 1
	}
}
