// Print the definitions of the OpenAPI document that Kustomize carries (kyaml's default version) as JSON.
package main

import (
	"encoding/json"
	"os"

	"sigs.k8s.io/kustomize/kyaml/openapi"
)

func main() {
	if err := json.NewEncoder(os.Stdout).Encode(openapi.Schema().Definitions); err != nil {
		panic(err)
	}
}
