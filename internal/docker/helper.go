package docker

import "github.com/acalocal/acalocal/internal/container"

// roleHelper marks containers that are no part of a replica: they work for
// this package and are listed to nobody.
const roleHelper = "helper"

func isHelper(labels map[string]string) bool {
	return labels[container.LabelRole] == roleHelper
}
