package kql

import "math"

// unitFns convert between units of measure; an unknown unit gives null. The
// units are those of https://learn.microsoft.com/kusto/query/convert-angle-function
// and its siblings.
var unitFns = []scalarFn{
	{name: "convert_angle", sig: "real, string, string -> real", make: unitConverter(angleUnits)},
	{name: "convert_energy", sig: "real, string, string -> real", make: unitConverter(energyUnits)},
	{name: "convert_force", sig: "real, string, string -> real", make: unitConverter(forceUnits)},
	{name: "convert_length", sig: "real, string, string -> real", make: unitConverter(lengthUnits)},
	{name: "convert_mass", sig: "real, string, string -> real", make: unitConverter(massUnits)},
	{name: "convert_speed", sig: "real, string, string -> real", make: unitConverter(speedUnits())},
	{name: "convert_temperature", sig: "real, string, string -> real", make: strict(convertTemperature)},
	{name: "convert_volume", sig: "real, string, string -> real", make: unitConverter(volumeUnits)},
}

// unitConverter converts by factors to a common unit.
func unitConverter(units map[string]float64) maker {
	return strict(func(a []Value) Value {
		from, ok1 := units[a[1].Str]
		to, ok2 := units[a[2].Str]
		if !ok1 || !ok2 {
			return nullValue(Real)
		}
		return realValue(a[0].Real * from / to)
	})
}

const degree = math.Pi / 180

// angleUnits are in radians.
var angleUnits = map[string]float64{
	"Arcminute": degree / 60, "Arcsecond": degree / 3600, "Centiradian": 1e-2, "Deciradian": 1e-1, "Degree": degree,
	"Gradian": 0.9 * degree, "Microdegree": 1e-6 * degree, "Microradian": 1e-6, "Millidegree": 1e-3 * degree, "Milliradian": 1e-3,
	"Nanodegree": 1e-9 * degree, "Nanoradian": 1e-9, "NatoMil": 2 * math.Pi / 6400, "Radian": 1, "Revolution": 2 * math.Pi, "Tilt": 1 / (2 / math.Pi),
}

const (
	btu          = 1055.05585262
	calorie      = 4.184
	electronVolt = 1.602176565e-19
	wattHour     = 3600.0
	therm        = 1.05505585262e8
)

// energyUnits are in joules.
var energyUnits = map[string]float64{
	"BritishThermalUnit": btu, "KilobritishThermalUnit": 1e3 * btu, "MegabritishThermalUnit": 1e6 * btu, "GigabritishThermalUnit": 1e9 * btu,
	"Calorie": calorie, "Kilocalorie": 1e3 * calorie, "Megacalorie": 1e6 * calorie,
	"ThermEc": therm, "DecathermEc": 10 * therm, "ThermImperial": 1.05505585257348e8, "DecathermImperial": 1.05505585257348e9,
	"ThermUs": 1.054804e8, "DecathermUs": 1.054804e9,
	"ElectronVolt": electronVolt, "KiloelectronVolt": 1e3 * electronVolt, "MegaelectronVolt": 1e6 * electronVolt,
	"GigaelectronVolt": 1e9 * electronVolt, "TeraelectronVolt": 1e12 * electronVolt,
	"Erg": 1e-7, "FootPound": 1.355817948, "HorsepowerHour": 2.6845195377e6,
	"Joule": 1, "Millijoule": 1e-3, "Kilojoule": 1e3, "Megajoule": 1e6, "Gigajoule": 1e9,
	"WattHour": wattHour, "KilowattHour": 1e3 * wattHour, "MegawattHour": 1e6 * wattHour, "GigawattHour": 1e9 * wattHour, "TerawattHour": 1e12 * wattHour,
	"WattDay": 24 * wattHour, "KilowattDay": 24e3 * wattHour, "MegawattDay": 24e6 * wattHour, "GigawattDay": 24e9 * wattHour, "TerawattDay": 24e12 * wattHour,
}

const poundForce = 4.4482216152605095551842641431421

// forceUnits are in newtons.
var forceUnits = map[string]float64{
	"Decanewton": 10, "Dyn": 1e-5, "KilogramForce": 9.80665, "Kilonewton": 1e3, "KiloPond": 9.80665, "KilopoundForce": 1e3 * poundForce,
	"Meganewton": 1e6, "Micronewton": 1e-6, "Millinewton": 1e-3, "Newton": 1, "OunceForce": 0.27801385095378125, "Poundal": 0.138254954376,
	"PoundForce": poundForce, "ShortTonForce": 2000 * poundForce, "TonneForce": 9806.65,
}

const (
	foot       = 0.3048
	surveyFoot = 1200.0 / 3937
	lightYear  = 9.46073047258e15
	parsec     = 3.08567758128e16
)

// lengthUnits are in metres.
var lengthUnits = map[string]float64{
	"Angstrom": 1e-10, "AstronomicalUnit": 1.4959787070e11, "Centimeter": 1e-2, "Chain": 20.1168, "DataMile": 1828.8, "Decameter": 10,
	"Decimeter": 0.1, "DtpPica": foot / 72, "DtpPoint": foot / 864, "Fathom": 1.8288, "Foot": foot, "Hand": 0.1016, "Hectometer": 100,
	"Inch": 0.0254, "KilolightYear": 1e3 * lightYear, "Kilometer": 1e3, "Kiloparsec": 1e3 * parsec, "LightYear": lightYear,
	"MegalightYear": 1e6 * lightYear, "Megaparsec": 1e6 * parsec, "Meter": 1, "Microinch": 2.54e-8, "Micrometer": 1e-6, "Mil": 2.54e-5,
	"Mile": 1609.344, "Millimeter": 1e-3, "Nanometer": 1e-9, "NauticalMile": 1852, "Parsec": parsec, "PrinterPica": foot / 72.27,
	"PrinterPoint": foot / 867.24, "Shackle": 27.432, "SolarRadius": 6.95510000e8, "Twip": foot / 17280, "UsSurveyFoot": surveyFoot, "Yard": 0.9144,
}

