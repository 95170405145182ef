package aca

import (
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// scalar reads one plain value. An empty string stands for "not given", as
// Azure's clients write it.
func (d *decoder) scalar(v reflect.Value, f Field, tree any, path Path) {
	if s, ok := tree.(string); ok && s == "" {
		return
	}
	switch v.Kind() {
	case reflect.String:
		d.text(v, f, tree, path)
	case reflect.Bool:
		d.boolean(v, tree, path)
	case reflect.Int:
		d.integer(v, tree, path)
	case reflect.Float64:
		d.decimal(v, tree, path)
	default:
		panic("bug: no rule to decode into " + v.Type().String())
	}
}

func (d *decoder) text(v reflect.Value, f Field, tree any, path Path) {
	switch t := tree.(type) {
	case string:
		d.enum(v, f, t, path)
	case json.Number:
		if f.Scalar {
			v.SetString(t.String())
			return
		}
		d.wrongType(path, "a string", tree).Hint = "put it in quotes: " + strconv.Quote(t.String())
		v.SetString(t.String()) // so that Validate does not say it is missing
	case bool:
		text := strconv.FormatBool(t)
		if f.Scalar {
			v.SetString(text)
			d.warnf(path, "the boolean %t becomes the text %q; az may write it as %q", t, text, strings.ToUpper(text[:1])+text[1:]).
				Hint = "put it in quotes: " + strconv.Quote(text)
			return
		}
		d.wrongType(path, "a string", tree).Hint = "put it in quotes: " + strconv.Quote(text)
	default:
		d.wrongType(path, "a string", tree)
	}
}

// enum stores the value in its canonical casing: the service reads "single"
// and answers "Single".
func (d *decoder) enum(v reflect.Value, f Field, s string, path Path) {
	if f.Enum == nil {
		v.SetString(s)
		return
	}
	squeezed := strings.ReplaceAll(s, " ", "")
	for _, value := range f.Enum {
		if strings.EqualFold(value, squeezed) {
			v.SetString(value)
			return
		}
	}
	p := d.errorf(path, "ContainerAppInvalidValue", "%q is not a value of %s", clip(s), f.Name)
	p.Hint = didYouMean(s, f.Enum)
	v.SetString(s) // given, if badly: Validate must not say it is missing
}

func (d *decoder) boolean(v reflect.Value, tree any, path Path) {
	if b, ok := tree.(bool); ok {
		v.SetBool(b)
		return
	}
	// az reads YAML 1.1, where yes and on are true.
	if s, ok := tree.(string); ok {
		switch strings.ToLower(s) {
		case "true", "yes", "on":
			v.SetBool(true)
			return
		case "false", "no", "off":
			return
		}
	}
	d.wrongType(path, "true or false", tree)
}

func (d *decoder) integer(v reflect.Value, tree any, path Path) {
	n, ok := number(tree)
	if !ok || n != math.Trunc(n) || math.Abs(n) > math.MaxInt32 {
		d.wrongType(path, "an integer", tree)
		return
	}
	v.SetInt(int64(n))
}

func (d *decoder) decimal(v reflect.Value, tree any, path Path) {
	n, ok := number(tree)
	if !ok {
		d.wrongType(path, "a number", tree)
		return
	}
	v.SetFloat(n)
}

// number reads a finite number, also from a string: az sends weights so.
func number(tree any) (float64, bool) {
	var text string
	switch t := tree.(type) {
	case json.Number:
		text = t.String()
	case string:
		text = strings.TrimSpace(t)
	default:
		return 0, false
	}
	if strings.ContainsAny(text, "xXpP_") {
		return 0, false // Go's own spellings of numbers are not ARM's
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil && !math.IsNaN(n) && !math.IsInf(n, 0)
}
