package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/duckdb/duckdb-go/v2"
)

func openDuck(dir string) (*duckdb.Connector, error) {
	if err := os.MkdirAll(filepath.Join(dir, "duck"), 0o700); err != nil {
		return nil, err
	}
	return duckdb.NewConnector(filepath.Join(dir, "duck", "logs.db")+"?storage_compatibility_version=latest", nil)
}

// flushRows is how many rows DuckDB commits at once: about what a commit of the
// store has when it is busy.
const flushRows = 30_000

// loadDuck appends the rows in the order of their times.
func loadDuck(dir string) (report, error) {
	conn, err := openDuck(dir)
	if err != nil {
		return report{}, err
	}
	began := time.Now()
	if err := appendDuck(conn); err != nil {
		return report{}, err
	}
	db := sql.OpenDB(conn)
	if _, err := db.Exec(`CHECKPOINT`); err != nil {
		return report{}, err
	}
	err = errors.Join(db.Close(), conn.Close())
	return report{Seconds: map[string]float64{"load": time.Since(began).Seconds()}}, err
}

func appendDuck(conn *duckdb.Connector) error {
	c, err := conn.Connect(context.Background())
	if err != nil {
		return err
	}
	defer c.Close()
	exec := c.(driver.ExecerContext)
	if _, err := exec.ExecContext(context.Background(), `CREATE TABLE console (time TIMESTAMP, app VARCHAR, revision VARCHAR,
		replica VARCHAR, container VARCHAR, id VARCHAR, image VARCHAR, stream VARCHAR, log VARCHAR)`, nil); err != nil {
		return err
	}
	a, err := duckdb.NewAppenderFromConn(c, "", "console")
	if err != nil {
		return err
	}
	sources := make([]*source, apps)
	for app := range sources {
		sources[app] = newSource(app, *rows/apps)
	}
	for i := range *rows / apps * apps {
		app := i % apps
		t, msg, _ := sources[app].next()
		if err := a.AppendRow(t, appName(app), revision(app), replica(app), "main", engineID(app), image, "stdout", string(msg)); err != nil {
			return err
		}
		if i%flushRows == flushRows-1 {
			if err := a.Flush(); err != nil {
				return err
			}
		}
	}
	return a.Close()
}

func queryDuck(dir string) (report, error) {
	conn, err := openDuck(dir)
	if err != nil {
		return report{}, err
	}
	db := sql.OpenDB(conn)
	r := report{Seconds: map[string]float64{}, CPU: map[string]float64{}, Answers: map[string]string{}}
	for _, q := range queries {
		if err := r.best(q.name, func() error {
			answer, err := askDuck(db, q.sql)
			r.Answers[q.name] = answer
			return err
		}); err != nil {
			return r, err
		}
	}
	return r, errors.Join(db.Close(), conn.Close())
}

func askDuck(db *sql.DB, query string) (string, error) {
	rows, err := db.Query(query)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	cols, err := rows.Columns()
	if err != nil {
		return "", err
	}
	cells, ptrs := make([]any, len(cols)), make([]any, len(cols))
	for i := range cells {
		ptrs[i] = &cells[i]
	}
	n, sum := 0, int64(0)
	for rows.Next() {
		if err := rows.Scan(ptrs...); err != nil {
			return "", err
		}
		n++
		if v, ok := cells[len(cells)-1].(int64); ok {
			sum += v
		}
	}
	return fmt.Sprintf("%d rows, sum %d", n, sum), rows.Err()
}
