package main

import (
	"fmt"
	"sort"
	"time"
)

type mutant struct {
	ID          string   `json:"id"`
	File        string   `json:"file"`
	Start       int      `json:"start"`
	End         int      `json:"end"`
	Original    string   `json:"original"`
	Replacement string   `json:"replacement"`
	Tests       []string `json:"tests"`
	number      int
}

func runMutants(asked *request) {
	out := newReport("mutants.jsonl")
	s := newSchemata(asked.Mutants)
	s.write()
	b := newBuilder(asked, false)
	b.mutating = s
	wanted := b.narrow(asked.Mutants)
	b.build()
	pkgs, tests := map[string]*pkg{}, map[string]*testFunc{}
	for _, one := range b.pkgs {
		for _, test := range one.tests() {
			if one.built() && wanted[test.id()] {
				pkgs[test.id()], tests[test.id()] = one, test
			}
		}
	}
	// Unmutated: what fails without a mutant says nothing of one.
	limits, sound := map[*pkg]time.Duration{}, map[string]bool{}
	for _, one := range b.pkgs {
		if !one.built() {
			continue
		}
		list := []*testFunc{}
		for _, test := range one.tests() {
			if wanted[test.id()] {
				list = append(list, test)
			}
		}
		began := time.Now()
		failing, hung := try(one, list, 0, time.Minute)
		limits[one] = 2*time.Second + 5*time.Since(began)
		for _, test := range list {
			sound[test.id()] = !hung
		}
		for _, id := range failing {
			sound[id] = false
		}
	}
	for i := range asked.Mutants {
		one := &asked.Mutants[i]
		if s.unbuildable[one.ID] {
			out.write(record{"kind": "mutant", "mutant": one.ID, "status": "invalid", "killed_by": []string{}})
			continue
		}
		byPkg := map[*pkg][]*testFunc{}
		for _, id := range one.Tests {
			if sound[id] {
				byPkg[pkgs[id]] = append(byPkg[pkgs[id]], tests[id])
			}
		}
		if len(byPkg) == 0 || time.Now().After(deadline) {
			out.write(record{"kind": "mutant", "mutant": one.ID, "status": "not_run", "killed_by": []string{}})
			continue
		}
		status, killers := "survived", []string{}
		for where, list := range byPkg {
			found, hung := try(where, list, one.number, limits[where])
			killers = append(killers, found...)
			if hung && status == "survived" {
				status = "timed_out"
			}
		}
		if len(killers) > 0 && status == "survived" {
			status = "killed"
		}
		sort.Strings(killers)
		out.write(record{"kind": "mutant", "mutant": one.ID, "status": status, "killed_by": killers})
	}
	out.write(record{"kind": "done"})
}

// narrow keeps the packages and the own tests that a mutant names, and says which tests are named.
func (b *builder) narrow(mutants []mutant) map[string]bool {
	wanted := map[string]bool{}
	for _, one := range mutants {
		for _, id := range one.Tests {
			wanted[id] = true
		}
	}
	kept := []*pkg{}
	for _, one := range b.pkgs {
		own := []*testFunc{}
		for _, test := range one.own {
			if wanted[test.id()] {
				own = append(own, test)
			}
		}
		one.own = own
		if len(one.tests()) > 0 {
			kept = append(kept, one)
		}
	}
	b.pkgs = kept
	return wanted
}

// try runs tests with a mutant in place: together, and those that a crash kept from running again without what ended the process.
func try(one *pkg, tests []*testFunc, number int, limit time.Duration) ([]string, bool) {
	killers := []string{}
	left := tests
	for attempt := 0; attempt < 8 && len(left) > 0; attempt++ {
		names := []string{}
		for _, test := range left {
			names = append(names, test.name)
		}
		done := start(one, names, false, 0, limit, fmt.Sprintf("QV_MUTANT=%d", number))
		rest := []*testFunc{}
		ended := false
		for _, test := range left {
			seen := done.verdicts[test.name]
			switch {
			case seen != nil && seen.status == "failed":
				killers = append(killers, test.id())
			case seen != nil && seen.status != "" && !(done.exit > 1 && done.begun == test.name):
			case done.begun == test.name:
				killers = append(killers, test.id())
				ended = true
			default:
				rest = append(rest, test)
			}
		}
		if done.timedOut {
			return killers, true
		}
		if !ended && len(rest) == len(left) {
			// The process ends before any test: the mutant breaks what runs before them.
			for _, test := range rest {
				killers = append(killers, test.id())
			}
			return killers, false
		}
		left = rest
	}
	return killers, false
}
