// Pulumi's kubernetes plugin, without its schema, which only documentation and generated code need.
package main

import "github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"

var version string

func main() {
	provider.Serve("kubernetes", version, []byte("{}"), []byte("{}"))
}
