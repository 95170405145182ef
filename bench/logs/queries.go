package main

// queries are asked of both in their own language. The answer compared is the
// number of rows and the sum of their last column, where that is a number.
var queries = []struct{ name, kql, sql, must, aim string }{
	{
		"newest 100 lines of one app",
		`ContainerAppConsoleLogs_CL | where ContainerAppName_s == "app-07" | top 100 by TimeGenerated desc | project TimeGenerated, Log_s`,
		`SELECT time, log FROM console WHERE app = 'app-07' ORDER BY time DESC LIMIT 100`, "0.5", "0.1",
	}, {
		`has "error", count by 5 min and revision`,
		`ContainerAppConsoleLogs_CL | where Log_s has "error" | summarize count() by bin(TimeGenerated, 5m), RevisionName_s`,
		`SELECT time_bucket(INTERVAL 5 minutes, time), revision, count(*) FROM console WHERE log ILIKE '%error%' GROUP BY ALL`, "0.9", "0.5",
	}, {
		`contains "xyz" over everything`,
		`ContainerAppConsoleLogs_CL | where Log_s contains "xyz" | count`,
		`SELECT count(*) FROM console WHERE log ILIKE '%xyz%'`, "1.0", "0.6",
	}, {
		"extract and percentile over one app",
		`ContainerAppConsoleLogs_CL | where ContainerAppName_s == "app-03" | extend d = tolong(extract(@"duration=(\d+)ms", 1, Log_s)) | summarize percentile(d, 95)`,
		`SELECT quantile_disc(TRY_CAST(regexp_extract(log, 'duration=(\d+)ms', 1) AS BIGINT), 0.95) FROM console WHERE app = 'app-03'`, "1.0", "0.6",
	}, {
		"top 5 apps",
		`ContainerAppConsoleLogs_CL | summarize n=count() by ContainerAppName_s | top 5 by n`,
		`SELECT app, count(*) AS n FROM console GROUP BY app ORDER BY n DESC LIMIT 5`, "0.6", "0.25",
	}, {
		"distinct app and revision",
		`ContainerAppConsoleLogs_CL | distinct ContainerAppName_s, RevisionName_s`,
		`SELECT DISTINCT app, revision FROM console`, "0.6", "0.25",
	}, {
		"rare term, 6 rows",
		`ContainerAppConsoleLogs_CL | where Log_s has "needle" | project TimeGenerated, Log_s`,
		`SELECT time, log FROM console WHERE log ILIKE '%needle%'`, "0.05", "0.01",
	}, {
		"last hour, count by app",
		`ContainerAppConsoleLogs_CL | where TimeGenerated > datetime(2026-06-26 13:00) | summarize n=count() by ContainerAppName_s`,
		`SELECT app, count(*) FROM console WHERE time > TIMESTAMP '2026-06-26 13:00:00' GROUP BY app`, "1.0", "0.3",
	},
}
