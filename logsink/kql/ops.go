package kql

// opDef is one line of the operator table.
type opDef struct {
	parse func(p *parser, h opHead) operator
	// generates says the operator may stand first: it makes rows, or names
	// the tables it reads itself.
	generates bool
	// alias is the operator's proper name when this is another spelling.
	alias string
}

// operatorTable is every operator by the words it is written with. It is
// filled by init because parsing an operator may parse others.
var operatorTable map[string]opDef

func init() {
	operatorTable = map[string]opDef{
		"as":               {parse: parseAs},
		"consume":          {parse: parseConsume},
		"count":            {parse: parseCount},
		"distinct":         {parse: parseDistinct},
		"evaluate":         {parse: parseEvaluate, generates: true},
		"extend":           {parse: parseExtend},
		"facet":            {parse: parseFacet},
		"filter":           {parse: parseWhere, alias: "where"},
		"find":             {parse: parseFind, generates: true},
		"fork":             {parse: parseFork},
		"getschema":        {parse: parseGetSchema},
		"invoke":           {parse: parseInvoke},
		"join":             {parse: parseJoin},
		"limit":            {parse: parseTake, alias: "take"},
		"lookup":           {parse: parseLookup},
		"make-series":      {parse: parseMakeSeries},
		"mv-apply":         {parse: parseMvApply},
		"mvapply":          {parse: parseMvApply, alias: "mv-apply"},
		"mv-expand":        {parse: parseMvExpand},
		"mvexpand":         {parse: parseMvExpand, alias: "mv-expand"},
		"order":            {parse: parseSort, alias: "sort"},
		"parse":            {parse: parseParse},
		"parse-kv":         {parse: parseParseKV},
		"parse-where":      {parse: parseParse},
		"partition":        {parse: parsePartition},
		"print":            {parse: parsePrint, generates: true},
		"project":          {parse: parseProject},
		"project-away":     {parse: parseProjectAway},
		"project-by-names": {parse: parseProjectByNames},
		"project-keep":     {parse: parseProjectKeep},
		"project-rename":   {parse: parseProjectRename},
		"project-reorder":  {parse: parseProjectReorder},
		"range":            {parse: parseRange, generates: true},
		"reduce":           {parse: parseReduce},
		"render":           {parse: parseRender},
		"sample":           {parse: parseSample},
		"sample-distinct":  {parse: parseSampleDistinct},
		"scan":             {parse: parseScan},
		"search":           {parse: parseSearch, generates: true},
		"serialize":        {parse: parseSerialize},
		"sort":             {parse: parseSort},
		"summarize":        {parse: parseSummarize},
		"take":             {parse: parseTake},
		"top":              {parse: parseTop},
		"top-hitters":      {parse: parseTopHitters},
		"top-nested":       {parse: parseTopNested},
		"union":            {parse: parseUnion, generates: true},
		"where":            {parse: parseWhere},
	}
}

// unsupportedOperators are Kusto's operators this engine does not have.
var unsupportedOperators = map[string]bool{
	"inline_external_table": true, "externaldata": true, "external_data": true, "make-graph": true, "graph-match": true, "graph-to-table": true,
	"graph-shortest-paths": true, "graph-mark-components": true, "macro-expand": true, "project-smart": true,
	"partition-by": true, "assert-schema": true, "execute-and-cache": true,
}

// elsewhereFunctions are those of Azure Monitor that lead to other resources:
// https://learn.microsoft.com/azure/azure-monitor/logs/cross-workspace-query
var elsewhereFunctions = map[string]bool{"workspace": true, "app": true, "resource": true, "adx": true, "arg": true}

// unsupportedFunctions are functions of Kusto this engine names but lacks.
var unsupportedFunctions = map[string]bool{}

func init() {
	for _, name := range []string{
		"cluster", "database", "external_table", "extent_id", "extent_tags", "cursor_after", "cursor_before_or_at", "cursor_current",
		"current_cluster_endpoint", "current_database", "current_principal", "current_principal_details", "current_principal_is_member_of",
		"stored_query_result", "materialized_view", "entity_group",
		"geo_distance_2points", "geo_distance_point_to_line", "geo_point_in_circle", "geo_point_in_polygon", "geo_point_to_geohash",
		"geo_geohash_to_central_point", "geo_point_to_s2cell", "geo_s2cell_to_central_point", "geo_point_to_h3cell", "parse_user_agent", "graph", "welch_test",

		"row_window_session_id", "database_name", "hash_many", "hash_combine", // how the service combines hashes is not published
	} {
		unsupportedFunctions[name] = true
	}
}
