package trust

import (
	"slices"

	"github.com/smallstep/truststore"
)

// startFresh makes update-ca-certificates drop what is not there any more: by
// itself it leaves a dangling link behind.
func startFresh() {
	const program, fresh = "update-ca-certificates", "--fresh"
	if slices.Equal(truststore.SystemTrustCommand, []string{program}) {
		truststore.SystemTrustCommand = []string{program, fresh}
	}
}
