package watch

// Laid beside generated tests while they run in the sandbox: what a test sees and how it ends is written to a file. It is compiled in
// the language version of their module, so it uses nothing that came after Go 1.

import (
	qvjson "encoding/json"
	qvfmt "fmt"
	qvos "os"
	qvreflect "reflect"
	qvruntime "runtime"
	qvsort "sort"
	qvstrconv "strconv"
	qvstrings "strings"
	qvtesting "testing"
)

func qvWrite(one map[string]interface{}) {
	name := qvos.Getenv("QV_RECORDS")
	line, err := qvjson.Marshal(one)
	if name == "" || err != nil {
		return
	}
	file, err := qvos.OpenFile(name, qvos.O_APPEND|qvos.O_CREATE|qvos.O_WRONLY, 0644)
	if err != nil {
		return
	}
	file.Write(append(line, '\n'))
	file.Close()
}

func qvClip(text string) string {
	if len(text) > 1500 {
		text = text[:1500] + "…"
	}
	return qvstrings.ToValidUTF8(text, "?")
}

func qvName(t *qvtesting.T) string {
	name, _, _ := qvstrings.Cut(t.Name(), "/")
	return name
}

func qvObserved(t *qvtesting.T, values ...interface{}) {
	budget := qvMost
	texts := make([]string, len(values))
	for i, one := range values {
		texts[i] = qvText(qvreflect.ValueOf(one), 8, &budget)
	}
	if n := len(values); n > 1 && values[n-1] == nil {
		texts = texts[:n-1]
	}
	qvWrite(map[string]interface{}{"test": qvName(t), "observed": qvClip(qvstrings.Join(texts, ", "))})
}

func qvWatch(t *qvtesting.T) func() {
	return func() {
		raised := recover()
		one := map[string]interface{}{"test": qvName(t), "ended": true, "failed": t.Failed() || raised != nil}
		if raised != nil {
			one["raised"] = qvfmt.Sprintf("%T", raised)
			one["message"] = qvClip(qvfmt.Sprint(raised))
			one["frames"] = qvFrames()
		}
		qvWrite(one)
		if raised != nil {
			t.Errorf("panic: %v", raised)
		}
	}
}

func qvFrames() []string {
	counters := make([]uintptr, 100)
	found := []string{}
	frames := qvruntime.CallersFrames(counters[:qvruntime.Callers(2, counters)])
	for {
		frame, more := frames.Next()
		file, inside := qvstrings.CutPrefix(frame.File, "/work/")
		if inside && !qvstrings.Contains(file, "zz_qv_watch") {
			found = append([]string{qvfmt.Sprintf("%s:%d", file, frame.Line)}, found...)
		}
		if !more || len(found) > 60 {
			return found
		}
	}
}

// qvHere is a type of this package.
type qvHere struct{}

// qvMost is how many values inside of one are looked at: what is nested can be as large as it likes.
const qvMost = 5000

// qvText is a value as Go source, more or less; it holds no addresses.
func qvText(value qvreflect.Value, depth int, budget *int) string {
	if !value.IsValid() {
		return "nil"
	}
	if *budget--; depth == 0 || *budget < 0 {
		return "…"
	}
	if value.CanInterface() && !(value.Kind() == qvreflect.Pointer && value.IsNil()) {
		if err, ok := value.Interface().(error); ok {
			return "error(" + qvstrconv.Quote(err.Error()) + ")"
		}
	}
	switch value.Kind() {
	case qvreflect.Interface:
		return qvText(value.Elem(), depth, budget)
	case qvreflect.Pointer:
		if value.IsNil() {
			return "nil"
		}
		return "&" + qvText(value.Elem(), depth-1, budget)
	case qvreflect.Slice, qvreflect.Array:
		if value.Kind() == qvreflect.Slice && value.IsNil() {
			return value.Type().String() + "(nil)"
		}
		items := []string{}
		for i := 0; i < value.Len() && i < 200; i++ {
			items = append(items, qvText(value.Index(i), depth-1, budget))
		}
		return value.Type().String() + "{" + qvstrings.Join(items, ", ") + "}"
	case qvreflect.Map:
		items := []string{}
		for _, key := range value.MapKeys() {
			items = append(items, qvText(key, depth-1, budget)+": "+qvText(value.MapIndex(key), depth-1, budget))
		}
		qvsort.Strings(items)
		return value.Type().String() + "{" + qvstrings.Join(items, ", ") + "}"
	case qvreflect.Struct:
		items := []string{}
		for i := 0; i < value.NumField(); i++ {
			items = append(items, value.Type().Field(i).Name+": "+qvText(value.Field(i), depth-1, budget))
		}
		return value.Type().String() + "{" + qvstrings.Join(items, ", ") + "}"
	case qvreflect.String:
		return qvstrconv.Quote(value.String())
	case qvreflect.Func, qvreflect.Chan, qvreflect.UnsafePointer:
		return value.Type().String()
	}
	return qvfmt.Sprintf("%v", value)
}

