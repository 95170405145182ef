package cli

import "github.com/acalocal/acalocal/emulator"

func targetOf(app, revision string) emulator.ExecTarget {
	return emulator.ExecTarget{App: app, Revision: revision}
}
