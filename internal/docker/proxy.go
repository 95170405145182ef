package docker

import "strings"

// proxyConfig is one entry of proxies in the docker CLI's config.json.
type proxyConfig struct {
	HTTP  string `json:"httpProxy"`
	HTTPS string `json:"httpsProxy"`
	FTP   string `json:"ftpProxy"`
	No    string `json:"noProxy"`
	All   string `json:"allProxy"`
}

// proxyArgs returns the build arguments by which the docker CLI hands the
// user's proxies to a build on the engine at host. Containers get none: on ACA
// there is no such proxy. See https://docs.docker.com/engine/cli/proxy/.
func (c *cliConfig) proxyArgs(host string) map[string]string {
	p, ok := c.Proxies[host]
	if !ok {
		p = c.Proxies["default"]
	}
	args := map[string]string{}
	for name, value := range map[string]string{
		"HTTP_PROXY": p.HTTP, "HTTPS_PROXY": p.HTTPS, "FTP_PROXY": p.FTP, "NO_PROXY": p.No, "ALL_PROXY": p.All,
	} {
		if value != "" {
			args[name], args[strings.ToLower(name)] = value, value
		}
	}
	return args
}
