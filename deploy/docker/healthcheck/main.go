// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command healthcheck is the HEALTHCHECK of the image, which has no shell and no curl. It asks the extension health_check of the
// collector beside it, and ends with 0 if the collector is up.
//
//	healthcheck [URL]
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"
)

// patience is how long an answer may take. It is less than the timeout of the HEALTHCHECK.
const patience = 2 * time.Second

func main() {
	url := "http://127.0.0.1:13133/"
	if len(os.Args) > 1 {
		url = os.Args[1]
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	err := check(ctx, url)
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "healthcheck:", err)
		os.Exit(1)
	}
}

// check returns an error if the collector is not up.
func check(ctx context.Context, url string) error {
	//nolint:gosec // Whoever starts it names the URL.
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request) //nolint:gosec // as above
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}
