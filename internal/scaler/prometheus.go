package scaler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/acalocal/acalocal/internal/scale"
)

// prometheus asks a Prometheus server for the one value of a query
// (keda.sh/docs/latest/scalers/prometheus).
type prometheus struct {
	url                string
	header             http.Header
	client             *http.Client
	p                  params
	target, activation float64
	ignoreNull         bool
}

func newPrometheus(p params, o Options) (Scaler, error) {
	s := &prometheus{p: p, header: http.Header{}}
	if err := s.parse(o); err != nil {
		return nil, fmt.Errorf("error parsing prometheus metadata: %w", err)
	}
	return s, nil
}

func (s *prometheus) parse(o Options) error {
	p := s.p
	server, err1 := p.want("serverAddress", "no serverAddress given")
	query, err2 := p.want("query", "no query given")
	_, err3 := p.want("threshold", "no threshold given")
	if err := all(err1, err2, err3); err != nil {
		return err
	}
	var err error
	s.target, err1 = p.target("threshold", 0)
	s.activation, err2 = p.number("activationThreshold", 0)
	unsafe, err3 := p.yes("unsafeSsl")
	if err = all(err1, err2, err3, p.refuse("awsRegion", "tls")); err != nil {
		return err
	}
	s.ignoreNull = p.get("ignoreNullValues") != "false"
	values := url.Values{"query": {query}}
	if ns := p.get("namespace"); ns != "" {
		values.Set("namespace", ns)
	}
	if err := pairs(p, "queryParameters", values.Add); err != nil {
		return err
	}
	if err := pairs(p, "customHeaders", s.header.Add); err != nil {
		return err
	}
	s.url = strings.TrimSuffix(server, "/") + "/api/v1/query?" + values.Encode()
	s.client = o.httpClient(unsafe)
	return s.authenticate()
}

// pairs are name=value parts separated by commas.
func pairs(p params, name string, add func(key, value string)) error {
	for _, part := range p.list(name) {
		key, value, ok := strings.Cut(part, "=")
		if !ok {
			return wrong(name, fmt.Errorf("%s: %q is not of the form key=value", name, part))
		}
		add(key, value)
	}
	return nil
}

func (s *prometheus) authenticate() error {
	for _, mode := range s.p.list("authModes") {
		switch mode {
		case "basic":
			r := http.Request{Header: s.header}
			r.SetBasicAuth(s.p.get("username"), s.p.get("password"))
		case "bearer":
			s.header.Set("Authorization", "Bearer "+s.p.get("bearerToken"))
		case "custom":
			s.header.Set(s.p.get("customAuthHeader"), s.p.get("customAuthValue"))
		default:
			return wrong("authModes", notEmulated("authModes "+mode))
		}
	}
	return nil
}

// Read implements Scaler.
func (s *prometheus) Read(ctx context.Context) (scale.Sample, error) {
	text, err := s.ask(ctx)
	if err != nil {
		return scale.Sample{}, err
	}
	value, err := s.value(text)
	if err != nil {
		return scale.Sample{}, err
	}
	return average(value, s.target, s.activation, s.p), nil
}

func (s *prometheus) ask(ctx context.Context) ([]byte, error) {
	now := url.QueryEscape(time.Now().UTC().Format(time.RFC3339))
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"&time="+now, nil)
	if err != nil {
		return nil, err
	}
	r.Header = s.header.Clone()
	resp, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return nil, fmt.Errorf("prometheus query api returned error. status: %d", resp.StatusCode)
	}
	return io.ReadAll(io.LimitReader(resp.Body, 1<<20))
}

// value is the one number of an answer: a vector of one element, or a scalar.
func (s *prometheus) value(text []byte) (float64, error) {
	var answer struct {
		Data struct {
			ResultType string          `json:"resultType"`
			Result     json.RawMessage `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return 0, fmt.Errorf("the answer is not Prometheus': %w", err)
	}
	var point []any
	if answer.Data.ResultType == "scalar" {
		if err := json.Unmarshal(answer.Data.Result, &point); err != nil {
			return 0, fmt.Errorf("the answer is not Prometheus': %w", err)
		}
	} else {
		var vector []struct{ Value []any }
		if err := json.Unmarshal(answer.Data.Result, &vector); err != nil {
			return 0, fmt.Errorf("the answer is not Prometheus': %w", err)
		}
		switch {
		case len(vector) > 1:
			return 0, fmt.Errorf("prometheus query %s returned multiple elements", s.p.get("query"))
		case len(vector) == 1:
			point = vector[0].Value
		}
	}
	return s.number(point)
}

func (s *prometheus) number(point []any) (float64, error) {
	if len(point) < 2 {
		if s.ignoreNull {
			return 0, nil
		}
		return 0, errors.New("prometheus metrics 'prometheus' target may be lost, the result is empty")
	}
	text, _ := point[1].(string)
	n, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil:
		return 0, fmt.Errorf("prometheus returned %q, which is not a number", text)
	case !math.IsInf(n, 0) && !math.IsNaN(n):
		return n, nil
	case s.ignoreNull:
		return 0, nil
	}
	return 0, fmt.Errorf("prometheus query returns %f", n)
}

// Close implements Scaler.
func (s *prometheus) Close() error {
	s.client.CloseIdleConnections()
	return nil
}
