package main

import (
	"math/rand"
	"os"
	"sort"
	"strings"
	"sync"
	"time"
)

// A suite is one run of generated tests, and with them of the project's own.
type suite struct {
	asked   *request
	out     *report
	builder *builder
	places  map[string]string
	sources map[string]bool
	all     map[string]*covered
	mutex   sync.Mutex
}

func runSuite(asked *request) {
	s := &suite{
		asked: asked, out: newReport("suite.jsonl"), places: modulePlaces(asked.Modules),
		sources: map[string]bool{}, all: map[string]*covered{},
	}
	for _, file := range asked.Sources {
		s.sources[file] = true
	}
	s.builder = newBuilder(asked, asked.Coverage)
	expected := []string{}
	for _, one := range s.builder.pkgs {
		for _, test := range one.tests() {
			if s.wanted(test) {
				expected = append(expected, test.id())
			}
		}
	}
	s.out.write(record{"kind": "expected", "tests": expected})
	s.builder.build()
	for _, key := range sortedKeys(s.builder.errors) {
		s.out.write(record{"kind": "collect_error", "file": key, "message": s.builder.errors[key]})
	}
	for _, one := range s.builder.pkgs {
		if len(one.own) > 0 && one.built() {
			s.runOwn(one)
		}
	}
	s.runGenerated()
	s.writeCoverage()
	s.out.write(record{"kind": "done"})
}

func (s *suite) wanted(test *testFunc) bool {
	if len(s.asked.Only) == 0 {
		return true
	}
	for _, id := range s.asked.Only {
		if id == test.id() {
			return true
		}
	}
	return false
}

func (s *suite) limit() time.Duration { return time.Duration(s.asked.TestS) * time.Second }

// runOwn runs the tests of a package as the go command would, and those that a hang or a crash kept from running alone.
func (s *suite) runOwn(one *pkg) {
	tests := map[string]*testFunc{}
	names := []string{}
	for _, test := range one.own {
		if s.wanted(test) {
			tests[test.name] = test
			names = append(names, test.name)
		}
	}
	if len(names) == 0 {
		return
	}
	together := start(one, names, s.asked.Coverage, 0, s.limit())
	s.cover(together.profile, nil)
	passed := []*testFunc{}
	for _, name := range names {
		seen := together.verdicts[name]
		crashed := together.exit == 2 && together.begun == name && (seen == nil || seen.status != "passed")
		if seen == nil || seen.status == "" || crashed {
			s.alone(one, tests[name], true)
			continue
		}
		s.tell(tests[name], seen)
		if seen.status == "passed" {
			passed = append(passed, tests[name])
		}
	}
	// What each reaches, the fastest first, for at most half of the time that is left.
	if !s.asked.Coverage {
		return
	}
	sort.SliceStable(passed, func(i, j int) bool {
		return together.verdicts[passed[i].name].ms < together.verdicts[passed[j].name].ms
	})
	half := time.Now().Add(time.Until(deadline) / 2)
	s.each(passed, func(test *testFunc) {
		if time.Now().Before(half) {
			done := start(one, []string{test.name}, true, 0, s.limit())
			s.cover(done.profile, test)
		}
	})
}

func (s *suite) runGenerated() {
	type item struct {
		pkg  *pkg
		test *testFunc
	}
	items := []item{}
	for _, one := range s.builder.pkgs {
		if !one.built() {
			continue
		}
		names := []string{}
		tests := map[string]*testFunc{}
		for _, file := range one.files {
			for _, test := range file.tests {
				if s.wanted(test) {
					names = append(names, test.name)
					tests[test.name] = test
				}
			}
		}
		if !s.asked.Coverage && len(names) > 1 {
			// Repetitions: tests of a package share a process, as they will in the repository.
			together := start(one, names, false, s.asked.Seed, s.limit())
			for _, name := range names {
				seen := together.verdicts[name]
				if seen != nil && seen.status != "" && !(together.exit > 1 && together.begun == name) {
					s.tell(tests[name], seen)
					delete(tests, name)
				}
			}
		}
		for _, name := range names {
			if tests[name] != nil {
				items = append(items, item{one, tests[name]})
			}
		}
	}
	if s.asked.Seed != 0 {
		chance := rand.New(rand.NewSource(int64(s.asked.Seed)))
		chance.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	}
	pkgs := map[*testFunc]*pkg{}
	tests := []*testFunc{}
	for _, one := range items {
		pkgs[one.test] = one.pkg
		tests = append(tests, one.test)
	}
	s.each(tests, func(test *testFunc) { s.alone(pkgs[test], test, s.asked.Coverage) })
}

