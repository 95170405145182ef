package kql

import (
	"encoding/hex"
	"strings"
)

// Type is a scalar type of the language. The zero value is no type: the type
// of an expression that could not be bound.
type Type uint8

// The scalar types, named as in Kusto.
const (
	NoType Type = iota
	Bool
	Int  // 32 bits
	Long // 64 bits
	Real
	Decimal
	String
	DateTime // ticks of 100 ns since 0001-01-01, UTC
	TimeSpan // ticks of 100 ns
	GUID
	Dynamic
)

var typeNames = [...]string{
	NoType: "unknown", Bool: "bool", Int: "int", Long: "long", Real: "real", Decimal: "decimal",
	String: "string", DateTime: "datetime", TimeSpan: "timespan", GUID: "guid", Dynamic: "dynamic",
}

// String returns the type's name as column types are written: "long", "datetime".
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return typeNames[NoType]
}

// typeAliases maps every spelling of a type name to its type.
var typeAliases = map[string]Type{
	"bool": Bool, "boolean": Bool, "int": Int, "long": Long, "real": Real, "double": Real,
	"decimal": Decimal, "string": String, "datetime": DateTime, "date": DateTime,
	"timespan": TimeSpan, "time": TimeSpan, "guid": GUID, "uuid": GUID, "uniqueid": GUID, "dynamic": Dynamic,
	"int32": Int, "int64": Long,
}

// ParseType returns the type with the given name, canonical or alias, and
// whether there is one.
func ParseType(name string) (Type, bool) {
	t, ok := typeAliases[name]
	return t, ok
}

func (t Type) isInteger() bool  { return t == Int || t == Long }
func (t Type) isNumeric() bool  { return t == Int || t == Long || t == Real || t == Decimal }
func (t Type) isSummable() bool { return t.isNumeric() || t == TimeSpan || t == DateTime }

// isOrderable reports whether values of t have a sort order that min and max accept.
func (t Type) isOrderable() bool { return t != Dynamic && t != NoType && t != GUID }

// usesInts reports whether a Vector of type t keeps its values in Ints.
func (t Type) usesInts() bool { return t == Int || t == Long || t == DateTime || t == TimeSpan }

// systemNames are the .NET names getschema shows, as documented in
// https://learn.microsoft.com/kusto/query/getschema-operator.
var systemNames = [...]string{
	NoType: "System.Object", Bool: "System.SByte", Int: "System.Int32", Long: "System.Int64",
	Real: "System.Double", Decimal: "System.Data.SqlTypes.SqlDecimal", String: "System.String",
	DateTime: "System.DateTime", TimeSpan: "System.TimeSpan", GUID: "System.Guid", Dynamic: "System.Object",
}

// UUID is the value of a guid, in the byte order it is written.
type UUID [16]byte

// String returns the lower-case form with dashes.
func (u UUID) String() string {
	var b [36]byte
	hex.Encode(b[0:8], u[0:4])
	hex.Encode(b[9:13], u[4:6])
	hex.Encode(b[14:18], u[6:8])
	hex.Encode(b[19:23], u[8:10])
	hex.Encode(b[24:], u[10:])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// ParseUUID reads a guid with or without dashes, braces or parentheses.
func ParseUUID(s string) (UUID, bool) {
	var u UUID
	s = strings.TrimSpace(s)
	if len(s) >= 2 && (s[0] == '{' && s[len(s)-1] == '}' || s[0] == '(' && s[len(s)-1] == ')') {
		s = s[1 : len(s)-1]
	}
	if len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' {
		s = s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:]
	}
	if len(s) != 32 {
		return u, false
	}
	_, err := hex.Decode(u[:], []byte(s))
	return u, err == nil
}
