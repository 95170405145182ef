package kql_test

import (
	"strconv"

	"github.com/acalocal/acalocal/logsink/kql"
	"github.com/acalocal/acalocal/logsink/kql/workspace"
)

// workspaceTables are the tables of a workspace, without rows.
func workspaceTables() kql.Catalog { return workspace.Tables() }

func itoa(n int) string { return strconv.Itoa(n) }
