package api

// Routes are our own routes: the method of each by its path.
func Routes() map[string]string {
	out := map[string]string{}
	for name, r := range New(Options{}).(*server).own {
		out[ownPrefix+name] = r.method
	}
	return out
}
