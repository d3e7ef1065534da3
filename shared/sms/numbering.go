package sms

import (
	"strconv"
	"strings"
)

// numbering is what is known about the numbers of each country code: "44=7,9-10/0" says that the numbers of phones have 7, 9
// or 10 digits behind +44, and that people there dial a 0 first at home, which is not part of the number in E.164. If a row
// has no slash, a leading zero belongs to the number, as in Italy. The lengths are those that libphonenumber's metadata has
// for fixed, mobile and internet phones; a test in cmd/relay/typed compares the table with it. Three rows go further than the
// metadata: Mexico's mobile 1 (and 01, 044, 045) is gone since 2019, and Twilio's guidelines for Mexico ask for the ten digits
// alone; Belarus dials 80 or 8; Argentina's 15 is in argentine.
const numbering = "" +
	" 1=10/1 7=10/8 20=8-10/0 27=5-9/0 30=10 31=9,11/0 32=8-9/0 33=9/0 34=9 36=8-9/06 39=6-12 40=6,9/0 41=9/0 43=4-13/0 " +
	"44=9-10/0 45=8 46=7-9/0 47=8 48=7,9 49=5-15/0 51=8-9/0 52=10/1,01,044,045 53=6-8,10/0 54=10-11/0 55=10-11/0 56=9 " +
	"57=8,10/0 58=10/0 60=8-10/0 61=9/0 62=7-12/0 63=6,8-10/0 64=8-10/0 65=8 66=8-9/0 81=9-10/0 82=5-6,8-10/0 84=9-10/0 " +
	"86=7-11/0 90=10/0 91=10/0 92=9-10/0 93=9/0 94=9/0 95=6-10/0 98=6-7,10/0 211=9/0 212=9/0 213=8-9/0 216=8 218=9/0 220=7 " +
	"221=9 222=8 223=8 224=8-9 225=10 226=8 227=8 228=8 229=8,10 230=7-8 231=7-9/0 232=8/0 233=9/0 234=10/0 235=8 236=8 " +
	"237=9 238=7 239=7 240=9 241=7-8 242=9 243=7-10/0 244=9 245=7,9 246=7 247=5 248=7 249=9/0 250=8-9/0 251=9/0 252=6-9/0 " +
	"253=8 254=7-9/0 255=9/0 256=9/0 257=8 258=8-9 260=9/0 261=9/0 262=9/0 263=5-10/0 264=8-9/0 265=7,9/0 266=8 267=7-8 " +
	"268=8 269=7 290=4-5 291=7/0 297=7 298=6 299=6 350=8 351=9 352=4-11 353=7-10/0 354=7,9 355=8-9/0 356=8 357=8 358=5-10/0 " +
	"359=6-9/0 370=8/0,8 371=8 372=7-8 373=8/0 374=8/0 375=9/80,8,0 376=6,9 377=8-9/0 378=8,10 380=9/0 381=7-12/0 382=8/0 " +
	"383=8-12/0 385=8-9/0 386=8/0 387=8-9/0 389=8/0 420=9 421=6-7,9/0 423=7,9/0 500=5 501=7 502=8 503=8 504=8 505=8 506=8 " +
	"507=7-8 508=6,9/0 509=8 590=9/0 591=8/0 592=7 593=8-9/0 594=9/0 595=7-9/0 596=9/0 597=6-7 598=8/0 599=7-8 670=7-8 672=6 " +
	"673=7 674=7 675=7-8 676=5,7 677=5,7 678=5,7 679=7 680=7 681=6 682=5 683=4,7 685=5-7,10 686=5,8/0 687=6 688=5-7 689=8 " +
	"690=4-7 691=7 692=7/1 850=8,10/0 852=8 853=8 855=8-9/0 856=8-10/0 870=9,12 878=12 880=6-10/0 881=9-10 882=7-12 883=8-12 " +
	"886=8-11/0 960=7 961=7-8/0 962=8-9/0 963=8-9/0 964=8-10/0 965=8 966=9/0 967=7-9/0 968=8 970=8-9/0 971=8-9/0 " +
	"972=8-9,11-12/0 973=8 974=8 975=7-8 976=8-10/0 977=8,10/0 992=9 993=8/8 994=9/0 995=9/0 996=9/0 998=9 "

