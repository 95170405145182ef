package change

import (
	"encoding/json"

	"github.com/acalocal/acalocal/emulator/aca"
)

// Merge returns an app with what a definition gives put over it, as ARM's
// PATCH does (RFC 7396): objects are merged, lists replaced. What the
// definition leaves out stays, and so do the name and the revision suffix,
// which would be refused as used.
func Merge(app, definition aca.ContainerApp) (aca.ContainerApp, error) {
	suffix := definition.Properties.Template.RevisionSuffix
	name := app.Name
	whole, err := fields(app)
	if err != nil {
		return app, err
	}
	over, err := fields(definition)
	if err != nil {
		return app, err
	}
	text, err := json.Marshal(merge(whole, over))
	if err != nil {
		return app, err
	}
	var out aca.ContainerApp
	if err := json.Unmarshal(text, &out); err != nil {
		return app, err
	}
	out.Name, out.Properties.Template.RevisionSuffix = name, suffix
	return out, nil
}

// fields is an app as plain objects and lists. What is empty, and so was not
// given, is left out.
func fields(app aca.ContainerApp) (object map[string]any, err error) {
	text, err := json.Marshal(app)
	if err == nil {
		err = json.Unmarshal(text, &object)
	}
	return prune(object), err
}

func prune(object map[string]any) map[string]any {
	for key, value := range object {
		if value == nil {
			delete(object, key)
		} else if inner, ok := value.(map[string]any); ok {
			if prune(inner); len(inner) == 0 {
				delete(object, key)
			}
		}
	}
	return object
}

func merge(whole, over map[string]any) map[string]any {
	for key, value := range over {
		inner, isObject := value.(map[string]any)
		old, was := whole[key].(map[string]any)
		if isObject && was {
			value = merge(old, inner)
		}
		whole[key] = value
	}
	return whole
}
