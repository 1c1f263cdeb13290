// Two versions of the official Go API client as a program of the clients' suite: test/clients/README.md has the contract.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"
)

type request struct {
	ID      int             `json:"id"`
	Op      string          `json:"op"`
	BaseURL string          `json:"base_url"`
	Key     string          `json:"key"`
	Service string          `json:"service"`
	Method  string          `json:"method"`
	Args    json.RawMessage `json:"args"`
}

var (
	services map[string]any
	notFound func(error) bool
)

func say(value any) {
	line, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var asked request
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			panic(err)
		}
		answer, err := perform(asked)
		if err != nil {
			say(map[string]any{"id": asked.ID, "error": described(err)})
			continue
		}
		say(map[string]any{"id": asked.ID, "ok": answer})
	}
}

// described reads the client's error type, which is another one in each version, by the names of its fields.
func described(err error) map[string]any {
	said := map[string]any{"message": err.Error(), "code": "", "status": 0, "not_found": notFound != nil && notFound(err)}
	value := reflect.Indirect(reflect.ValueOf(err))
	if value.Kind() == reflect.Struct && value.FieldByName("StatusCode").IsValid() {
		said["status"] = value.FieldByName("StatusCode").Interface()
		said["code"] = value.FieldByName("ErrorCode").Interface()
		said["msg"] = value.FieldByName("Msg").Interface()
	}
	return said
}

func perform(asked request) (any, error) {
	switch asked.Op {
	case "start":
		if len(os.Args) > 1 && os.Args[1] == "v7" {
			services, notFound = servicesV7(asked.Key, asked.BaseURL), notFoundV7
		} else {
			services, notFound = servicesV9(asked.Key, asked.BaseURL), notFoundV9
		}
		return methods(), nil
	case "call":
		return call(asked)
	}
	return nil, fmt.Errorf("no such operation: %s", asked.Op)
}

// methods are the names of all that the client has, by service, in small letters.
func methods() map[string][]string {
	all := map[string][]string{}
	for name, service := range services {
		kind := reflect.TypeOf(service)
		for at := range kind.NumMethod() {
			all[name] = append(all[name], strings.ToLower(kind.Method(at).Name))
		}
	}
	return all
}

func call(asked request) (any, error) {
	service := reflect.ValueOf(services[asked.Service])
	for at := range service.NumMethod() {
		if strings.ToLower(service.Type().Method(at).Name) == asked.Method {
			return invoke(service.Method(at), asked.Args)
		}
	}
	return nil, fmt.Errorf("the client has no %s.%s", asked.Service, asked.Method)
}

var (
	contextType = reflect.TypeFor[context.Context]()
	errorType   = reflect.TypeFor[error]()
)

// invoke gives each parameter what its type asks for: a context, the id, or a struct read from the arguments.
func invoke(method reflect.Value, args json.RawMessage) (any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var ids struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(args, &ids); err != nil {
		return nil, err
	}
	given := []reflect.Value{}
	for at := range method.Type().NumIn() {
		kind := method.Type().In(at)
		switch {
		case kind == contextType:
			given = append(given, reflect.ValueOf(ctx))
		case kind.Kind() == reflect.String:
			given = append(given, reflect.ValueOf(ids.ID))
		default:
			value := reflect.New(kind.Elem())
			if err := json.Unmarshal(args, value.Interface()); err != nil {
				return nil, err
			}
			given = append(given, value)
		}
	}
	results := method.Call(given)
	last := results[len(results)-1]
	if last.Type() == errorType {
		if !last.IsNil() {
			return nil, last.Interface().(error)
		}
		if len(results) == 1 {
			return map[string]any{}, nil
		}
		return results[0].Interface(), nil
	}
	return drained(ctx, last)
}

// drained reads an iterator to its end.
func drained(ctx context.Context, iterator reflect.Value) (any, error) {
	items := []any{}
	for iterator.MethodByName("Next").Call([]reflect.Value{reflect.ValueOf(ctx)})[0].Bool() {
		items = append(items, iterator.MethodByName("Item").Call(nil)[0].Interface())
	}
	if failed := iterator.MethodByName("Err").Call(nil)[0]; !failed.IsNil() {
		return nil, failed.Interface().(error)
	}
	return items, nil
}