// The rules that do not fit into a row.
const (
	northAmerica = "1"
	argentina    = "54"
)

// plan is a row of numbering.
type plan struct{ code, lengths, trunks string }

// planOf returns the row whose country code the digits begin with. Country codes are prefix-free.
func planOf(digits string) (p plan, known bool) {
	for n := 1; n <= 3 && n < len(digits); n++ {
		_, row, found := strings.Cut(numbering, " "+digits[:n]+"=")
		if !found {
			continue
		}
		row, _, _ = strings.Cut(row, " ")
		lengths, trunks, _ := strings.Cut(row, "/")
		return plan{code: digits[:n], lengths: lengths, trunks: trunks}, true
	}
	return plan{}, false
}

// fits reports whether a national number can have that many digits and, in North America, begin like that.
func (p plan) fits(national string) bool {
	if p.code == northAmerica && (len(national) != 10 || national[0] < '2' || national[3] < '2') {
		return false
	}
	for one := range strings.SplitSeq(p.lengths, ",") {
		from, to, isRange := strings.Cut(one, "-")
		if !isRange {
			to = from
		}
		least, _ := strconv.Atoi(from)
		most, _ := strconv.Atoi(to)
		if len(national) >= least && len(national) <= most {
			return true
		}
	}
	return false
}

// withoutTrunk removes the prefix that is only dialled at home. In a country with such a prefix, a prefix that begins with
// zero is never part of the number; another prefix is if the number has the right length with it.
func (p plan) withoutTrunk(national string) string {
	if p.trunks == "" {
		return national
	}
	for trunk := range strings.SplitSeq(p.trunks, ",") {
		rest, has := strings.CutPrefix(national, trunk)
		if has && p.fits(rest) && (trunk[0] == '0' || !p.fits(national)) {
			return rest
		}
	}
	return national
}

// argentine writes a mobile number of Argentina as it is written abroad: the 15 after the area code, dialled at home, becomes
// a 9 before the area code. Area codes have two to four digits; area and number have ten together.
func argentine(national string) string {
	local := strings.TrimPrefix(national, "9")
	if len(local) != 12 {
		return national
	}
	for area := 2; area <= 4; area++ {
		if local[area:area+2] == "15" {
			return "9" + local[:area] + local[area+2:]
		}
	}
	return national
}

// Canonical returns the one form in which the number is kept and compared, in E.164: without the zero that is dialled at home
// ("+4407700900123" becomes "+447700900123"), and without Mexico's old mobile 1. ok is false if no such number can exist,
// because its country code is not known or it has too many or too few digits, and if the address is not in E.164. The address
// is then returned as it is.
func (n PhoneNumber) Canonical() (canonical PhoneNumber, ok bool) {
	if !n.IsE164() {
		return n, false
	}
	p, known := planOf(string(n[1:]))
	if !known {
		return n, false
	}
	national := p.withoutTrunk(string(n[1+len(p.code):]))
	if p.code == argentina {
		national = argentine(national)
	}
	canonical = n
	if national != string(n[1+len(p.code):]) {
		canonical = PhoneNumber("+" + p.code + national)
	}
	if !p.fits(national) || strings.HasPrefix(national, "0") && strings.HasPrefix(p.trunks, "0") || canonical != n && !canonical.IsE164() {
		return n, false
	}
	return canonical, true
}

// Same reports whether two addresses are the same: equal bytes, or two spellings of one number. In Argentina a number is the
// same with and without the 9 of mobile phones: Twilio's senders and phones' own texts do not agree on it.
func Same(a, b PhoneNumber) bool { return a == b || endAlike(a, b) && a.Key() == b.Key() }

// endAlike reports whether the last digits of two addresses are equal: what tells the spellings of a number apart is at its beginning.
// Nearly all numbers that are compared differ there, and no table is needed to see that.
func endAlike(a, b PhoneNumber) bool {
	const last = 4
	return len(a) >= last && len(b) >= last && a[len(a)-last:] == b[len(b)-last:]
}

