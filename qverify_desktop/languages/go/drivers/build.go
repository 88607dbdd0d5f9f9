package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A pkg is a folder with tests and the program that is built of them.
type pkg struct {
	dir, module, binary string
	files               []*testFile
	own                 []*testFunc
	said                string
}

// A builder builds the test programs of packages, in rounds: what does not compile is taken out, and the rest built again.
type builder struct {
	asked    *request
	pkgs     []*pkg
	errors   map[string]string
	aside    map[string]bool
	dropped  map[string]bool
	cover    bool
	mutating *schemata
}

const binaries = "/tmp/qverify/bin"

// The go command names a package that is missing, and not always the file that imports it.
var lost = regexp.MustCompile(`(?:no required module provides|cannot find module providing) package ([^\s;:]{1,200})`)

// A module of the graph that isn't there, or isn't locked.
var lookup = regexp.MustCompile(`(?m)^go: \S{1,400}: (?:module lookup disabled|missing go\.sum entry for go\.mod file)`)

var position = regexp.MustCompile(`^(?:vet: )?([^\s:][^:]{0,400}\.go):(\d{1,7})(?::\d{1,7})?: (.{0,600})`)

func newBuilder(asked *request, cover bool) *builder {
	b := &builder{asked: asked, errors: map[string]string{}, aside: map[string]bool{}, dropped: map[string]bool{}, cover: cover}
	byDir := map[string]*pkg{}
	at := func(file string) *pkg {
		dir := path.Dir(file)
		if byDir[dir] == nil {
			byDir[dir] = &pkg{dir: dir, module: moduleOf(asked.Modules, dir)}
			b.pkgs = append(b.pkgs, byDir[dir])
		}
		return byDir[dir]
	}
	for _, file := range asked.OwnFiles {
		for _, test := range ownTests(file) {
			at(file).own = append(at(file).own, test)
		}
	}
	for _, file := range sortedKeys(asked.Files) {
		one, err := generatedFile(file, asked.Files[file])
		if err != nil {
			b.errors[file] = err.Error()
			continue
		}
		at(file).files = append(at(file).files, one)
	}
	sort.Slice(b.pkgs, func(i, j int) bool { return b.pkgs[i].dir < b.pkgs[j].dir })
	for number, one := range b.pkgs {
		one.binary = fmt.Sprintf("%s/%d.test", binaries, number)
		watched := map[string]bool{}
		for _, file := range one.files {
			if !watched[file.pkg] {
				watched[file.pkg] = true
				text := strings.Replace(asked.Watch, "package watch\n", "package "+file.pkg+"\n", 1)
				writeWork(path.Join(one.dir, "zz_qv_watch_"+file.pkg+"_test.go"), text)
			}
		}
	}
	os.MkdirAll(binaries, 0o755)
	return b
}

