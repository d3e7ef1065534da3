package sqlite

import "strings"

// The index of words has the texts of customers, and what phones and operators wrote, but not what the relay itself says, nor what it sends
// for another text. It is contentless: what it was made of is in the ledger, from which the words are taken out again by the same
// expressions.
//
// text_ids names the text of each entry. An entry's id is when the text came in, in milliseconds since 1970, times 2^20, plus a number that
// tells apart those of one millisecond: so the order of ids is that of time, and SQLite finds the newest without looking at the others.
// texts_to_index has the texts whose words are not in the index yet, see [DB.IndexWords]. The names of customers are few, and written at
// once.
const (
	// idOf is the first id of the millisecond in which a record came in, and idSpan how many ids that has.
	idOf   = `(min(max(coalesce(CAST(round(unixepoch(ROW.received_at, 'subsec') * 1000) AS INTEGER), 0), 0), 8000000000000) << 20)`
	idSpan = `1048575`
	// wordsOf are the words of a record by which it is found: of an answer what the customer got.
	wordsOf = `CASE WHEN json_valid(ROW.record) AND json_extract(ROW.record, '$.Notice') IS NULL
		AND json_extract(ROW.record, '$.ParentSid') IS NULL AND json_extract(ROW.record, '$.SecondPart') IS NULL
		THEN coalesce(nullif(json_extract(ROW.record, '$.Answer.Words'), ''), json_extract(ROW.record, '$.Body'), '') ELSE '' END`
	// peopleOf are the numbers of a record.
	peopleOf = `ROW.customer || ' ' || ROW.twilio_number`
	// nameOf is the name of a customer in an item of the conversations' table.
	nameOf = `CASE WHEN ROW.item >= 'c#' AND ROW.item < 'c$' AND json_valid(ROW.conversation)
		THEN coalesce(json_extract(ROW.conversation, '$.Name'), '') ELSE '' END`
)

// of writes an expression for a row: new, old, or a table.
func of(row, expression string) string { return strings.ReplaceAll(expression, "ROW", row) }

// takeWordsOut are the statements of a trigger that take the old record's words out of the index, in the transaction that writes.
const takeWordsOut = `
	INSERT INTO text_words (text_words, rowid, words, people)
		SELECT 'delete', id, WORDS_OF_OLD, PEOPLE_OF_OLD FROM text_ids
		WHERE id BETWEEN ID_OF_OLD AND ID_OF_OLD + ` + idSpan + ` AND message_sid = old.message_sid;
	DELETE FROM text_ids WHERE id BETWEEN ID_OF_OLD AND ID_OF_OLD + ` + idSpan + ` AND message_sid = old.message_sid;`

// searchSchema. With secure-delete, what is taken out of an index leaves its pages at once.
func searchSchema() string {
	return strings.NewReplacer(
		"WORDS_OF_OLD", of("old", wordsOf), "WORDS_OF_NEW", of("new", wordsOf), "PEOPLE_OF_OLD", of("old", peopleOf),
		"ID_OF_OLD", of("old", idOf), "NAME_OF_OLD", of("old", nameOf), "NAME_OF_NEW", of("new", nameOf),
		"NAME_OF_ROW", of("conversations", nameOf),
	).Replace(`
CREATE TABLE text_ids (
	id          INTEGER PRIMARY KEY,
	message_sid TEXT NOT NULL
) STRICT;
CREATE TABLE texts_to_index (
	id          INTEGER PRIMARY KEY,
	message_sid TEXT NOT NULL
) STRICT;
INSERT INTO texts_to_index (message_sid) SELECT message_sid FROM ledger ORDER BY received_at, message_sid;
CREATE VIRTUAL TABLE text_words USING fts5 (
	words, people, content = '', columnsize = 0, prefix = '3', tokenize = 'unicode61 remove_diacritics 2'
);
INSERT INTO text_words (text_words, rank) VALUES ('secure-delete', 1);

CREATE TRIGGER text_words_of_new AFTER INSERT ON ledger BEGIN
	INSERT INTO texts_to_index (message_sid) VALUES (new.message_sid);
END;
CREATE TRIGGER text_words_of_changed AFTER UPDATE ON ledger
WHEN old.received_at IS NOT new.received_at OR old.customer IS NOT new.customer OR old.twilio_number IS NOT new.twilio_number
	OR WORDS_OF_OLD IS NOT WORDS_OF_NEW
BEGIN` + takeWordsOut + `
	INSERT INTO texts_to_index (message_sid) SELECT new.message_sid WHERE WORDS_OF_NEW <> '';
END;
CREATE TRIGGER text_words_of_gone AFTER DELETE ON ledger BEGIN` + takeWordsOut + `
END;

CREATE TABLE name_ids (
	id            INTEGER PRIMARY KEY,
	twilio_number TEXT NOT NULL,
	item          TEXT NOT NULL,
	UNIQUE (twilio_number, item)
) STRICT;
CREATE VIRTUAL TABLE name_words USING fts5 (name, content = '', columnsize = 0, tokenize = 'unicode61 remove_diacritics 2');
INSERT INTO name_words (name_words, rank) VALUES ('secure-delete', 1);
INSERT INTO name_ids (twilio_number, item) SELECT twilio_number, item FROM conversations WHERE NAME_OF_ROW <> '';
INSERT INTO name_words (rowid, name) SELECT id, NAME_OF_ROW FROM name_ids JOIN conversations USING (twilio_number, item);

CREATE TRIGGER name_words_of_new AFTER INSERT ON conversations WHEN NAME_OF_NEW <> '' BEGIN
	INSERT INTO name_ids (twilio_number, item) VALUES (new.twilio_number, new.item);
	INSERT INTO name_words (rowid, name) SELECT id, NAME_OF_NEW FROM name_ids WHERE twilio_number = new.twilio_number AND item = new.item;
END;
CREATE TRIGGER name_words_of_changed AFTER UPDATE ON conversations WHEN NAME_OF_OLD IS NOT NAME_OF_NEW BEGIN` + takeNameOut + `
	INSERT INTO name_ids (twilio_number, item) SELECT new.twilio_number, new.item WHERE NAME_OF_NEW <> '';
	INSERT INTO name_words (rowid, name) SELECT id, NAME_OF_NEW FROM name_ids WHERE twilio_number = new.twilio_number AND item = new.item;
END;
CREATE TRIGGER name_words_of_gone AFTER DELETE ON conversations WHEN NAME_OF_OLD <> '' BEGIN` + takeNameOut + `
END;
`)
}

// takeNameOut are the statements of a trigger that take the old name out of its index.
const takeNameOut = `
	INSERT INTO name_words (name_words, rowid, name)
		SELECT 'delete', id, NAME_OF_OLD FROM name_ids WHERE twilio_number = old.twilio_number AND item = old.item;
	DELETE FROM name_ids WHERE twilio_number = old.twilio_number AND item = old.item;`
