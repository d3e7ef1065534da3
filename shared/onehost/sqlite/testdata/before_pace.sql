-- A file of schema version 1 with one text in flight, as SQLite's dump writes it.
PRAGMA journal_mode = WAL;
BEGIN TRANSACTION;
CREATE TABLE changes (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	at         INTEGER NOT NULL,
	table_name TEXT NOT NULL,
	item_key   TEXT NOT NULL,
	old_item   TEXT,
	new_item   TEXT,
	expired    INTEGER NOT NULL
) STRICT;
INSERT INTO "changes" VALUES(1,1795521600000,'ledger','SM00000000000000000000000000000001',NULL,'{"MessageSid":"SM00000000000000000000000000000001","Version":1,"State":"sending","TwilioNumber":"+18585550100","Customer":"+18585550111","Body":"Is the gate open? (1)","ReceivedAt":"2026-11-24T12:00:00Z","UpdatedAt":"2026-11-24T12:00:00Z","Attempts":[{"Number":1,"Hop":0,"To":"+18585550122","ClaimID":"claim","StartedAt":"2026-11-24T12:00:00Z"}],"LeaseUntil":"2026-11-24T12:01:00Z"}',0);
INSERT INTO "changes" VALUES(2,1795521600000,'ledger','SM00000000000000000000000000000001','{"MessageSid":"SM00000000000000000000000000000001","Version":1,"State":"sending","TwilioNumber":"+18585550100","Customer":"+18585550111","Body":"Is the gate open? (1)","ReceivedAt":"2026-11-24T12:00:00Z","UpdatedAt":"2026-11-24T12:00:00Z","Attempts":[{"Number":1,"Hop":0,"To":"+18585550122","ClaimID":"claim","StartedAt":"2026-11-24T12:00:00Z"}],"LeaseUntil":"2026-11-24T12:01:00Z"}','{"MessageSid":"SM00000000000000000000000000000001","Version":2,"State":"sent","TwilioNumber":"+18585550100","Customer":"+18585550111","Body":"Is the gate open? (1)","ReceivedAt":"2026-11-24T12:00:00Z","UpdatedAt":"2026-11-24T12:00:00Z","Attempts":[{"Number":1,"Hop":0,"To":"+18585550122","ClaimID":"claim","StartedAt":"2026-11-24T12:00:00Z"}],"LeaseUntil":"2026-11-24T12:01:00Z"}',0);
INSERT INTO "changes" VALUES(3,1795521600000,'routing','+18585550100',NULL,'{"TwilioNumber":"+18585550100","DestinationCarrier":"+18585550122","FallbackCarriers":["+18585550133"],"Active":true,"LastUpdated":"2026-11-24T12:00:00.123Z","Version":1,"UpdatedBy":"seed"}',0);
CREATE TABLE ledger (
	message_sid   TEXT NOT NULL PRIMARY KEY,
	version       INTEGER NOT NULL,
	state         TEXT NOT NULL,
	customer      TEXT NOT NULL,
	twilio_number TEXT NOT NULL,
	received_at   TEXT NOT NULL,
	expires_at    INTEGER NOT NULL,
	record        TEXT NOT NULL
) STRICT;
INSERT INTO "ledger" VALUES('SM00000000000000000000000000000001',2,'sent','+18585550111','+18585550100','2026-11-24T12:00:00.000Z',0,'{"MessageSid":"SM00000000000000000000000000000001","Version":2,"State":"sent","TwilioNumber":"+18585550100","Customer":"+18585550111","Body":"Is the gate open? (1)","ReceivedAt":"2026-11-24T12:00:00Z","UpdatedAt":"2026-11-24T12:00:00Z","Attempts":[{"Number":1,"Hop":0,"To":"+18585550122","ClaimID":"claim","StartedAt":"2026-11-24T12:00:00Z"}],"LeaseUntil":"2026-11-24T12:01:00Z"}');
CREATE TABLE queue_deduplication (
	queue TEXT NOT NULL,
	id    TEXT NOT NULL,
	until INTEGER NOT NULL,
	PRIMARY KEY (queue, id)
) STRICT, WITHOUT ROWID;
INSERT INTO "queue_deduplication" VALUES('main','SM00000000000000000000000000000001',1795521900000);
CREATE TABLE queue_lanes (
	id           INTEGER PRIMARY KEY,
	queue        TEXT NOT NULL,
	name         TEXT NOT NULL,
	head         INTEGER NOT NULL,
	depth        INTEGER NOT NULL,
	locked_until INTEGER NOT NULL,
	UNIQUE (queue, name)
) STRICT;
INSERT INTO "queue_lanes" VALUES(1,'main','00000000000000000000000000000000',1,1,0);
CREATE TABLE queue_messages (
	id               INTEGER PRIMARY KEY AUTOINCREMENT,
	lane             INTEGER NOT NULL REFERENCES queue_lanes (id),
	message_id       TEXT NOT NULL,
	deduplication_id TEXT NOT NULL,
	body             TEXT NOT NULL,
	attributes       TEXT NOT NULL,
	receive_count    INTEGER NOT NULL,
	sent_at          INTEGER NOT NULL,
	visible_at       INTEGER NOT NULL
) STRICT;
INSERT INTO "queue_messages" VALUES(1,1,'YCBC563PY3OCXICIWYWIGHYHOF','SM00000000000000000000000000000001','{"v":1,"kind":"inbound","relay_id":"SM00000000000000000000000000000001","received_at":"2026-11-24T12:00:00.123Z","message":{"MessageSid":"SM00000000000000000000000000000001","AccountSid":"AC00000000000000000000000000000001","From":"+18585550111","To":"+18585550100","Body":"Is the gate open? We are standing in front of it.","NumSegments":1}}','',0,1795521600000,0);
CREATE TABLE routing (
	twilio_number TEXT NOT NULL PRIMARY KEY,
	version       INTEGER NOT NULL,
	route         TEXT NOT NULL
) STRICT;
INSERT INTO "routing" VALUES('+18585550100',1,'{"TwilioNumber":"+18585550100","DestinationCarrier":"+18585550122","FallbackCarriers":["+18585550133"],"Active":true,"LastUpdated":"2026-11-24T12:00:00.123Z","Version":1,"UpdatedBy":"seed"}');
CREATE INDEX queue_lanes_turn ON queue_lanes (queue, locked_until, head);
CREATE INDEX queue_messages_order ON queue_messages (lane);
CREATE INDEX queue_messages_hidden ON queue_messages (lane, visible_at) WHERE visible_at > 0;
CREATE INDEX queue_deduplication_until ON queue_deduplication (until);
CREATE INDEX ledger_by_time ON ledger (received_at, message_sid);
CREATE INDEX ledger_by_state ON ledger (state, received_at, message_sid);
CREATE INDEX ledger_by_customer ON ledger (customer, received_at, message_sid);
CREATE INDEX ledger_by_twilio_number ON ledger (twilio_number, received_at, message_sid);
CREATE INDEX ledger_by_expiry ON ledger (expires_at) WHERE expires_at > 0;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('changes',3);
INSERT INTO "sqlite_sequence" VALUES('queue_messages',1);
COMMIT;
PRAGMA user_version = 1;