func sortedKeys(from map[string]string) []string {
	keys := make([]string, 0, len(from))
	for key := range from {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

// moduleOf is the innermost of the modules' folders that holds dir.
func moduleOf(modules []string, dir string) string {
	best := ""
	for _, module := range modules {
		inside := dir == module || strings.HasPrefix(dir, module+"/")
		if inside && len(module) > len(best) {
			best = module
		}
	}
	return best
}

func writeWork(file, text string) {
	os.WriteFile(filepath.Join(work, file), []byte(text), 0o644)
}

const mostRounds = 12

// build builds every package that has tests left.
func (b *builder) build() {
	for _, one := range b.pkgs {
		for _, file := range one.files {
			writeWork(file.path, strings.Join(file.lines, "\n"))
		}
	}
	waiting := b.pkgs
	for round := 0; round < mostRounds && len(waiting) > 0 && time.Now().Before(deadline); round++ {
		changed := false
		for _, group := range groups(waiting) {
			changed = b.buildGroup(group) || changed
		}
		if b.mutating != nil {
			b.mutating.write()
		}
		var left []*pkg
		for _, one := range waiting {
			if !one.built() {
				left = append(left, one)
			}
		}
		waiting = left
		if !changed {
			break
		}
	}
	for _, one := range waiting {
		for _, test := range one.tests() {
			if b.errors[test.id()] == "" {
				b.errors[test.id()] = clipped(one.said, 2000)
			}
		}
	}
}

func (p *pkg) built() bool {
	_, err := os.Stat(p.binary)
	return err == nil
}

func (p *pkg) tests() []*testFunc {
	found := append([]*testFunc(nil), p.own...)
	for _, file := range p.files {
		found = append(found, file.tests...)
	}
	return found
}

var versionFolder = regexp.MustCompile(`^v[0-9]+$`)

// standsAlone says whether a package's program is not called as its folder: that of a module's root, or of a version.
func (p *pkg) standsAlone() bool {
	return p.dir == "." || p.dir == p.module || versionFolder.MatchString(path.Base(p.dir))
}

// groups are packages of one module whose folders have different names: one command builds them all.
func groups(pkgs []*pkg) [][]*pkg {
	var found [][]*pkg
	for _, one := range pkgs {
		placed := false
		for i, group := range found {
			fits := group[0].module == one.module && len(group) < 200 && !one.standsAlone() && !group[0].standsAlone()
			for _, other := range group {
				fits = fits && path.Base(other.dir) != path.Base(one.dir)
			}
			if fits {
				found[i] = append(group, one)
				placed = true
				break
			}
		}
		if !placed {
			found = append(found, []*pkg{one})
		}
	}
	return found
}

func (b *builder) buildGroup(group []*pkg) bool {
	out := binaries + "/group/"
	os.RemoveAll(out)
	os.MkdirAll(out, 0o755)
	module := group[0].module
	arguments := []string{"test", "-c", "-vet=off", "-gcflags=-e", "-o", out}
	if b.cover {
		arguments = append(arguments, "-cover", "-covermode=atomic", "-coverpkg=./...")
	}
	for _, one := range group {
		arguments = append(arguments, "./"+strings.TrimPrefix(strings.TrimPrefix(one.dir, module), "/"))
	}
	said := goCommand(filepath.Join(work, module), arguments)
	for _, one := range group {
		entries, _ := filepath.Glob(out + "*.test")
		name := path.Base(one.dir)
		for _, entry := range entries {
			base := strings.TrimSuffix(path.Base(entry), ".test")
			if base == name || len(group) == 1 {
				os.Rename(entry, one.binary)
			}
		}
		if !one.built() {
			one.said = said
		}
	}
	return b.takeOut(module, group, said)
}

// dropLost takes requirements out of a module's go.mod that can't be had here: without a proxy the go command reads none of a
// module that is older than pruned graphs (Go modules reference, "Module graph pruning") until all of them are there, used or not.
func (b *builder) dropLost(module, said string) bool {
	if b.dropped[module] || !lookup.MatchString(said) {
		return false
	}
	b.dropped[module] = true
	dir := filepath.Join(work, module)
	var manifest struct {
		Require []struct{ Path, Version string }
	}
	if json.Unmarshal([]byte(goCommand(dir, []string{"mod", "edit", "-json"})), &manifest) != nil {
		return false
	}
	cache := strings.TrimSpace(goCommand(dir, []string{"env", "GOMODCACHE"}))
	edit := []string{"mod", "edit"}
	for _, one := range manifest.Require {
		known := filepath.Join(cache, "cache/download", escaped(one.Path), "@v", escaped(one.Version)+".mod")
		if _, err := os.Stat(known); err != nil {
			edit = append(edit, "-droprequire="+one.Path)
		}
	}
	return len(edit) > 2 && goCommand(dir, edit) == ""
}

// escaped is a path or version as the module cache writes it: a capital letter as "!" and the small one.
func escaped(text string) string {
	var out strings.Builder
	for _, letter := range text {
		if letter >= 'A' && letter <= 'Z' {
			out.WriteRune('!')
			letter += 'a' - 'A'
		}
		out.WriteRune(letter)
	}
	return out.String()
}

func goCommand(dir string, arguments []string) string {
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	command := exec.CommandContext(ctx, "go", arguments...)
	command.Dir = dir
	command.WaitDelay = 2 * time.Second
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	if err := command.Run(); err != nil && said.Len() == 0 {
		return err.Error()
	}
	return said.String()
}

// takeOut takes out what the compiler complains of; whether anything was.
func (b *builder) takeOut(module string, group []*pkg, said string) bool {
	changed := b.dropLost(module, said)
	for _, match := range lost.FindAllStringSubmatch(said, 20) {
		changed = b.setAsideImporters(group, match[1]) || changed
	}
	files := map[string]*testFile{}
	for _, one := range group {
		for _, file := range one.files {
			files[file.path] = file
		}
	}
	for _, line := range strings.Split(said, "\n") {
		match := position.FindStringSubmatch(line)
		if match == nil {
			continue
		}
		name := match[1]
		if filepath.IsAbs(name) {
			name = strings.TrimPrefix(name, work+"/")
		} else {
			name = path.Join(module, name)
		}
		number, _ := strconv.Atoi(match[2])
		if file := files[name]; file != nil {
			changed = b.takeOutOf(file, number, match[3]) || changed
		} else if b.mutating != nil && b.mutating.invalid(name, number) {
			changed = true
		} else if strings.HasSuffix(name, "_test.go") && !b.aside[name] && !strings.Contains(name, "zz_qv_watch") {
			b.setAside(group, name, match[3])
			changed = true
		}
	}
	return changed
}

// setAside takes a file of the project's own tests out of the build.
func (b *builder) setAside(group []*pkg, name, why string) {
	b.aside[name] = true
	b.errors[name] = clipped(why, 2000)
	os.Rename(filepath.Join(work, name), filepath.Join(work, name+".aside"))
	for _, one := range group {
		var kept []*testFunc
		for _, test := range one.own {
			if test.file != name {
				kept = append(kept, test)
			}
		}
		one.own = kept
	}
}

// setAsideImporters does so with test files that import a package which can't be had here.
func (b *builder) setAsideImporters(group []*pkg, imported string) bool {
	changed := false
	for _, one := range group {
		generated := map[string]bool{}
		for _, file := range one.files {
			generated[file.path] = true
		}
		names, _ := filepath.Glob(filepath.Join(work, one.dir, "*_test.go"))
		for _, full := range names {
			name := strings.TrimPrefix(full, work+"/")
			text, err := os.ReadFile(full)
			if err == nil && !generated[name] && !b.aside[name] && bytes.Contains(text, []byte(`"`+imported+`"`)) {
				b.setAside(group, name, "no package "+imported+" is there")
				changed = true
			}
		}
	}
	return changed
}

// takeOutOf blanks the test in which a line stands, or an import, or everything.
func (b *builder) takeOutOf(file *testFile, number int, message string) bool {
	if number < 1 || number > len(file.lines) || strings.TrimSpace(file.lines[number-1]) == "" {
		return false
	}
	blank := func(first, last int) {
		for i := first; i <= last && i <= len(file.lines); i++ {
			file.lines[i-1] = ""
		}
	}
	for i, test := range file.tests {
		if number >= test.first && number <= test.last {
			b.errors[test.id()] = clipped(fmt.Sprintf("line %d: %s", number-test.first+1, message), 2000)
			blank(test.first, test.last)
			file.tests = append(file.tests[:i:i], file.tests[i+1:]...)
			b.save(file)
			return true
		}
	}
	if strings.HasSuffix(strings.TrimSpace(file.lines[number-1]), `"`) {
		blank(number, number)
	} else {
		for _, test := range file.tests {
			b.errors[test.id()] = clipped(message, 2000)
		}
		file.tests = nil
		file.lines = []string{"package " + file.pkg}
	}
	b.save(file)
	return true
}

func (b *builder) save(file *testFile) {
	if len(file.tests) == 0 {
		file.lines = []string{"package " + file.pkg}
	}
	writeWork(file.path, strings.Join(file.lines, "\n"))
}
