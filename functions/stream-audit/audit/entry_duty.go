package audit

import (
	"regexp"
	"strings"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/route"
)

// addDuty adds who is on duty when.
func (r *storedRoute) addDuty(to *auditlog.Route) {
	to.TimeZone, to.Closed = shaped(r.TimeZone, zoneForm), r.Closed.show(string(r.Closed.value), route.Route{
		Closed: r.Closed.value, NightPhones: []string{"+18585550100"},
	})
	named := route.Route{Phones: r.Phones.value}
	to.Schedule, to.Overrides = []string(nil), []string(nil)
	for _, s := range r.Schedule.value {
		s.Phones = maskedWhos(named, s.Phones)
		to.Schedule = append(to.Schedule, shapedText(s.String(), shiftForm))
	}
	for _, o := range r.Overrides.value {
		o.Phones = maskedWhos(named, o.Phones)
		to.Overrides = append(to.Overrides, shapedText(o.String(), overrideForm))
	}
	to.NightPhones = maskedWhos(named, r.NightPhones.value)
	if r.AutoAnswer.value.Closed != "" {
		to.AutoAnswer = append(to.AutoAnswer, "closed")
	}
	if r.AutoAnswer.value.NoOne != "" {
		to.AutoAnswer = append(to.AutoAnswer, "no_one")
	}
	for list, isUnreadable := range map[*[]string]bool{
		&to.Schedule: r.Schedule.unreadable, &to.Overrides: r.Overrides.unreadable, &to.NightPhones: r.NightPhones.unreadable,
		&to.AutoAnswer: r.AutoAnswer.unreadable,
	} {
		if isUnreadable {
			*list = []string{unreadable}
		}
	}
}

// The forms of what is shown; anything else may be a number in the wrong place.
const (
	zoneForm     = `^([A-Z][A-Za-z]+(/[A-Za-z_+-]+[0-9]{0,2}){0,2})?$`
	whosForm     = `[*0-9a-z, ]+`
	shiftForm    = `^[A-Za-z, -]+ [0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2} ` + whosForm + `$`
	dateForm     = `[0-9]{4}-[0-9]{2}-[0-9]{2}`
	overrideForm = `^` + dateForm + `( [0-9]{2}:[0-9]{2})?( - (` + dateForm + `)? ?([0-9]{2}:[0-9]{2})?)? ` + whosForm + `$`
)

func shaped(w written[string], form string) string {
	if w.unreadable {
		return unreadable
	}
	return shapedText(w.value, form)
}

// shapedText returns the text if it has the form.
func shapedText(text, form string) string {
	if !regexp.MustCompile(form).MatchString(text) {
		return unreadable
	}
	return text
}

// maskedWhos returns the masked numbers of phones that are named by their names or numbers.
func maskedWhos(named route.Route, whos []string) []string {
	var masked []string
	for _, who := range whos {
		number, ok := named.Resolve(strings.TrimSpace(who))
		if !ok {
			masked = append(masked, unreadable)
			continue
		}
		masked = append(masked, number.Mask())
	}
	return masked
}
