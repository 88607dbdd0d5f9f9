package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Schemata (Untch, Offutt, Harrold 1993): all mutants are built at once. Each is a copy of its function, and the function begins
// with a switch that calls the copy which the environment names.
type schemata struct {
	files       map[string]*mutatedFile
	unbuildable map[string]bool
}

type mutatedFile struct {
	path, pkg string
	text      string
	functions []*mutatedFunc
	// spans are the lines of the copies, by mutant.
	spans []span
}

type span struct {
	first, last int
	mutant      *mutant
}

type mutatedFunc struct {
	decl    *ast.FuncDecl
	start   int
	end     int
	mutants []*mutant
}

func newSchemata(mutants []mutant) *schemata {
	s := &schemata{files: map[string]*mutatedFile{}, unbuildable: map[string]bool{}}
	byFile := map[string][]*mutant{}
	for i := range mutants {
		mutants[i].number = i + 1
		byFile[mutants[i].File] = append(byFile[mutants[i].File], &mutants[i])
	}
	for file, list := range byFile {
		s.add(file, list)
	}
	return s
}

func (s *schemata) add(file string, list []*mutant) {
	content, err := os.ReadFile(filepath.Join(work, file))
	set := token.NewFileSet()
	var tree *ast.File
	if err == nil {
		tree, err = parser.ParseFile(set, file, content, parser.ParseComments|parser.SkipObjectResolution)
	}
	if err != nil {
		for _, one := range list {
			s.unbuildable[one.ID] = true
		}
		return
	}
	found := &mutatedFile{path: file, pkg: tree.Name.Name, text: string(content)}
	for _, decl := range tree.Decls {
		if function, ok := decl.(*ast.FuncDecl); ok && function.Body != nil {
			start, end := set.Position(function.Pos()).Offset, set.Position(function.End()).Offset
			found.functions = append(found.functions, &mutatedFunc{decl: function, start: start, end: end})
		}
	}
	for _, one := range list {
		placed := false
		for _, function := range found.functions {
			body := set.Position(function.decl.Body.Lbrace).Offset
			if one.Start > body && one.End <= function.end && found.text[one.Start:one.End] == one.Original {
				function.mutants = append(function.mutants, one)
				placed = true
			}
		}
		if !placed {
			s.unbuildable[one.ID] = true
		}
	}
	s.files[file] = found
}

// write lays the files with all mutants that are valid so far over the originals.
func (s *schemata) write() {
	switched := map[string]string{}
	for _, file := range s.files {
		writeWork(file.path, s.rendered(file))
		switched[path.Dir(file.path)] = file.pkg
	}
	for dir, pkg := range switched {
		writeWork(path.Join(dir, "zz_qv_mutant.go"), "package "+pkg+`

import (
	qvos "os"
	qvstrconv "strconv"
)

var qvMutant, _ = qvstrconv.Atoi(qvos.Getenv("QV_MUTANT"))
`)
	}
}

func (s *schemata) rendered(file *mutatedFile) string {
	var out, copies strings.Builder
	last := 0
	copied := []*mutant{}
	for _, function := range file.functions {
		valid := []*mutant{}
		for _, one := range function.mutants {
			if !s.unbuildable[one.ID] {
				valid = append(valid, one)
			}
		}
		if len(valid) == 0 {
			continue
		}
		decl, offset := function.decl, function.start-int(function.decl.Pos())
		at := func(pos token.Pos) int { return int(pos) + offset }
		inserted := map[int]string{}
		receiver, arguments := named(decl, at, file.text, inserted)
		var dispatch strings.Builder
		dispatch.WriteString(" switch qvMutant {")
		for _, one := range valid {
			name := fmt.Sprintf("%s_qv%d", strings.TrimLeft(decl.Name.Name, "_"), one.number)
			call := receiver + name + typeArguments(decl) + "(" + arguments + ")"
			if decl.Type.Results.NumFields() > 0 {
				fmt.Fprintf(&dispatch, " case %d: return %s;", one.number, call)
			} else {
				fmt.Fprintf(&dispatch, " case %d: %s; return;", one.number, call)
			}
			text := file.text[function.start:at(decl.Name.Pos())] + name + file.text[at(decl.Name.End()):one.Start] +
				one.Replacement + file.text[one.End:function.end]
			copies.WriteString("\n" + text + "\n\x00")
			copied = append(copied, one)
		}
		dispatch.WriteString(" }; ")
		inserted[at(decl.Body.Lbrace)+1] = dispatch.String()
		changed := withInsertions(file.text[:function.end], inserted)
		// The text before this function went out already.
		out.WriteString(changed[last:])
		last = function.end
	}
	out.WriteString(file.text[last:])
	whole := out.String() + "\n"
	file.spans = nil
	line := strings.Count(whole, "\n") + 1
	for i, text := range strings.Split(copies.String(), "\x00") {
		if i < len(copied) {
			lines := strings.Count(text, "\n")
			file.spans = append(file.spans, span{line, line + lines, copied[i]})
			line += lines
			whole += text
		}
	}
	return whole
}

// named gives every parameter and the receiver a name to call a copy with.
func named(decl *ast.FuncDecl, at func(token.Pos) int, text string, inserted map[int]string) (string, string) {
	receiver, number := "", 0
	name := func(field *ast.Field) []string {
		if len(field.Names) == 0 {
			number++
			fresh := fmt.Sprintf("qvp%d", number)
			inserted[at(field.Type.Pos())] = fresh + " "
			return []string{fresh}
		}
		found := []string{}
		for _, ident := range field.Names {
			if ident.Name != "_" {
				found = append(found, ident.Name)
				continue
			}
			number++
			inserted[at(ident.Pos())+1] = fmt.Sprintf("qvp%d", number)
			found = append(found, fmt.Sprintf("_qvp%d", number))
		}
		return found
	}
	if decl.Recv != nil && len(decl.Recv.List) == 1 {
		receiver = name(decl.Recv.List[0])[0] + "."
	}
	arguments := []string{}
	for _, field := range decl.Type.Params.List {
		for _, one := range name(field) {
			if _, ok := field.Type.(*ast.Ellipsis); ok {
				one += "..."
			}
			arguments = append(arguments, one)
		}
	}
	return receiver, strings.Join(arguments, ", ")
}

func typeArguments(decl *ast.FuncDecl) string {
	if decl.Type.TypeParams == nil {
		return ""
	}
	names := []string{}
	for _, field := range decl.Type.TypeParams.List {
		for _, ident := range field.Names {
			names = append(names, ident.Name)
		}
	}
	return "[" + strings.Join(names, ", ") + "]"
}

// invalid marks the mutant in whose copy the compiler found an error; whether it was there.
func (s *schemata) invalid(file string, line int) bool {
	found := s.files[file]
	if found == nil {
		return false
	}
	for _, one := range found.spans {
		if line >= one.first && line <= one.last && !s.unbuildable[one.mutant.ID] {
			s.unbuildable[one.mutant.ID] = true
			return true
		}
	}
	return false
}
