// The program "manifests" reads inputs as kubectl reads the files of -f, and prints what it found as JSON.
//
// Standard input: for each input its length in bytes as a decimal number, a line feed, and the bytes.
// Standard output: for each input one line: {"documents": [...]}, or {"error": "..."} if kubectl would refuse it.
// The steps are those of k8s.io/cli-runtime/pkg/resource: a byte order mark decides the encoding, the stream decoder of
// apimachinery cuts and converts by sigs.k8s.io/yaml, and numbers are decoded as for unstructured objects.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	kjson "sigs.k8s.io/json"
)

type result struct {
	Documents []any  `json:"documents"`
	Error     string `json:"error,omitempty"`
}

func main() {
	in, out := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	for {
		var length int
		if _, err := fmt.Fscanf(in, "%d\n", &length); err == io.EOF {
			return
		} else if err != nil {
			panic(err)
		}
		data := make([]byte, length)
		if _, err := io.ReadFull(in, data); err != nil {
			panic(err)
		}
		if err := encoder.Encode(read(data)); err != nil {
			panic(err)
		}
		out.Flush()
	}
}

func read(data []byte) (found result) {
	found.Documents = []any{}
	marked := transform.NewReader(bytes.NewReader(data), unicode.BOMOverride(unicode.UTF8.NewDecoder()))
	decoder := yaml.NewYAMLOrJSONDecoder(marked, 4096)
	for {
		raw := runtime.RawExtension{}
		if err := decoder.Decode(&raw); err == io.EOF {
			return found
		} else if err != nil {
			return result{Error: err.Error()}
		}
		text := bytes.TrimSpace(raw.Raw)
		if len(text) == 0 || bytes.Equal(text, []byte("null")) {
			continue
		}
		var value any
		if err := kjson.UnmarshalCaseSensitivePreserveInts(text, &value); err != nil {
			return result{Error: err.Error()}
		}
		found.Documents = append(found.Documents, value)
	}
}
