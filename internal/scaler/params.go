package scaler

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/acalocal/acalocal/internal/scale"
)

// params are the parameters of a trigger.
type params struct{ scale.Trigger }

// build makes the scaler of a trigger's type.
func build(p params, o Options) (Scaler, error) {
	make := makers[p.Type]
	if make == nil {
		return nil, fmt.Errorf("no scaler found for type: %s", p.Type)
	}
	if t := p.metricType(); t != "" && t != "AverageValue" && t != "Value" && t != "Utilization" {
		return nil, wrong("metricType", fmt.Errorf("unsupported metric type, expected either 'AverageValue', 'Value' or 'Utilization': %s", t))
	}
	return make(p, o)
}

// get is a parameter: the value of a secret, else the metadata, else the
// variable of the first container that the metadata names with FromEnv.
func (p params) get(name string) string {
	if v := p.Auth[name]; v != "" {
		return v
	}
	if v := p.Metadata[name]; v != "" {
		return v
	}
	return p.Env[p.Metadata[name+"FromEnv"]]
}

// want is a parameter that must be there; otherwise is the error's text.
func (p params) want(name, otherwise string) (string, error) {
	if v := p.get(name); v != "" {
		return v, nil
	}
	return "", wrong(name, errors.New(otherwise))
}

// number is a parameter that is a number; one that is not given is otherwise.
func (p params) number(name string, otherwise float64) (float64, error) {
	text := strings.TrimSpace(p.get(name))
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, wrong(name, fmt.Errorf("error parsing %s: %q is not a number", name, text))
	}
	return n, nil
}

// target is a number by which the metric is divided.
func (p params) target(name string, otherwise float64) (float64, error) {
	n, err := p.number(name, otherwise)
	if err == nil && n <= 0 {
		err = wrong(name, fmt.Errorf("%s must be greater than 0", name))
	}
	return n, err
}

// yes is a parameter that is true or false; one that is not given is false.
func (p params) yes(name string) (bool, error) {
	text := p.get(name)
	if text == "" {
		return false, nil
	}
	yes, err := strconv.ParseBool(text)
	if err != nil {
		return false, wrong(name, fmt.Errorf("error parsing %s: %q is neither true nor false", name, text))
	}
	return yes, nil
}

// list is a parameter of parts separated by commas.
func (p params) list(name string) []string {
	var out []string
	for part := range strings.SplitSeq(p.get(name), ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// oneOf is a parameter with a set of values; the first one is the default.
func (p params) oneOf(name string, values ...string) (string, error) {
	v := cmp.Or(p.get(name), values[0])
	for _, known := range values {
		if strings.EqualFold(v, known) {
			return known, nil
		}
	}
	return "", wrong(name, fmt.Errorf("%s must be one of %s, not %q", name, strings.Join(values, ", "), v))
}

// refuse says that one of these parameters is given and has no effect here.
func (p params) refuse(names ...string) error {
	for _, name := range names {
		if v := p.get(name); v != "" && v != "false" {
			return wrong(name, notEmulated(name))
		}
	}
	return nil
}

func (p params) metricType() string { return p.Metadata["metricType"] }

// tls is the client's side of TLS as the parameters ca, cert, key and unsafeSsl
// say.
func (p params) tls() (*tls.Config, error) {
	unsafe, err := p.yes("unsafeSsl")
	if err != nil {
		return nil, err
	}
	c := &tls.Config{InsecureSkipVerify: unsafe} // as the rule asks for
	if ca := p.get("ca"); ca != "" {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM([]byte(ca)) {
			return nil, errors.New("ca holds no certificate")
		}
	}
	cert, key := p.get("cert"), p.get("key")
	if (cert == "") != (key == "") {
		return nil, errors.New("both key and certificate must be provided")
	}
	if cert != "" {
		pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
		if err != nil {
			return nil, fmt.Errorf("error parsing certificate: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// parameterError is an error that names its parameter.
type parameterError struct {
	name string
	error
}

// Unwrap is for errors.As.
func (e *parameterError) Unwrap() error { return e.error }

// wrong says which parameter an error is about; no error is none.
func wrong(name string, err error) error {
	if err == nil {
		return nil
	}
	return &parameterError{name, err}
}

// notEmulated is what KEDA takes and acalocal does not.
type notEmulated string

// Error implements error.
func (n notEmulated) Error() string { return string(n) + " is not emulated" }

// all is the first of some errors.
func all(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