// qvCoded is a value as languages/values/encoding.py reads it.
func qvCoded(value qvreflect.Value, depth int, budget *int) interface{} {
	if !value.IsValid() {
		return nil
	}
	if *budget--; depth == 0 || *budget < 0 {
		return []interface{}{"made", "opaque"}
	}
	switch value.Kind() {
	case qvreflect.Interface:
		return qvCoded(value.Elem(), depth, budget)
	case qvreflect.Bool:
		return value.Bool()
	case qvreflect.String:
		if !qvstrings.Contains(value.String(), "\uFFFD") && qvstrings.ToValidUTF8(value.String(), "\uFFFD") == value.String() {
			return value.String()
		}
	case qvreflect.Int, qvreflect.Int8, qvreflect.Int16, qvreflect.Int32, qvreflect.Int64:
		return []interface{}{"int", qvstrconv.FormatInt(value.Int(), 10)}
	case qvreflect.Uint, qvreflect.Uint8, qvreflect.Uint16, qvreflect.Uint32, qvreflect.Uint64, qvreflect.Uintptr:
		return []interface{}{"int", qvstrconv.FormatUint(value.Uint(), 10)}
	case qvreflect.Float32, qvreflect.Float64:
		bits := 64
		if value.Kind() == qvreflect.Float32 {
			bits = 32
		}
		text := qvstrings.ToLower(qvstrconv.FormatFloat(value.Float(), 'g', -1, bits))
		return []interface{}{"float", qvstrings.TrimPrefix(text, "+")}
	case qvreflect.Slice, qvreflect.Array:
		if value.Kind() == qvreflect.Slice && value.IsNil() {
			return nil
		}
		items := []interface{}{"list"}
		for i := 0; i < value.Len() && i < 201; i++ {
			items = append(items, qvCoded(value.Index(i), depth-1, budget))
		}
		return items
	case qvreflect.Map:
		if value.IsNil() {
			return nil
		}
		items := []interface{}{"map"}
		keys := value.MapKeys()
		qvsort.Slice(keys, func(i, j int) bool { return qvText(keys[i], 4, budget) < qvText(keys[j], 4, budget) })
		for _, key := range keys {
			items = append(items, []interface{}{qvCoded(key, depth-1, budget), qvCoded(value.MapIndex(key), depth-1, budget)})
		}
		return items
	}
	if value.CanInterface() {
		if err, ok := value.Interface().(error); ok && !(value.Kind() == qvreflect.Pointer && value.IsNil()) {
			return []interface{}{"made", "err", qvClip(err.Error())}
		}
	}
	if value.Kind() == qvreflect.Pointer {
		if value.IsNil() {
			return nil
		}
		return []interface{}{"made", "some", qvCoded(value.Elem(), depth-1, budget)}
	}
	if value.Kind() == qvreflect.Struct && value.NumField() <= 30 {
		fields := []interface{}{"map"}
		here := qvreflect.TypeOf(qvHere{}).PkgPath() == value.Type().PkgPath()
		for i := 0; i < value.NumField(); i++ {
			// A test can't name what another package keeps to itself.
			if value.Type().Field(i).PkgPath != "" && !here {
				return []interface{}{"made", "opaque"}
			}
			if name := value.Type().Field(i).Name; name != "_" {
				fields = append(fields, []interface{}{name, qvCoded(value.Field(i), depth-1, budget)})
			}
		}
		return []interface{}{"made", "struct", fields}
	}
	return []interface{}{"made", "opaque"}
}

// qvCall notes what one call gives, and whether it reached what no call before it did.
func qvCall(target, index int, receiver, arguments string, call func() []interface{}) {
	from, _ := qvstrconv.Atoi(qvos.Getenv("QV_FROM"))
	if index < from {
		return
	}
	qvWrite(map[string]interface{}{"kind": "trying", "target": target, "index": index})
	before := qvtesting.Coverage()
	one := map[string]interface{}{"kind": "call", "target": target, "index": index, "receiver": receiver, "arguments": arguments}
	func() {
		defer func() {
			if raised := recover(); raised != nil {
				one["panics"] = qvClip(qvfmt.Sprint(raised))
			}
		}()
		budget := qvMost
		values := []interface{}{}
		for _, value := range call() {
			values = append(values, qvCoded(qvreflect.ValueOf(value), 8, &budget))
		}
		one["values"] = values
	}()
	one["gained"] = qvtesting.Coverage() > before
	qvWrite(one)
}
