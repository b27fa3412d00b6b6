#!/bin/sh
# Generates what metadata.yaml describes. mdatagen names the Go package after the directory that metadata.yaml is in,
# whatever the package is called, so it is shown the checkout under the package's name.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
ln -s "$root" "$scratch/kinesiskplexporter"
(cd "$root/tools/mdatagen" && GOWORK=off go build -o "$scratch/mdatagen" go.opentelemetry.io/collector/cmd/mdatagen)
cd "$scratch/kinesiskplexporter"
"$scratch/mdatagen" metadata.yaml
# With profiles, the generated test imports a package that it does not use.
grep -q 'xexporter\.' generated_component_test.go || sed -i.bak '\|exporter/xexporter"$|d' generated_component_test.go
rm -f generated_component_test.go.bak
