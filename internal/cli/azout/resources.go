package azout

// Apps are the rows az shows of apps, or of one.
func Apps(answer any) []Row {
	return rows(answer, func(app map[string]any) Row {
		return append(pick(app, "name", "location", "resourceGroup"),
			Field{"fqdn", at(app, "properties", "configuration", "ingress", "fqdn")})
	})
}

// Revisions are the rows az shows of revisions, or of one.
func Revisions(answer any) []Row {
	return rows(answer, func(rev map[string]any) Row {
		properties, _ := rev["properties"].(map[string]any)
		row := pick(properties, "createdTime", "active", "replicas", "trafficWeight", "healthState", "provisioningState")
		return append(row, pick(rev, "name")...)
	})
}

// rows makes a row of each object of an answer.
func rows(answer any, row func(map[string]any) Row) []Row {
	var out []Row
	for _, item := range list(answer) {
		if object, ok := item.(map[string]any); ok {
			out = append(out, row(object))
		}
	}
	return out
}

// pick is the fields of an object that it has, in the given order.
func pick(object map[string]any, names ...string) Row {
	var row Row
	for _, name := range names {
		if v, ok := object[name]; ok {
			row = append(row, Field{name, v})
		}
	}
	return row
}

// at is what stands at a path, nil when nothing does.
func at(v any, path ...string) any {
	for _, name := range path {
		object, _ := v.(map[string]any)
		v = object[name]
	}
	return v
}
