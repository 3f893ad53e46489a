package clean

import (
	"math"
	"strings"
)

// The minor units of currencies that do not have 100 of them: ISO 4217:2015, list one as
// published by SIX, with the amendments up to 2025.
const (
	digits0 = " BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF "
	digits3 = " BHD IQD JOD KWD LYD OMR TND "
	digits4 = " CLF UYW "
	digits2 = " AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUC CUP CVE CZK" +
		" DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA" +
		" MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP" +
		" STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG ZWL "
)

// exponent is the number of decimal digits of a currency's minor unit, by ISO 4217.
func exponent(currency string) (int, bool) {
	if len(currency) != 3 {
		return 0, false
	}
	var spaced [5]byte
	spaced[0], spaced[4] = ' ', ' '
	for i := range 3 {
		c := currency[i] &^ 0x20 // upper case
		if c < 'A' || c > 'Z' {
			return 0, false
		}
		spaced[i+1] = c
	}
	code := string(spaced[:])
	switch {
	case strings.Contains(digits2, code):
		return 2, true
	case strings.Contains(digits0, code):
		return 0, true
	case strings.Contains(digits3, code):
		return 3, true
	case strings.Contains(digits4, code):
		return 4, true
	}
	return 0, false
}

// minorUnits is the amount in the currency's smallest unit, halves away from zero: 59.9 EUR are 5990.
func minorUnits(amount float64, currency string) (int64, bool) {
	digits, ok := exponent(currency)
	if !ok {
		return 0, false
	}
	// Adding what is lost when a decimal fraction becomes binary keeps 1.005 from being 1.00499…
	scaled := amount * math.Pow10(digits)
	scaled = math.Round(scaled + math.Copysign(math.Abs(scaled)*1e-15, scaled))
	if !(math.Abs(scaled) <= 1<<53) {
		return 0, false
	}
	return int64(scaled), true
}
