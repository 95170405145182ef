package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"time"

	"github.com/acalocal/acalocal/logsink"
	"github.com/acalocal/acalocal/logsink/kql"
)

func openStore(dir string) (*logsink.Store, error) {
	return logsink.Open(logsink.Options{Dir: filepath.Join(dir, "store"), MaxBytes: 64 << 30, MaxAge: 1e6 * time.Hour})
}

// loadStore ingests all apps at the same time, as their containers' logs come.
func loadStore(dir string) (report, error) {
	s, err := openStore(dir)
	if err != nil {
		return report{}, err
	}
	began := time.Now()
	errs := make([]error, apps)
	var wg sync.WaitGroup
	for app := range apps {
		wg.Go(func() {
			src := newSource(app, *rows/apps)
			c := logsink.Container{App: appName(app), Revision: revision(app), Replica: replica(app), Name: "main", ID: engineID(app), Image: image}
			errs[app] = s.Ingest(context.Background(), c, func() (logsink.Entry, error) {
				t, msg, ok := src.next()
				if !ok {
					return logsink.Entry{}, io.EOF
				}
				return logsink.Entry{Time: t, Data: append(msg, '\n')}, nil
			})
		})
	}
	wg.Wait()
	err = errors.Join(append(errs, s.Close())...)
	return report{Seconds: map[string]float64{"load": time.Since(began).Seconds()}}, err
}

func queryStore(dir string) (report, error) {
	s, err := openStore(dir)
	if err != nil {
		return report{}, err
	}
	r := report{Seconds: map[string]float64{}, CPU: map[string]float64{}, Answers: map[string]string{}}
	for _, q := range queries {
		if err := r.best(q.name, func() error {
			res, err := s.Query(context.Background(), q.kql, kql.Options{})
			if err == nil {
				r.Answers[q.name] = sumUp(res)
			}
			return err
		}); err != nil {
			return r, err
		}
	}
	err = r.best("take", func() error {
		_, err := s.Query(context.Background(), `ContainerAppConsoleLogs_CL | take 10`, kql.Options{})
		return err
	})
	return r, errors.Join(err, s.Close())
}

func sumUp(res *kql.Result) string {
	n, sum := 0, int64(0)
	res.Tables[0].Each(func(row []kql.Value) bool {
		n++
		if v := row[len(row)-1]; v.Type == kql.Long && !v.Null {
			sum += v.Int
		}
		return true
	})
	return fmt.Sprintf("%d rows, sum %d", n, sum)
}
