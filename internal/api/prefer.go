package api

import (
	"strconv"
	"strings"
	"time"

	"github.com/acalocal/acalocal/logsink/kql"
)

// What the service assumes and allows for "wait".
const (
	defaultWait = 180 * time.Second
	maxWait     = 600 * time.Second
)

// preference is the Prefer header of a query
// (https://learn.microsoft.com/azure/azure-monitor/logs/api/prefer-options).
type preference struct {
	wait               time.Duration
	render, statistics bool
}

// parsePrefer reads a Prefer header. What it does not know it leaves alone, as
// RFC 7240 asks for.
func parsePrefer(headers []string) preference {
	p := preference{wait: defaultWait}
	for item := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(item), "=")
		value = strings.Trim(value, `"`)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "wait":
			if n, err := strconv.Atoi(value); err == nil && n > 0 {
				p.wait = min(time.Duration(n)*time.Second, maxWait)
			}
		case "include-render":
			p.render = strings.EqualFold(value, "true")
		case "include-statistics":
			p.statistics = strings.EqualFold(value, "true")
		}
	}
	return p
}

// visualization is what "include-render" adds to an answer. The first seven
// are always there, the rest when the query says them.
type visualization struct {
	Visualization *string `json:"visualization"`
	Title         *string `json:"title"`
	Accumulate    bool    `json:"accumulate"`
	IsQuerySorted bool    `json:"isQuerySorted"`
	Kind          *string `json:"kind"`
	Annotation    *string `json:"annotation"`
	By            *string `json:"by"`

	XColumn  string `json:"xColumn,omitempty"`
	YColumns string `json:"yColumns,omitempty"`
	Series   string `json:"series,omitempty"`
	XTitle   string `json:"xTitle,omitempty"`
	YTitle   string `json:"yTitle,omitempty"`
	XAxis    string `json:"xAxis,omitempty"`
	YAxis    string `json:"yAxis,omitempty"`
	Legend   string `json:"legend,omitempty"`
	YSplit   string `json:"ySplit,omitempty"`
	YMin     string `json:"yMin,omitempty"`
	YMax     string `json:"yMax,omitempty"`
}

func visualizationOf(v *kql.Visualization) visualization {
	if v == nil {
		return visualization{}
	}
	p := v.Properties
	optional := func(name string) *string {
		if s, ok := p[name]; ok {
			return &s
		}
		return nil
	}
	return visualization{
		Visualization: &v.Kind, Title: optional("title"), Kind: optional("kind"),
		Accumulate: strings.EqualFold(p["accumulate"], "true"), IsQuerySorted: v.IsSorted,
		XColumn: p["xcolumn"], YColumns: p["ycolumns"], Series: p["series"], XTitle: p["xtitle"], YTitle: p["ytitle"],
		XAxis: p["xaxis"], YAxis: p["yaxis"], Legend: p["legend"], YSplit: p["ysplit"], YMin: p["ymin"], YMax: p["ymax"],
	}
}

// statistics is what "include-statistics" adds to an answer: what of the
// service's is known here.
type statistics struct {
	Query queryStatistics `json:"query"`
}

type queryStatistics struct {
	ExecutionTime float64             `json:"executionTime"` // seconds
	Input         inputStatistics     `json:"inputDatasetStatistics"`
	Output        []datasetStatistics `json:"datasetStatistics"`
}

type inputStatistics struct {
	Extents scanned `json:"extents"`
	Rows    scanned `json:"rows"`
}

type scanned struct {
	Scanned int64 `json:"scanned"`
}

type datasetStatistics struct {
	Rows  int64 `json:"tableRowCount"`
	Bytes int64 `json:"tableSize"`
}

func statisticsOf(r *kql.Result, sizes []int64, took time.Duration) statistics {
	s := queryStatistics{ExecutionTime: took.Seconds(), Input: inputStatistics{
		Extents: scanned{r.Stats.BlocksScanned}, Rows: scanned{r.Stats.RowsScanned},
	}}
	for i := range r.Tables {
		s.Output = append(s.Output, datasetStatistics{int64(r.Tables[i].Rows()), sizes[i]})
	}
	return statistics{s}
}
