package daemon

import (
	"fmt"
	"net/http"
	"os"

	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/home"
	"github.com/acalocal/acalocal/internal/version"
	"github.com/acalocal/acalocal/logsink"
)

// logOptions say how the log store of an environment is opened.
func logOptions(files home.Environment, report func(logsink.Problem)) logsink.Options {
	return logsink.Options{Dir: files.Logs(), Environment: files.Name, WorkspaceID: workspaceID(files.Name), Report: report}
}

// OfflineLogs opens the log store of an environment that does not run, and
// returns the routes of the API that need no more than that: query, export,
// import and what helps an editor. The caller closes the store.
func OfflineLogs(files home.Environment, report func(logsink.Problem)) (http.Handler, *logsink.Store, error) {
	store, err := logsink.Open(logOptions(files, report))
	if err != nil {
		return nil, nil, fmt.Errorf("open the logs of environment %s: %w", files.Name, err)
	}
	h := api.NewOffline(api.Options{
		Logs: queries{Store: store},
		Info: api.Info{Environment: files.Name, Version: version.Version, PID: os.Getpid()}, Workspace: workspaceID(files.Name),
	})
	return h, store, nil
}
