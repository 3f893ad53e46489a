package event

import (
	"encoding/binary"
	"time"
)

// This file reads and writes the one form of a time that canonical events have,
// 2026-11-20T12:00:00.123Z, without the layouts of package time. What it does not
// recognise at a glance is left to that package.

// swar8 is the value of the eight decimal digits of x, the first in its lowest byte
// (Lemire, "Quickly parsing eight digits", 2018), or ok false where one is no digit.
func swar8(x uint64) (n uint32, ok bool) {
	const zeros = '0' * ones
	const tens = 0xf0f0f0f0f0f0f0f0
	if x&tens != zeros || (x+6*ones)&tens != zeros {
		return 0, false
	}
	x -= zeros
	x = x*10 + x>>8
	x = ((x & 0x000000ff000000ff) * (100 + 1000000<<32)) + ((x >> 16 & 0x000000ff000000ff) * (1 + 10000<<32))
	return uint32(x >> 32), true
}

// instantMS reads 2006-01-02T15:04:05Z with up to nine decimals of a second, of
// which three count, as Unix milliseconds. The year is one from 1970 to 2261. The
// zone may also be written +00:00.
func instantMS(b []byte) (ms int64, ok bool) {
	const zone = "+00:00"
	switch n := len(b); {
	case n > 0 && b[n-1] == 'Z':
		b = b[:n-1]
	case n > len(zone) && string(b[n-len(zone):]) == zone:
		b = b[:n-len(zone)]
	default:
		return 0, false
	}
	if len(b) < len("2006-01-02T15:04:05") || len(b) > len("2006-01-02T15:04:05.999999999") {
		return 0, false
	}
	if b[4] != '-' || b[7] != '-' || b[10] != 'T' || b[13] != ':' || b[16] != ':' {
		return 0, false
	}
	date := uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint16(b[5:]))<<32 | uint64(binary.LittleEndian.Uint16(b[8:]))<<48
	clock := uint64(binary.LittleEndian.Uint16(b[11:])) | uint64(binary.LittleEndian.Uint16(b[14:]))<<16 |
		uint64(binary.LittleEndian.Uint16(b[17:]))<<32 | '0'<<48 | '0'<<56
	d, ok1 := swar8(date)
	c, ok2 := swar8(clock)
	if !ok1 || !ok2 {
		return 0, false
	}
	year, month, day := int(d/10000), int(d/100%100), int(d%100)
	hour, minute, second := int(c/1000000), int(c/10000%100), int(c/100%100)
	if year < 1970 || year > 2261 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) ||
		hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	switch fraction := b[19:]; {
	case len(fraction) == 0:
	case fraction[0] != '.' || len(fraction) == 1:
		return 0, false
	default:
		unit := int64(100)
		for _, x := range fraction[1:] {
			if x -= '0'; x > 9 {
				return 0, false
			}
			ms += int64(x) * unit
			unit /= 10
		}
	}
	return ms + 1000*(int64(daysFrom(year, month, day))*86400+int64(hour*3600+minute*60+second)), true
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// daysFrom is the number of days from 1970-01-01 to a date of the Gregorian
// calendar, year > 0 (Hinnant, "chrono-compatible low-level date algorithms").
func daysFrom(year, month, day int) int {
	if month <= 2 {
		year--
		month += 12
	}
	era, yoe := year/400, year%400
	doy := (153*(month-3)+2)/5 + day - 1
	return era*146097 + yoe*365 + yoe/4 - yoe/100 + doy - 719468
}

// civil is the inverse of daysFrom. 32 bits hold the days of all years to 9999, and
// divide faster.
func civil(days uint32) (year, month, day uint32) {
	days += 719468
	era, doe := days/146097, days%146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	year, month, day = yoe+era*400, mp+3, doy-(153*mp+2)/5+1
	if month > 12 {
		month -= 12
		year++
	}
	return year, month, day
}

// appendInstant writes t as `"2006-01-02T15:04:05.000Z"`, quotes included.
func appendInstant(dst []byte, t time.Time) []byte {
	seconds := t.Unix()
	if seconds < 0 || seconds >= 253402300800 { // before 1970, after 9999
		return t.UTC().AppendFormat(dst, `"2006-01-02T15:04:05.000Z"`)
	}
	year, month, day := civil(uint32(seconds / 86400))
	s, ms := uint32(seconds%86400), uint32(t.Nanosecond())/1e6
	n := len(dst)
	dst = append(dst, `"2006-01-02T15:04:05.000Z"`...)
	b := dst[n : n+26]
	twoDigits(b[1:], year/100)
	twoDigits(b[3:], year%100)
	twoDigits(b[6:], month)
	twoDigits(b[9:], day)
	twoDigits(b[12:], s/3600)
	twoDigits(b[15:], s/60%60)
	twoDigits(b[18:], s%60)
	b[21] = byte('0' + ms/100)
	twoDigits(b[22:], ms%100)
	return dst
}

func twoDigits(b []byte, n uint32) { b[0], b[1] = byte('0'+n/10), byte('0'+n%10) }
