// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// sessionName is the name of a role's session, which CloudTrail shows.
const sessionName = "kinesistail"

// role is a role to assume. The zero value is none.
type role struct{ arn, externalID string }

func (r role) validate() error {
	if r.arn == "" {
		if r.externalID != "" {
			return errors.New("-external-id needs -role-arn")
		}
		return nil
	}
	parsed, err := arn.Parse(r.arn)
	if err != nil || parsed.Service != "iam" || !strings.HasPrefix(parsed.Resource, "role/") {
		return fmt.Errorf("-role-arn must be the ARN of a role, like arn:aws:iam::123456789012:role/name, found %q", r.arn)
	}
	return nil
}

// assume makes cfg have the credentials of the role, if there is one. It asks STS for them with the credentials that cfg has.
func (r role) assume(cfg *aws.Config) {
	if r.arn == "" {
		return
	}
	cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(*cfg), r.arn,
		func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = sessionName
			if r.externalID != "" {
				o.ExternalID = aws.String(r.externalID)
			}
		}))
}
