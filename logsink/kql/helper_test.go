package kql_test

import (
	"github.com/acalocal/acalocal/logsink/kql"
	"github.com/acalocal/acalocal/logsink/kql/workspace"
)

// workspaceTables are the tables of a workspace, without rows.
func workspaceTables() kql.Catalog { return workspace.Tables() }
