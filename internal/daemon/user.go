package daemon

import "os/user"

// userName is the user of this machine who runs the environment, "" when the
// machine does not know.
func userName() string {
	u, err := user.Current()
	if err != nil {
		return "" // nothing depends on it: answers leave the name out
	}
	return u.Username
}
