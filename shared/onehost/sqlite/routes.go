package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

var _ route.Table = (*Routes)(nil)

// maxLookup is the most numbers that one Lookup may ask for.
const maxLookup = 100

// Routes is the routing table. It implements [route.Table]; a lookup never lags.
type Routes struct {
	StoredRoutes
	db *DB
}

// StoredRoutes is what may be read of the routing table.
type StoredRoutes struct{ reader *reader }

// Routes returns the database's routing table.
func (db *DB) Routes() *Routes { return &Routes{StoredRoutes: StoredRoutes{reader: db.reader}, db: db} }

const lookupQuery = `SELECT twilio_number, route FROM routing WHERE twilio_number IN (SELECT value FROM json_each(?))`

// Lookup returns the routes of the given numbers, see [route.Table].
func (r StoredRoutes) Lookup(ctx context.Context, numbers ...sms.PhoneNumber) (map[sms.PhoneNumber]route.Route, error) {
	if len(numbers) > maxLookup {
		return nil, permanent("lookup of more than 100 numbers")
	}
	list, err := json.Marshal(numbers)
	if err != nil {
		return nil, permanent("number cannot be written as JSON")
	}
	routes, unreadable, err := r.read(ctx, lookupQuery, string(list))
	if err = cmp.Or(err, route.ErrorOf(unreadable)); err != nil {
		return nil, err
	}
	byNumber := make(map[sms.PhoneNumber]route.Route, len(routes))
	for _, found := range routes {
		byNumber[found.TwilioNumber] = found
	}
	return byNumber, nil
}

// List returns all routes in order of TwilioNumber, see [route.Table].
func (r StoredRoutes) List(ctx context.Context) ([]route.Route, error) {
	routes, unreadable, err := r.read(ctx, "SELECT twilio_number, route FROM routing ORDER BY twilio_number")
	if err != nil {
		return nil, err
	}
	return routes, route.ErrorOf(unreadable)
}

// read returns the routes that a query finds.
func (r StoredRoutes) read(ctx context.Context, query string, args ...any) (
	routes []route.Route, unreadable []route.Unreadable, err error,
) {
	err = r.reader.each(ctx, func(rows *sql.Rows) error {
		var number sms.PhoneNumber
		var item string
		if err := rows.Scan(&number, &item); err != nil {
			return err
		}
		if decoded, err := decodeRoute(number, item); err != nil {
			unreadable = append(unreadable, unreadableRoute(number, item, err))
		} else {
			routes = append(routes, decoded)
		}
		return nil
	}, query, args...)
	return routes, unreadable, err
}

// unreadableRoute returns what can be said of an item that cannot be read.
func unreadableRoute(number sms.PhoneNumber, item string, err error) route.Unreadable {
	u := route.Unreadable{TwilioNumber: number, Err: err}
	var of struct{ Threads []sms.PhoneNumber }
	u.AnyThread = json.Unmarshal([]byte(item), &of) != nil
	u.Threads = of.Threads
	return u
}

// Put writes a route on condition of its version, see [route.Table]. With ErrConflict it returns the stored route.
func (r *Routes) Put(ctx context.Context, wanted route.Route) (route.Route, error) {
	read := wanted.Version
	wanted.Version++
	item, err := json.Marshal(wanted)
	if err != nil {
		return route.Route{}, permanent("route cannot be written as JSON")
	}
	var put outcome[route.Route]
	if err := r.db.write(ctx, func(ctx context.Context, t *tx) (err error) {
		put, err = t.putRoute(ctx, read, wanted, string(item))
		return err
	}); err != nil {
		return route.Route{}, err
	}
	return put.item, put.refusal
}

func (t *tx) putRoute(ctx context.Context, read int64, wanted route.Route, item string) (outcome[route.Route], error) {
	key := string(wanted.TwilioNumber)
	var version int64
	var old *string
	if _, err := t.get(ctx, []any{&version, &old}, "SELECT version, route FROM routing WHERE twilio_number = ?", key); err != nil {
		return outcome[route.Route]{}, err
	}
	if version != read {
		there, err := decodeOldRoute(wanted.TwilioNumber, old)
		return outcome[route.Route]{there, route.ErrConflict}, err
	}
	if _, err := t.exec(ctx, `
		INSERT INTO routing (twilio_number, version, route) VALUES (?, ?, ?)
		ON CONFLICT (twilio_number) DO UPDATE SET version = excluded.version, route = excluded.route`,
		key, wanted.Version, item); err != nil {
		return outcome[route.Route]{}, err
	}
	return outcome[route.Route]{item: wanted}, t.change(ctx, change{table: TableRouting, key: key, old: old, new: &item})
}

// decodeOldRoute reads the route that was in the table, or the zero route if there was none.
func decodeOldRoute(number sms.PhoneNumber, item *string) (route.Route, error) {
	if item == nil {
		return route.Route{}, nil
	}
	return decodeRoute(number, *item)
}

func decodeRoute(number sms.PhoneNumber, item string) (r route.Route, err error) {
	if err := json.Unmarshal([]byte(item), &r); err != nil {
		return route.Route{}, permanent("the route of " + number.Mask() + " cannot be read")
	}
	return r, nil
}
