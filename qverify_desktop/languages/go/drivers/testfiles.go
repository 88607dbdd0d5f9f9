package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
)

// A testFunc is one function that the testing package would run, with its lines in its file.
type testFunc struct {
	file, name  string
	first, last int
	generated   bool
}

func (t *testFunc) id() string { return t.file + "::" + t.name }

// A testFile is the text of a generated file, which loses what does not compile.
type testFile struct {
	path, pkg string
	lines     []string
	tests     []*testFunc
}

func isTestName(name, prefix string) bool {
	rest, ok := strings.CutPrefix(name, prefix)
	return ok && (rest == "" || !(rest[0] >= 'a' && rest[0] <= 'z'))
}

func ownTests(file string) []*testFunc {
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, filepath.Join(work, file), nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil || tree == nil {
		return nil
	}
	var found []*testFunc
	for _, decl := range tree.Decls {
		function, ok := decl.(*ast.FuncDecl)
		if !ok || function.Recv != nil || function.Body == nil {
			continue
		}
		name := function.Name.Name
		parameters := function.Type.Params.NumFields()
		test := (isTestName(name, "Test") || isTestName(name, "Fuzz")) && parameters == 1 && name != "TestMain"
		example := isTestName(name, "Example") && parameters == 0 && hasOutput(tree, function)
		if test || example {
			first, last := set.Position(function.Pos()).Line, set.Position(function.End()).Line
			found = append(found, &testFunc{file: file, name: name, first: first, last: last})
		}
	}
	return found
}

var outputComment = regexp.MustCompile(`(?i)^[[:space:]]*(unordered )?output:`)

// hasOutput says whether the function's last comment is one that the testing package compares.
func hasOutput(tree *ast.File, function *ast.FuncDecl) bool {
	found := false
	for _, group := range tree.Comments {
		if group.Pos() > function.Body.Lbrace && group.End() <= function.Body.Rbrace {
			found = outputComment.MatchString(group.Text())
		}
	}
	return found
}

// generatedFile reads a generated file and puts in its tests what reports on them. Lines keep their numbers.
func generatedFile(file, text string) (*testFile, error) {
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, file, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	one := &testFile{path: file, pkg: tree.Name.Name}
	inserted := map[int]string{}
	for _, decl := range tree.Decls {
		function, ok := decl.(*ast.FuncDecl)
		if !ok || function.Recv != nil || function.Body == nil || !isTestName(function.Name.Name, "Test") {
			continue
		}
		fields := function.Type.Params.List
		if len(fields) != 1 || len(fields[0].Names) != 1 || function.Name.Name == "TestMain" {
			continue
		}
		start := function.Pos()
		if function.Doc != nil {
			start = function.Doc.Pos()
		}
		one.tests = append(one.tests, &testFunc{
			file: file, name: function.Name.Name, generated: true,
			first: set.Position(start).Line, last: set.Position(function.End()).Line,
		})
		t := fields[0].Names[0].Name
		if t == "_" {
			continue
		}
		inserted[set.Position(function.Body.Lbrace).Offset+1] = " defer qvWatch(" + t + ")();"
		ast.Inspect(function.Body, func(node ast.Node) bool {
			assigned, ok := node.(*ast.AssignStmt)
			if ok && (assigned.Tok == token.DEFINE || assigned.Tok == token.ASSIGN) {
				if name, ok := assigned.Lhs[0].(*ast.Ident); ok && name.Name == "observed" {
					values := "observed"
					for _, other := range assigned.Lhs[1:] {
						if ident, ok := other.(*ast.Ident); ok && ident.Name != "_" {
							values += ", " + ident.Name
						}
					}
					inserted[set.Position(assigned.End()).Offset] = "; qvObserved(" + t + ", " + values + ")"
				}
			}
			return true
		})
	}
	one.lines = strings.Split(withInsertions(text, inserted), "\n")
	return one, nil
}

func withInsertions(text string, inserted map[int]string) string {
	offsets := make([]int, 0, len(inserted))
	for offset := range inserted {
		offsets = append(offsets, offset)
	}
	sort.Ints(offsets)
	var out strings.Builder
	last := 0
	for _, offset := range offsets {
		out.WriteString(text[last:offset])
		out.WriteString(inserted[offset])
		last = offset
	}
	out.WriteString(text[last:])
	return out.String()
}
