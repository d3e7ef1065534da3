package conversation

import (
	"slices"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Forget returns what is kept of a phone without a customer: what it was sent of him, and that it wrote to him. Where another customer
// could be taken for him, the end of his number stays. changed is false if it has nothing of him.
func Forget(p Phone, customer sms.PhoneNumber) (without Phone, changed bool) {
	isHis := func(number sms.PhoneNumber) bool { return number != "" && sms.Same(number, customer) }
	if at := slices.IndexFunc(p.Exchanges, func(e Exchange) bool { return isHis(e.Customer) }); at >= 0 {
		tag := p.Exchanges[at].Tag
		p.Exchanges = slices.Delete(slices.Clone(p.Exchanges), at, at+1)
		p.Sent = slices.DeleteFunc(slices.Clone(p.Sent), func(s Sent) bool { return tag != "" && s.Tag == tag })
		changed = true
	}
	if isHis(p.LastTo) {
		p.LastTo, changed = sms.Pseudonym(p.LastTo), true
	}
	if isHis(p.Owner) {
		p.Owner, changed = sms.Pseudonym(p.Owner), true
	}
	if isHis(p.Undo.Customer) {
		p.Undo, changed = Undo{}, true
	}
	return p, changed
}

// ForgetName returns what is kept of a phone without the names of a customer, who still writes to it. changed is false if it has none.
func ForgetName(p Phone, customer sms.PhoneNumber) (without Phone, changed bool) {
	p.Exchanges = slices.Clone(p.Exchanges)
	for i, e := range p.Exchanges {
		if sms.Same(e.Customer, customer) && (e.Name != "" || len(e.Former) > 0) {
			p.Exchanges[i].Name, p.Exchanges[i].Former, changed = "", nil, true
		}
	}
	return p, changed
}