const pound = 0.45359237

// massUnits are in kilograms.
var massUnits = map[string]float64{
	"Centigram": 1e-5, "Decagram": 1e-2, "Decigram": 1e-4, "EarthMass": 5.9722e24, "Grain": pound / 7000, "Gram": 1e-3, "Hectogram": 0.1,
	"Kilogram": 1, "Kilopound": 1e3 * pound, "Kilotonne": 1e6, "LongHundredweight": 112 * pound, "LongTon": 2240 * pound, "Megapound": 1e6 * pound,
	"Megatonne": 1e9, "Microgram": 1e-9, "Milligram": 1e-6, "Nanogram": 1e-12, "Ounce": pound / 16, "Pound": pound, "ShortHundredweight": 100 * pound,
	"ShortTon": 2000 * pound, "Slug": 14.593903, "SolarMass": 1.98947e30, "Stone": 14 * pound, "Tonne": 1e3,
}

// speedUnits are in metres a second: lengths by hour, minute and second.
func speedUnits() map[string]float64 {
	units := map[string]float64{"Knot": 1852.0 / 3600}
	for name, hour := range map[string]bool{"Centimeter": true, "Decimeter": false, "Foot": true, "Inch": true, "Kilometer": true,
		"Meter": true, "Micrometer": false, "Millimeter": true, "Nanometer": false, "UsSurveyFoot": true, "Yard": true} {
		m := lengthUnits[name]
		units[name+"PerSecond"], units[name+"PerMinute"] = m, m/60
		if hour {
			units[name+"PerHour"] = m / 3600
		}
	}
	units["MilePerHour"] = lengthUnits["Mile"] / 3600
	return units
}

// temperatureScale is kelvin = value*factor + offset.
type temperatureScale struct{ factor, offset float64 }

var temperatureScales = map[string]temperatureScale{
	"Kelvin": {1, 0}, "DegreeCelsius": {1, 273.15}, "MillidegreeCelsius": {1e-3, 273.15}, "DegreeDelisle": {-2.0 / 3, 373.15},
	"DegreeFahrenheit": {5.0 / 9, 459.67 * 5 / 9}, "DegreeNewton": {100.0 / 33, 273.15}, "DegreeRankine": {5.0 / 9, 0},
	"DegreeReaumur": {1.25, 273.15}, "DegreeRoemer": {40.0 / 21, 273.15 - 7.5*40/21}, "SolarTemperature": {5778, 0},
}

func convertTemperature(a []Value) Value {
	from, ok1 := temperatureScales[a[1].Str]
	to, ok2 := temperatureScales[a[2].Str]
	if !ok1 || !ok2 {
		return nullValue(Real)
	}
	if from == to {
		return a[0]
	}
	kelvin := a[0].Real*from.factor + from.offset
	return realValue((kelvin - to.offset) / to.factor)
}

const (
	usGallon       = 0.00378541
	imperialGallon = 0.00454609
	cubicFoot      = foot * foot * foot
)

// volumeUnits are in cubic metres.
var volumeUnits = map[string]float64{
	"AcreFoot": 1 / 0.000810714, "AuTablespoon": 2e-5, "BoardFoot": 2.3597372158e-3, "Centiliter": 1e-5, "CubicCentimeter": 1e-6,
	"CubicDecimeter": 1e-3, "CubicFoot": cubicFoot, "CubicHectometer": 1e6, "CubicInch": 1.6387064e-5, "CubicKilometer": 1e9, "CubicMeter": 1,
	"CubicMicrometer": 1e-18, "CubicMile": 4.16818182544058e9, "CubicMillimeter": 1e-9, "CubicYard": 27 * cubicFoot, "Decaliter": 1e-2,
	"DecausGallon": 10 * usGallon, "Deciliter": 1e-4, "DeciusGallon": 0.1 * usGallon, "HectocubicFoot": 100 * cubicFoot, "HectocubicMeter": 100,
	"Hectoliter": 0.1, "HectousGallon": 100 * usGallon, "ImperialBeerBarrel": 0.16365924, "ImperialGallon": imperialGallon,
	"ImperialOunce": 2.8413062499962901241875439064617e-5, "ImperialPint": imperialGallon / 8, "KilocubicFoot": 1e3 * cubicFoot,
	"KilocubicMeter": 1e3, "KiloimperialGallon": 1e3 * imperialGallon, "Kiloliter": 1, "KilousGallon": 1e3 * usGallon, "Liter": 1e-3,
	"MegacubicFoot": 1e6 * cubicFoot, "MegaimperialGallon": 1e6 * imperialGallon, "Megaliter": 1e3, "MegausGallon": 1e6 * usGallon,
	"MetricCup": 2.5e-4, "MetricTeaspoon": 5e-6, "Microliter": 1e-9, "Milliliter": 1e-6, "OilBarrel": 0.158987294928, "UkTablespoon": 1.5e-5,
	"UsBeerBarrel": 0.117347768, "UsCustomaryCup": 2.365882365e-4, "UsGallon": usGallon, "UsLegalCup": 2.4e-4, "UsOunce": 2.957352956253760505068307980135e-5,
	"UsPint": 4.73176473e-4, "UsQuart": 9.46352946e-4, "UsTablespoon": 1.478676478125e-5, "UsTeaspoon": 4.92892159375e-6,
}