// each does something for every test, two at a time.
func (s *suite) each(tests []*testFunc, do func(*testFunc)) {
	queue := make(chan *testFunc)
	var waiting sync.WaitGroup
	for worker := 0; worker < 2; worker++ {
		waiting.Add(1)
		go func() {
			defer waiting.Done()
			for test := range queue {
				if time.Now().Before(deadline) {
					do(test)
				}
			}
		}()
	}
	for _, test := range tests {
		queue <- test
	}
	close(queue)
	waiting.Wait()
}

// alone runs one test in a process of its own.
func (s *suite) alone(one *pkg, test *testFunc, cover bool) {
	done := start(one, []string{test.name}, cover && s.asked.Coverage, 0, s.limit())
	seen := done.verdicts[test.name]
	if seen == nil {
		seen = &verdict{}
	}
	switch {
	case done.timedOut:
		seen.status, seen.message = "error", "It did not end in time."
	case seen.status == "" || done.exit != 0 && seen.status != "failed":
		seen.status = "error"
		seen.message = "It ended its process. " + seen.message + done.tail
	}
	s.tell(test, seen)
	s.cover(done.profile, test)
}

func (s *suite) tell(test *testFunc, seen *verdict) {
	one := record{"kind": "test", "test": test.id(), "status": seen.status, "duration_ms": seen.ms}
	if seen.status != "passed" {
		one["message"] = clipped(strings.TrimSpace(seen.message), 2000)
		one["raised"] = clipped(seen.raised, 200)
		one["in_test"] = seen.inTest
		if seen.frames != nil {
			one["frames"] = seen.frames
		}
	}
	one["observed"] = clipped(seen.observed, 2000)
	s.mutex.Lock()
	s.out.write(one)
	s.mutex.Unlock()
}

// cover adds a profile to the whole, and as the footprint of a test.
func (s *suite) cover(profile string, test *testFunc) {
	if profile == "" {
		return
	}
	found := readProfile(profile, s.placesCopy())
	os.Remove(profile)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	lines, branches := map[string][]int{}, map[string][][2]int{}
	for file, blocks := range found {
		if !s.sources[file] {
			continue
		}
		if s.all[file] == nil {
			s.all[file] = newCovered()
		}
		measured(file, blocks, s.all[file])
		own := newCovered()
		measured(file, blocks, own)
		if len(own.coveredLines) > 0 {
			lines[file], branches[file] = linesOf(own.coveredLines), arcsOf(own.coveredBranches)
		}
	}
	if test != nil {
		s.out.write(record{"kind": "footprint", "test": test.id(), "lines": lines, "branches": branches})
	}
}

func (s *suite) placesCopy() map[string]string {
	found := make(map[string]string, len(s.places))
	for key, value := range s.places {
		found[key] = value
	}
	return found
}

func (s *suite) writeCoverage() {
	if !s.asked.Coverage {
		return
	}
	for _, file := range s.asked.Sources {
		one := s.all[file]
		if one == nil && len(s.asked.OwnFiles) == 0 && len(s.asked.Files) > 0 {
			continue
		}
		if one == nil {
			one = newCovered()
			measured(file, nil, one)
		}
		s.out.write(record{
			"kind": "coverage", "file": file,
			"lines": linesOf(one.lines), "covered": linesOf(one.coveredLines),
			"branches": arcsOf(one.branches), "covered_branches": arcsOf(one.coveredBranches),
		})
	}
}
