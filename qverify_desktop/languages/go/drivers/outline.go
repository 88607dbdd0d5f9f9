package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
)

// A spot is a place whose counter is asked for.
type spot struct{ line, column int }

// An arm is one way out of a decision: taken where the counter at one spot is not zero, or, for the way that holds no
// statement, where the decision was met more often than its other arms.
type arm struct {
	line, number int
	at           spot
	without      []spot
}

// An outline is what of a file can be covered.
type outline struct {
	statements []spot
	arms       []arm
}

var outlines = map[string]*outline{}

func outlineOf(file string) *outline {
	if found := outlines[file]; found != nil {
		return found
	}
	found := &outline{}
	outlines[file] = found
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, filepath.Join(work, file), nil, parser.SkipObjectResolution)
	if err != nil {
		return found
	}
	at := func(pos token.Pos) spot {
		place := set.PositionFor(pos, false)
		return spot{place.Line, place.Column}
	}
	numbers := map[int]int{}
	add := func(line int, place spot, without []spot) {
		numbers[line]++
		found.arms = append(found.arms, arm{line, numbers[line], place, without})
	}
	for _, decl := range tree.Decls {
		function, ok := decl.(*ast.FuncDecl)
		if !ok || function.Body == nil {
			continue
		}
		ast.Inspect(function.Body, func(node ast.Node) bool {
			switch one := node.(type) {
			case *ast.BlockStmt, *ast.EmptyStmt, *ast.LabeledStmt, *ast.CaseClause, *ast.CommClause, nil:
			case *ast.DeclStmt:
				if general, ok := one.Decl.(*ast.GenDecl); ok && general.Tok == token.VAR {
					found.statements = append(found.statements, at(one.Pos()))
				}
			case ast.Stmt:
				found.statements = append(found.statements, at(one.Pos()))
			}
			switch one := node.(type) {
			case *ast.IfStmt:
				place := at(one.Pos())
				body := at(one.Body.Lbrace)
				add(place.line, body, nil)
				if one.Else == nil {
					add(place.line, place, []spot{body})
				} else {
					add(place.line, at(one.Else.Pos()), nil)
				}
			case *ast.ForStmt:
				add(at(one.Pos()).line, at(one.Body.Lbrace), nil)
			case *ast.RangeStmt:
				add(at(one.Pos()).line, at(one.Body.Lbrace), nil)
			case *ast.SwitchStmt:
				addClauses(at(one.Pos()), one.Body, at, add)
			case *ast.TypeSwitchStmt:
				addClauses(at(one.Pos()), one.Body, at, add)
			case *ast.SelectStmt:
				addClauses(at(one.Pos()), one.Body, at, onlyWritten(add))
			}
			return true
		})
	}
	return found
}

// onlyWritten leaves out the way around a select statement: there is none.
func onlyWritten(add func(int, spot, []spot)) func(int, spot, []spot) {
	return func(line int, place spot, without []spot) {
		if without == nil {
			add(line, place, nil)
		}
	}
}

func addClauses(place spot, body *ast.BlockStmt, at func(token.Pos) spot, add func(int, spot, []spot)) {
	all := []spot{}
	whole := false
	for _, statement := range body.List {
		var colon token.Pos
		switch clause := statement.(type) {
		case *ast.CaseClause:
			colon = clause.Colon
			whole = whole || clause.List == nil
		case *ast.CommClause:
			colon = clause.Colon
			whole = whole || clause.Comm == nil
		}
		all = append(all, at(colon+1))
		add(place.line, at(colon+1), nil)
	}
	if !whole {
		add(place.line, place, all)
	}
}
