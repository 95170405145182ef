package scaler

import (
	"errors"
	"strings"
)

// connectionString reads name=value parts separated by semicolons, as Azure's
// connection strings are. Names count without case.
func connectionString(text string) (map[string]string, error) {
	out := map[string]string{}
	for part := range strings.SplitSeq(text, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		if !ok {
			return nil, errors.New("the connection string is not made of name=value parts") // its text is a secret
		}
		out[strings.ToLower(name)] = value
	}
	return out, nil
}
