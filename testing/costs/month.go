package costs

import (
	"math"
	"strconv"
	"strings"
)

// Rates are what the relay costs at any size, for texts of one segment that are delivered with receipts.
type Rates struct {
	// AWS and Twilio are what a text costs at most, in dollars.
	AWS, Twilio float64
	// Stack is what a stack costs a month without any text, Number what a Twilio number costs.
	Stack, Number float64
}

// ReadRates computes them from the counts, the prices and the template in the module's folder.
func ReadRates(module string) (Rates, error) {
	s, err := readStack(module)
	if err != nil {
		return Rates{}, err
	}
	paths, err := readPaths(module)
	if err != nil {
		return Rates{}, err
	}
	bill := s.bill(paths[0])
	return Rates{AWS: bill["AWS"] / million, Twilio: bill["Twilio"] / million, Stack: standingTotal(s), Number: of("number")}, nil
}

// Dollars writes an amount.
func Dollars(n float64) string { return dollars(n) }

// standing is what a month costs in which no text comes.
type standing struct {
	what    string
	reckon  string
	dollars float64
}

func standings(s stack) []standing {
	polls := assumed("pollers") * 3 * 60 * hours
	return []standing{
		{"custom metrics, if each is emitted in every hour", plain(s.metrics) + " metrics", s.metrics * of("metric")},
		{"alarms", plain(s.alarms) + " alarms", s.alarms * of("alarm")},
		{"the dashboard", "1 dashboard", of("dashboard")},
		{"secrets: Auth Token and API key", "2 secrets", 2 * of("secret")},
		{"polling the queue", plain(polls) + " receives", polls / million * of("fifo")},
		{"polling the timer queue", plain(polls) + " receives", polls / million * of("standard")},
	}
}

// standingTotal is what a month without texts costs.
func standingTotal(s stack) float64 {
	total := 0.0
	for _, one := range standings(s) {
		total += one.dollars
	}
	return total
}

// plain writes a number as short as it is.
func plain(n float64) string { return strconv.FormatFloat(math.Round(n*1e10)/1e10, 'f', -1, 64) }

// dollars writes an amount.
func dollars(n float64) string {
	if n > 0 && n < 0.005 {
		return "under $0.01"
	}
	text := strconv.FormatFloat(n, 'f', 2, 64)
	whole, cents, _ := strings.Cut(text, ".")
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + "," + whole[at:]
	}
	return "$" + whole + "." + cents
}
