package scaler

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/acalocal/acalocal/internal/scale"
)

// postgreSQL takes the first value of a query's answer
// (keda.sh/docs/latest/scalers/postgresql).
type postgreSQL struct {
	config             *pgconn.Config
	query              string
	p                  params
	target, activation float64
}

func newPostgreSQL(p params, o Options) (Scaler, error) {
	s := &postgreSQL{p: p}
	if err := s.parse(o); err != nil {
		return nil, fmt.Errorf("error parsing postgreSQL metadata: %w", err)
	}
	return s, nil
}

func (s *postgreSQL) parse(o Options) error {
	var err1, err2, err3 error
	s.query, err1 = s.p.want("query", "no query given")
	if _, err := s.p.want("targetQueryValue", "no targetQueryValue given"); err != nil {
		return all(err1, err)
	}
	s.target, err2 = s.p.target("targetQueryValue", 0)
	s.activation, err3 = s.p.number("activationTargetQueryValue", 0)
	text, err4 := s.connection()
	if err := all(err1, err2, err3, err4); err != nil {
		return err
	}
	var err error
	if s.config, err = pgconn.ParseConfig(text); err != nil {
		return err
	}
	s.config.DialFunc = pgconn.DialFunc(o.Dial)
	// Names are for the dialer: those of apps are known to nobody else.
	s.config.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	return nil
}

// connection is the connection string, or one made of its parts.
func (s *postgreSQL) connection() (string, error) {
	if text := s.p.get("connection"); text != "" {
		return text, nil
	}
	var parts []string
	for _, part := range []struct{ key, name string }{
		{"host", "host"}, {"port", "port"}, {"user", "userName"}, {"dbname", "dbName"}, {"sslmode", "sslmode"},
	} {
		v, err := s.p.want(part.name, "no "+part.name+" given")
		if err != nil {
			return "", err
		}
		parts = append(parts, part.key+"="+quoted(v))
	}
	return strings.Join(append(parts, "password="+quoted(s.p.get("password"))), " "), nil
}

// quoted is a value of a connection string.
func quoted(v string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(v) + "'"
}

// Read implements Scaler. It connects anew each time: twice a minute is not
// worth a connection of the server.
func (s *postgreSQL) Read(ctx context.Context) (scale.Sample, error) {
	conn, err := pgconn.ConnectConfig(ctx, s.config)
	if err != nil {
		return scale.Sample{}, fmt.Errorf("error establishing postgreSQL connection: %w", err)
	}
	defer conn.Close(ctx)
	value, err := firstValue(conn.Exec(ctx, s.query))
	if err != nil {
		return scale.Sample{}, fmt.Errorf("error inspecting postgreSQL: could not query postgreSQL: %w", err)
	}
	return average(value, s.target, s.activation, s.p), nil
}

func firstValue(answer *pgconn.MultiResultReader) (float64, error) {
	results, err := answer.ReadAll()
	if err != nil {
		return 0, err
	}
	if len(results) == 0 || len(results[0].Rows) == 0 || len(results[0].Rows[0]) == 0 {
		return 0, errors.New("the query returned no row")
	}
	text := results[0].Rows[0][0]
	if text == nil {
		return 0, errors.New("the query returned NULL")
	}
	n, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return 0, fmt.Errorf("the query returned %q, which is not a number", text)
	}
	return n, nil
}

// Close implements Scaler.
func (*postgreSQL) Close() error { return nil }
