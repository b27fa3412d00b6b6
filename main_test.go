// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import "os"

// setStaticCredentials keeps the SDK from looking for credentials on the network. TestMain calls it.
func setStaticCredentials() {
	for key, value := range map[string]string{
		"AWS_ACCESS_KEY_ID":           "AKIAIOSFODNN7EXAMPLE",
		"AWS_SECRET_ACCESS_KEY":       "example",
		"AWS_CONFIG_FILE":             os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"AWS_REGION":                  "",
	} {
		if err := os.Setenv(key, value); err != nil {
			panic(err)
		}
	}
}