// Key is the same for all spellings of one number, see [Same]. It is for maps, not for Twilio.
func (n PhoneNumber) Key() PhoneNumber {
	canonical, _ := n.Canonical()
	if national, found := strings.CutPrefix(string(canonical), "+"+argentina+"9"); found && len(national) == 10 {
		return PhoneNumber("+" + argentina + national)
	}
	return canonical
}

// Spellings returns the address, then its canonical form if that is another one, and in Argentina the number with or without its
// 9: the keys under which its route may be.
func (n PhoneNumber) Spellings() []PhoneNumber { return n.AppendSpellings(nil) }

// AppendSpellings appends the Spellings to others.
func (n PhoneNumber) AppendSpellings(spellings []PhoneNumber) []PhoneNumber {
	spellings = append(spellings, n)
	canonical, _ := n.Canonical()
	if canonical != n {
		spellings = append(spellings, canonical)
	}
	national, found := strings.CutPrefix(string(canonical), "+"+argentina)
	switch {
	case found && len(national) == 10:
		spellings = append(spellings, PhoneNumber("+"+argentina+"9"+national))
	case found && len(national) == 11:
		spellings = append(spellings, canonical.Key())
	}
	return spellings
}

// Nearest returns the number that was probably meant if n cannot exist or is not written in E.164; empty if there is none:
// "+6195550123" and "619 555 0123" are probably North American, without their country code.
func (n PhoneNumber) Nearest() PhoneNumber {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, string(n))
	if len(digits) > 15 {
		return ""
	}
	for _, guess := range []PhoneNumber{PhoneNumber("+" + digits), PhoneNumber("+1" + digits)} {
		if canonical, ok := guess.Canonical(); ok && canonical != n {
			return canonical
		}
	}
	return ""
}

// Problem returns what is wrong with the number, in words that say which form it should have; empty if nothing is. It is
// impossible if the form is right and no phone can have the number.
func (n PhoneNumber) Problem() (problem string, impossible bool) {
	canonical, ok := n.Canonical()
	if ok && canonical == n {
		return "", false
	}
	switch meant := n.Nearest(); {
	case ok:
		return "is written " + string(canonical) + " in E.164: write it so", false
	case n.IsE164() && meant != "":
		return "does not have the digits of a number of its country; did you mean " + string(meant) + "?", true
	case n.IsE164():
		return "does not have the digits of a number of its country: no such phone can exist", true
	case meant != "":
		return "is not E.164: want a plus sign, country code and number, such as " + string(meant), false
	default:
		return "is not E.164: want a plus sign, country code and number, such as +18585550100", false
	}
}

// The area codes of North America that are not a place's, at whose numbers no person can be reached, and those of islands, which are
// countries of their own to carriers and their prices.
const (
	areasOfNoPlace = " 500 521 522 533 544 566 577 588 600 622 700 800 822 833 844 855 866 877 888 900 "
	islands        = " 242 246 264 268 284 340 345 441 473 649 658 664 670 671 684 721 758 767 784 787 809 829 849 868 869 876 939 "
)

// SameCountry reports whether a person with that number is, by the number, in the country of one of ours, which may be toll-free. Neither
// a short code nor a name is in any. The United States and Canada count as one country, and each of their neighbours on islands counts as
// one by its area code.
func SameCountry(ours, theirs PhoneNumber) bool {
	canonical, isNumber := theirs.Canonical()
	p, _ := planOf(strings.TrimPrefix(string(ours), "+"))
	national, isSame := strings.CutPrefix(string(canonical), "+"+p.code)
	switch {
	case !isNumber || !isSame || p.code == "" || !ours.IsE164():
		return false
	case p.code == northAmerica:
		area := " " + national[:3] + " "
		isIsland := strings.Contains(islands, area) || strings.Contains(islands, " "+string(ours[2:5])+" ")
		return !strings.Contains(areasOfNoPlace, area) && (!isIsland || string(ours[2:5]) == national[:3])
	}
	return true
}
