package figures

import (
	"cmp"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Figures are those of a period.
type Figures struct {
	Period Period
	// Since is from when on is counted: before are too many texts to read at once. Zero if all is.
	Since time.Time
	// Parts are those of the period, and Total is all of it.
	Parts []Part
	Total Part
	// Deliveries are by phone, the customers together as the last; Codes are Twilio's, the most frequent first.
	Deliveries []Delivery
	Codes      []Code
}

// Part is what happened in a part of a period.
type Part struct {
	From time.Time
	// Texts are the customers' and Answers what phones and operators wrote to customers.
	Texts, Answers int
	// Claim and Answer are how long customers waited until somebody had them, and until they were answered. They belong to the part in which
	// Twilio took the first text of such a wait for a phone. Unanswered counts those whom nobody answered within a day.
	Claim, Answer Times
	Unanswered    int
	// Sent and Received are segments, as Twilio bills them. Pictures are messages with attachments, which have another price, and Erased
	// those whose words are not kept any more: neither is among the segments.
	Sent, Received, Pictures, Erased int
}

// Times are how long something took.
type Times []time.Duration

// Quantile returns the time within which a share of them were; ok is false if there are none.
func (t Times) Quantile(share float64) (d time.Duration, ok bool) {
	if len(t) == 0 {
		return 0, false
	}
	sorted := slices.Sorted(slices.Values(t))
	at := int(share*float64(len(sorted))+0.999999) - 1
	return sorted[min(max(at, 0), len(sorted)-1)], true
}

// Delivery is what became of the messages to a phone.
type Delivery struct {
	// Phone is empty for the customers.
	Phone sms.PhoneNumber
	Name  string
	// Open are those without a last receipt.
	Delivered, Lost, Refused, Open int
}

// Code is how often Twilio said a code.
type Code struct{ Number, Times int }

// waiting is a customer whom nobody has answered yet.
type waiting struct {
	since     time.Time
	isClaimed bool
}

// counting counts entries, which come in their order.
type counting struct {
	Figures

	way      route.Route
	now      time.Time
	waits    map[sms.PhoneNumber]waiting
	tags     map[string]sms.PhoneNumber
	byPhone  map[sms.PhoneNumber]*Delivery
	customer Delivery
	// byNumber has where messages to a number are counted: the customers', or a phone's.
	byNumber map[sms.PhoneNumber]*Delivery
	codes    map[int]int
}

// count counts what belongs to the period. The newest day comes first, and of each day the newest entry.
func count(days [][]entry, way route.Route, p Period, now time.Time) Figures {
	c := counting{
		Figures: Figures{Period: p}, way: way, now: now, waits: map[sms.PhoneNumber]waiting{}, tags: map[string]sms.PhoneNumber{},
		byPhone: map[sms.PhoneNumber]*Delivery{}, byNumber: map[sms.PhoneNumber]*Delivery{}, codes: map[int]int{},
	}
	for _, at := range p.Parts {
		c.Parts = append(c.Parts, Part{From: at})
	}
	for _, e := range inOrder(days) {
		c.see(e)
		if part := c.partAt(e.at); part != nil {
			c.add(e, part)
		}
	}
	for _, w := range c.waits {
		c.leave(w)
	}
	return c.sum()
}

// inOrder returns the entries by the moments at which they count. None is copied: they are many.
func inOrder(days [][]entry) []*entry {
	total := 0
	for _, day := range days {
		total += len(day)
	}
	all := make([]*entry, 0, total)
	for _, day := range slices.Backward(days) {
		for i := range slices.Backward(day) {
			all = append(all, &day[i])
		}
	}
	slices.SortStableFunc(all, func(a, b *entry) int { return a.moment().Compare(b.moment()) })
	return all
}

// moment is when an entry counts among the others: a customer's text once Twilio has taken it.
func (e *entry) moment() time.Time {
	if !e.begun.IsZero() {
		return e.begun
	}
	return e.at
}

// partAt returns the part of the period that a moment is in, nil if it is not in the period.
func (c *counting) partAt(at time.Time) *Part {
	if at.Before(c.Period.From) || !at.Before(c.Period.To) {
		return nil
	}
	i, found := slices.BinarySearchFunc(c.Period.Parts, at, time.Time.Compare)
	if !found {
		i--
	}
	return &c.Parts[i]
}

// see goes on with who waits.
func (c *counting) see(e *entry) {
	if e.customer != "" && e.tag != "" && (e.kind == text || e.kind == answer || e.kind == other) {
		c.tags[e.tag] = e.customer
	}
	customer := e.customer
	if e.kind == mine || e.kind == done || e.kind == reaction {
		customer = c.tags[e.tag]
	}
	w, isWaiting := c.waits[customer]
	if isWaiting && e.moment().Sub(w.since) > maxWait {
		c.leave(w)
		delete(c.waits, customer)
		isWaiting = false
	}
	switch {
	case !e.begun.IsZero() && !isWaiting:
		w = waiting{since: e.begun}
		c.waits[customer] = w
	case !isWaiting:
		return
	}
	part := c.partAt(w.since)
	isClaim := e.given || slices.Contains([]kind{answer, byHand, mine, reaction}, e.kind)
	if isClaim && !w.isClaimed {
		if w.isClaimed = true; part != nil && e.kind != byHand {
			part.Claim = append(part.Claim, max(0, e.claimedAt().Sub(w.since)))
		}
		c.waits[customer] = w
	}
	if isAnswer := e.kind == answer || e.kind == byHand; isAnswer && part != nil {
		part.Answer = append(part.Answer, max(0, e.at.Sub(w.since)))
	}
	if slices.Contains([]kind{answer, byHand, done, reaction}, e.kind) {
		delete(c.waits, customer)
	}
}

// claimedAt is when a phone had the customer.
func (e *entry) claimedAt() time.Time {
	if e.given {
		return e.begun
	}
	return e.at
}

// leave counts who was not answered within a day.
func (c *counting) leave(w waiting) {
	if part := c.partAt(w.since); part != nil && c.now.Sub(w.since) > maxWait {
		part.Unanswered++
	}
}

// add counts an entry.
func (c *counting) add(e *entry, part *Part) {
	switch {
	case e.kind == text:
		part.Texts++
	case e.kind == answer, e.kind == byHand && !c.way.IsPhone(e.customer):
		part.Answers++
	}
	part.Received += e.received
	part.Pictures += e.pictures
	part.Erased += e.erased
	for _, s := range e.sent {
		part.Sent += s.segments
		d := c.deliveryTo(s.to)
		switch s.outcome {
		case delivered:
			d.Delivered++
		case lost:
			d.Lost++
		case refusedMessage:
			d.Refused++
		case underWay:
			d.Open++
		}
		if s.code != 0 {
			c.codes[s.code]++
		}
	}
}

// deliveryTo returns where messages to a number are counted.
func (c *counting) deliveryTo(number sms.PhoneNumber) *Delivery {
	d := c.byNumber[number]
	if d != nil {
		return d
	}
	if d = &c.customer; c.way.IsPhone(number) {
		phone := c.way.PhoneOf(number)
		if d = c.byPhone[phone]; d == nil {
			d = &Delivery{Phone: phone, Name: c.way.NameOf(phone)}
			c.byPhone[phone] = d
		}
	}
	c.byNumber[number] = d
	return d
}

// sum makes the totals and the lists.
func (c *counting) sum() Figures {
	for _, p := range c.Parts {
		t := &c.Total
		t.Texts, t.Answers, t.Unanswered = t.Texts+p.Texts, t.Answers+p.Answers, t.Unanswered+p.Unanswered
		t.Claim, t.Answer = append(t.Claim, p.Claim...), append(t.Answer, p.Answer...)
		t.Sent, t.Received, t.Pictures, t.Erased = t.Sent+p.Sent, t.Received+p.Received, t.Pictures+p.Pictures, t.Erased+p.Erased
	}
	for _, d := range c.byPhone {
		c.Deliveries = append(c.Deliveries, *d)
	}
	slices.SortFunc(c.Deliveries, func(a, b Delivery) int {
		return cmp.Compare(cmp.Or(a.Name, string(a.Phone)), cmp.Or(b.Name, string(b.Phone)))
	})
	if c.customer != (Delivery{}) {
		c.Deliveries = append(c.Deliveries, c.customer)
	}
	for number, times := range c.codes {
		c.Codes = append(c.Codes, Code{number, times})
	}
	slices.SortFunc(c.Codes, func(a, b Code) int { return cmp.Or(cmp.Compare(b.Times, a.Times), cmp.Compare(a.Number, b.Number)) })
	return c.Figures
}
