package main

import (
	"bufio"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

// A block is a run of statements that are counted together (cmd/cover). Its end is not part of it.
type block struct {
	fromLine, fromColumn, toLine, toColumn, count int
}

func (b *block) holds(line, column int) bool {
	after := line > b.fromLine || line == b.fromLine && column >= b.fromColumn
	before := line < b.toLine || line == b.toLine && column < b.toColumn
	return after && before
}

var profileLine = regexp.MustCompile(`^([^:]{1,1000}):(\d{1,8})\.(\d{1,8}),(\d{1,8})\.(\d{1,8}) \d{1,8} (\d{1,18})$`)

// readProfile reads a profile into blocks by file, with the files' paths in the repository.
func readProfile(name string, places map[string]string) map[string][]block {
	found := map[string][]block{}
	file, err := os.Open(name)
	if err != nil {
		return found
	}
	defer file.Close()
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		match := profileLine.FindStringSubmatch(scanner.Text())
		if match == nil {
			continue
		}
		folder, ok := places[path.Dir(match[1])]
		if !ok {
			folder, ok = placeOf(path.Dir(match[1]), places)
		}
		if !ok {
			continue
		}
		numbers := [5]int{}
		for i := range numbers {
			numbers[i], _ = strconv.Atoi(match[i+2])
		}
		key := path.Join(folder, path.Base(match[1]))
		found[key] = append(found[key], block{numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]})
	}
	return found
}

// placeOf finds the folder of a package by the module whose path begins its own, and remembers it.
func placeOf(imported string, places map[string]string) (string, bool) {
	for above := imported; above != "." && above != "/" && above != ""; above = path.Dir(above) {
		if folder, ok := places[above]; ok {
			found := path.Join(folder, strings.TrimPrefix(strings.TrimPrefix(imported, above), "/"))
			places[imported] = found
			return found, true
		}
	}
	return "", false
}

var moduleLine = regexp.MustCompile(`(?m)^\s*module\s+"?([^\s"]{1,500})"?`)

// modulePlaces maps each module's path to its folder.
func modulePlaces(folders []string) map[string]string {
	found := map[string]string{}
	for _, folder := range folders {
		content, err := os.ReadFile(filepath.Join(work, folder, "go.mod"))
		if match := moduleLine.FindSubmatch(content); err == nil && match != nil {
			found[string(match[1])] = folder
		}
	}
	return found
}

// Covered are the sets of one file in one run.
type covered struct {
	lines, coveredLines, branches, coveredBranches map[[2]int]bool
}

func newCovered() *covered {
	return &covered{map[[2]int]bool{}, map[[2]int]bool{}, map[[2]int]bool{}, map[[2]int]bool{}}
}

// measured joins the statements and arms of a file with the blocks of a profile.
func measured(file string, blocks []block, into *covered) {
	plan := outlineOf(file)
	counts := map[spot]int{}
	count := func(place spot) int {
		if known, ok := counts[place]; ok {
			return known
		}
		best, size := -1, 0
		for i := range blocks {
			one := &blocks[i]
			span := (one.toLine-one.fromLine)*100000 + one.toColumn - one.fromColumn
			if one.holds(place.line, place.column) && (best < 0 || span <= size) {
				if span == size && best >= 0 && best > one.count {
					continue
				}
				best, size = one.count, span
			}
		}
		counts[place] = best
		return best
	}
	for _, place := range plan.statements {
		into.lines[[2]int{place.line, 0}] = true
		if count(place) > 0 {
			into.coveredLines[[2]int{place.line, 0}] = true
		}
	}
	for _, one := range plan.arms {
		key := [2]int{one.line, one.number}
		into.branches[key] = true
		times := count(one.at)
		for _, other := range one.without {
			times -= max(count(other), 0)
		}
		if times > 0 {
			into.coveredBranches[key] = true
		}
	}
}

func linesOf(set map[[2]int]bool) []int {
	found := make([]int, 0, len(set))
	for key := range set {
		found = append(found, key[0])
	}
	sort.Ints(found)
	return found
}

func arcsOf(set map[[2]int]bool) [][2]int {
	found := make([][2]int, 0, len(set))
	for key := range set {
		found = append(found, key)
	}
	sort.Slice(found, func(i, j int) bool {
		return found[i][0] < found[j][0] || found[i][0] == found[j][0] && found[i][1] < found[j][1]
	})
	return found
}
