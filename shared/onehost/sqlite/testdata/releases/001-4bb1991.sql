-- A database of 4bb199146e75705ac8dda76881a2780a207f8a9d.
PRAGMA journal_mode = WAL;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE queue_lanes (
	id           INTEGER PRIMARY KEY,
	queue        TEXT NOT NULL,
	name         TEXT NOT NULL,
	head         INTEGER NOT NULL,
	depth        INTEGER NOT NULL,
	locked_until INTEGER NOT NULL,
	UNIQUE (queue, name)
) STRICT;
INSERT INTO queue_lanes VALUES(3,'qdn-sms-timers',' OX3NZU3Y4M7SH5PBY2673QGDSJ',3,1,1796030064120);
INSERT INTO queue_lanes VALUES(6,'qdn-sms-timers',' RYQPC3XI64UR4X5LBS3TOZQAJM',7,1,1796030064180);
INSERT INTO queue_lanes VALUES(8,'qdn-sms.fifo','cca121f91f2230b68a76c2df29d6ef00',10,1,1796029165305);
INSERT INTO queue_lanes VALUES(9,'qdn-sms.fifo','6863983ecf25b92af61d64fd26cf5117',11,1,1796029165317);
INSERT INTO queue_lanes VALUES(10,'qdn-sms.fifo','efcbc2db83a1a96c1eecc46e4387ec2c',12,1,1796029165364);
INSERT INTO queue_lanes VALUES(11,'qdn-sms.fifo','5bbd0f33c0e00d0c27b3deb63a553025',13,1,1796029165406);
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
INSERT INTO queue_messages VALUES(3,3,'OX3NZU3Y4M7SH5PBY2673QGDSJ','','{"v":1,"kind":"timer","relay_id":"SM1448244503770d6bee94ceda9a3fce4f","received_at":"2026-11-30T08:59:24.126959694Z","timer":{"stage":1,"due":"2026-11-30T09:14:24.119Z"}}','',0,1796029164127,1796030064120);
INSERT INTO queue_messages VALUES(7,6,'RYQPC3XI64UR4X5LBS3TOZQAJM','','{"v":1,"kind":"timer","relay_id":"SM657fca1317351d47f6cd13190c9555f6","received_at":"2026-11-30T08:59:24.200852336Z","timer":{"stage":1,"due":"2026-11-30T09:14:24.179Z"}}','',0,1796029164200,1796030064180);
INSERT INTO queue_messages VALUES(10,8,'KPO57N4ECBMSBMK55K3BC6CLJZ','NT6ad3b9814d90cdfdd377fb572ade18b7','{"v":1,"kind":"notice","relay_id":"NT6ad3b9814d90cdfdd377fb572ade18b7","received_at":"2026-11-30T08:59:24.256173144Z","message":{"MessageSid":"NT6ad3b9814d90cdfdd377fb572ade18b7","From":"+16195550123","To":"+18585550100","Body":"Not sent: \"Yes, come in.\". It looks like an automatic reply; with a tag it is sent."},"destination":"+16195550123"}','',1,1796029164263,1796029165305);
INSERT INTO queue_messages VALUES(11,9,'JKZYWHMFO2MFJEQEEBKYRSDV2Z','SM02d1ebad002c0fdb4f9d4827295b0049','{"v":1,"kind":"inbound","relay_id":"SM02d1ebad002c0fdb4f9d4827295b0049","received_at":"2026-11-30T08:59:24.286475566Z","message":{"MessageSid":"SM02d1ebad002c0fdb4f9d4827295b0049","AccountSid":"AC00000000000000000000000000000001","From":"+13125550100","To":"+18585550100","Body":"Thank you!","NumSegments":1}}','',1,1796029164288,1796029165317);
INSERT INTO queue_messages VALUES(12,10,'PGKAO4Y5GFYUVF7MTFUQKU3QGE','SM7a2d43feefc7cc04ecadb035a524389d','{"v":1,"kind":"inbound","relay_id":"SM7a2d43feefc7cc04ecadb035a524389d","received_at":"2026-11-30T08:59:24.321449352Z","message":{"MessageSid":"SM7a2d43feefc7cc04ecadb035a524389d","AccountSid":"AC00000000000000000000000000000001","From":"+13125550101","To":"+18585550100","Body":"Thank you!","NumSegments":1}}','',1,1796029164321,1796029165364);
INSERT INTO queue_messages VALUES(13,11,'FFZEWE64MXTY7MIQWOJL3RARWD','SM78d5028865d39491e27300363358c00c','{"v":1,"kind":"inbound","relay_id":"SM78d5028865d39491e27300363358c00c","received_at":"2026-11-30T08:59:24.359667545Z","message":{"MessageSid":"SM78d5028865d39491e27300363358c00c","AccountSid":"AC00000000000000000000000000000001","From":"+13125550102","To":"+18585550100","Body":"Thank you!","NumSegments":1}}','',1,1796029164363,1796029165406);
CREATE TABLE queue_deduplication (
	queue TEXT NOT NULL,
	id    TEXT NOT NULL,
	until INTEGER NOT NULL,
	PRIMARY KEY (queue, id)
) STRICT, WITHOUT ROWID;
INSERT INTO queue_deduplication VALUES('qdn-sms.fifo','SM1448244503770d6bee94ceda9a3fce4f',1796029464099);
INSERT INTO queue_deduplication VALUES('qdn-sms.fifo','SMb08159e4be9cf10458230b8671e7336a.sent.1',1796029464125);
INSERT INTO queue_deduplication VALUES('qdn-sms.fifo','SMb08159e4be9cf10458230b8671e7336a.delivered.1',1796029464128);
INSERT INTO queue_deduplication VALUES('qdn-sms.fifo','SM657fca1317351d47f6cd13190c9555f6',1796029464163);
INSERT INTO queue_deduplication VALUES('qdn-sms.fifo','SM44d655928398dc9e9cd960c2e7809757.sent.1',1796029464193);
INSERT INTO queue_deduplication VALUES('qdn-sms.fifo','SM44d655928398dc9e9cd960c2e7809757.delivered.1',1796029464207);
INSERT INTO queue_deduplication VALUES('qdn-sms.fifo','SMc27aa692bebb6edf9bfc78417aea30ce',1796029464242);
INSERT INTO queue_deduplication VALUES('qdn-sms.fifo','NT6ad3b9814d90cdfdd377fb572ade18b7',1796029464264);
INSERT INTO queue_deduplication VALUES('qdn-sms.fifo','SM02d1ebad002c0fdb4f9d4827295b0049',1796029464289);
INSERT INTO queue_deduplication VALUES('qdn-sms.fifo','SM7a2d43feefc7cc04ecadb035a524389d',1796029464322);
INSERT INTO queue_deduplication VALUES('qdn-sms.fifo','SM78d5028865d39491e27300363358c00c',1796029464364);
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
INSERT INTO ledger VALUES('SM1448244503770d6bee94ceda9a3fce4f',4,'delivered','+13125550100','+18585550100','2026-11-30T08:59:24.098Z',1830589164,'{"MessageSid":"SM1448244503770d6bee94ceda9a3fce4f","Version":4,"State":"delivered","TwilioNumber":"+18585550100","Customer":"+13125550100","Body":"Is the gate open?","ReceivedAt":"2026-11-30T08:59:24.098Z","UpdatedAt":"2026-11-30T08:59:24.14Z","Attempts":[{"Number":1,"Hop":0,"To":"+16195550123","Header":"A05 +13125550100: ","ClaimID":"V4CG4YEBRHFJ57BCSRE3ALERJ5","StartedAt":"2026-11-30T08:59:24.119Z","EndedAt":"2026-11-30T08:59:24.122Z","Outcome":"accepted","OutboundSid":"SMb08159e4be9cf10458230b8671e7336a","Status":"delivered"}],"Seal":"88a132c172924a299e91a94145360049a5872d0ed05357f08564910063db03c1","ExpiresAt":1830589164}');
INSERT INTO ledger VALUES('SM657fca1317351d47f6cd13190c9555f6',4,'delivered','+13125550101','+18585550100','2026-11-30T08:59:24.161Z',1830589164,'{"MessageSid":"SM657fca1317351d47f6cd13190c9555f6","Version":4,"State":"delivered","TwilioNumber":"+18585550100","Customer":"+13125550101","Body":"Is the gate open?","ReceivedAt":"2026-11-30T08:59:24.161Z","UpdatedAt":"2026-11-30T08:59:24.218Z","Attempts":[{"Number":1,"Hop":0,"To":"+16195550123","Header":"A18 +13125550101: ","ClaimID":"AR2OWBZ3UB5HWRFTOBFZF7ZI5B","StartedAt":"2026-11-30T08:59:24.179Z","EndedAt":"2026-11-30T08:59:24.181Z","Outcome":"accepted","OutboundSid":"SM44d655928398dc9e9cd960c2e7809757","Status":"delivered"}],"Seal":"71c01af900145691a45a3ccdc221390368d9f0d871e992b1dc39f5880e46d811","ExpiresAt":1830589164}');
INSERT INTO ledger VALUES('SMc27aa692bebb6edf9bfc78417aea30ce',1,'dropped','+16195550123','+18585550100','2026-11-30T08:59:24.241Z',1830589164,'{"MessageSid":"SMc27aa692bebb6edf9bfc78417aea30ce","Version":1,"State":"dropped","Reason":"auto_reply","TwilioNumber":"+18585550100","Customer":"+16195550123","Answer":{"Phone":"+16195550123","At":"2026-11-30T08:59:24.241Z","Verdict":"dropped","Tells":"Not sent: \"Yes, come in.\". It looks like an automatic reply; with a tag it is sent."},"Body":"Yes, come in.","ReceivedAt":"2026-11-30T08:59:24.241Z","UpdatedAt":"2026-11-30T08:59:24.244Z","Seal":"a3d92cf7acd7f42b6a1b09ec13ebeccec9c107db4836c93427de2edfe68a4e93","ExpiresAt":1830589164}');
INSERT INTO ledger VALUES('NT6ad3b9814d90cdfdd377fb572ade18b7',2,'queued','+16195550123','+18585550100','2026-11-30T08:59:24.256Z',1830589164,'{"MessageSid":"NT6ad3b9814d90cdfdd377fb572ade18b7","Version":2,"State":"queued","TwilioNumber":"+18585550100","Customer":"+16195550123","Destination":"+16195550123","Notice":true,"Body":"Not sent: \"Yes, come in.\". It looks like an automatic reply; with a tag it is sent.","ReceivedAt":"2026-11-30T08:59:24.256Z","UpdatedAt":"2026-11-30T08:59:24.29Z","Attempts":[{"Number":1,"Hop":0,"To":"+16195550123","ClaimID":"4LTPZY2EUKE7ZA7RQR2HBHGM4H","StartedAt":"2026-11-30T08:59:24.272Z","EndedAt":"2026-11-30T08:59:24.29Z","Outcome":"throttled","ErrorCode":20429,"HTTPStatus":429,"Error":"too many requests"}],"NotBefore":"2026-11-30T08:59:25.29Z","Seal":"b8a1b8e93be60fad99e18bbba912d53214e02048af204d151e0aa6bdbb232975","ExpiresAt":1830589164}');
INSERT INTO ledger VALUES('SM02d1ebad002c0fdb4f9d4827295b0049',2,'queued','+13125550100','+18585550100','2026-11-30T08:59:24.286Z',1830589164,'{"MessageSid":"SM02d1ebad002c0fdb4f9d4827295b0049","Version":2,"State":"queued","TwilioNumber":"+18585550100","Customer":"+13125550100","Body":"Thank you!","ReceivedAt":"2026-11-30T08:59:24.286Z","UpdatedAt":"2026-11-30T08:59:24.309Z","Attempts":[{"Number":1,"Hop":0,"To":"+16195550123","Header":"A05: ","ClaimID":"KZ77FAFHQ7BABQJY45EQD56MGC","StartedAt":"2026-11-30T08:59:24.307Z","EndedAt":"2026-11-30T08:59:24.309Z","Outcome":"throttled","ErrorCode":20429,"HTTPStatus":429,"Error":"too many requests"}],"NotBefore":"2026-11-30T08:59:25.309Z","Seal":"4ed5da81868c6cc2c26be24953e15611f8fea3e08167611b7615a4cee80fe72c","ExpiresAt":1830589164}');
INSERT INTO ledger VALUES('SM7a2d43feefc7cc04ecadb035a524389d',2,'queued','+13125550101','+18585550100','2026-11-30T08:59:24.321Z',1830589164,'{"MessageSid":"SM7a2d43feefc7cc04ecadb035a524389d","Version":2,"State":"queued","TwilioNumber":"+18585550100","Customer":"+13125550101","Body":"Thank you!","ReceivedAt":"2026-11-30T08:59:24.321Z","UpdatedAt":"2026-11-30T08:59:24.344Z","Attempts":[{"Number":1,"Hop":0,"To":"+16195550123","Header":"A18: ","ClaimID":"FNG23NX6CDJCSZDW5WTWVVGWDC","StartedAt":"2026-11-30T08:59:24.336Z","EndedAt":"2026-11-30T08:59:24.344Z","Outcome":"throttled","ErrorCode":20429,"HTTPStatus":429,"Error":"too many requests"}],"NotBefore":"2026-11-30T08:59:25.344Z","Seal":"d93f436b6f47ec22eea046f691989ab427576c0711d3c96a165e382bc68784a0","ExpiresAt":1830589164}');
INSERT INTO ledger VALUES('SM78d5028865d39491e27300363358c00c',2,'queued','+13125550102','+18585550100','2026-11-30T08:59:24.359Z',1830589164,'{"MessageSid":"SM78d5028865d39491e27300363358c00c","Version":2,"State":"queued","TwilioNumber":"+18585550100","Customer":"+13125550102","Body":"Thank you!","ReceivedAt":"2026-11-30T08:59:24.359Z","UpdatedAt":"2026-11-30T08:59:24.392Z","Attempts":[{"Number":1,"Hop":0,"To":"+16195550123","Header":"A21 +13125550102: ","ClaimID":"NNWGGPXSLQXZRTYXEXDUIT6DF7","StartedAt":"2026-11-30T08:59:24.38Z","EndedAt":"2026-11-30T08:59:24.392Z","Outcome":"throttled","ErrorCode":20429,"HTTPStatus":429,"Error":"too many requests"}],"NotBefore":"2026-11-30T08:59:25.392Z","Seal":"d6caf99bccbf00b057363890cf005f7ed3d97ded3378542e34481093ea6d9ade","ExpiresAt":1830589164}');
CREATE TABLE routing (
	twilio_number TEXT NOT NULL PRIMARY KEY,
	version       INTEGER NOT NULL,
	route         TEXT NOT NULL
) STRICT;
INSERT INTO routing VALUES('+18585550100',1,'{"TwilioNumber":"+18585550100","DestinationCarrier":"+16195550123","FallbackCarriers":["+16195550124"],"Active":true,"Phones":[{"Name":"Ann","Number":"+16195550123"},{"Name":"Bo","Number":"+16195550124"}],"AnswerTimeout":"15m","ClaimTime":"4h","LastUpdated":"2026-11-24T08:00:00Z","Version":1,"UpdatedBy":"seed"}');
CREATE TABLE changes (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	at         INTEGER NOT NULL,
	table_name TEXT NOT NULL,
	item_key   TEXT NOT NULL,
	old_item   TEXT,
	new_item   TEXT,
	expired    INTEGER NOT NULL
) STRICT;
CREATE TABLE pace (
	twilio_number TEXT NOT NULL PRIMARY KEY,
	state         TEXT NOT NULL
) STRICT;
INSERT INTO pace VALUES('+18585550100','{"Next":1796029165315496906,"At":1796029164377344086}');
CREATE TABLE clock (
	id           INTEGER PRIMARY KEY CHECK (id = 1),
	seen         INTEGER NOT NULL,
	steady_since INTEGER NOT NULL
) STRICT;
INSERT INTO clock VALUES(1,1796029164086,1796029164086);
CREATE TABLE conversations (
	twilio_number TEXT NOT NULL,
	item          TEXT NOT NULL,
	version       INTEGER NOT NULL,
	conversation  TEXT NOT NULL,
	PRIMARY KEY (twilio_number, item)
) STRICT, WITHOUT ROWID;
INSERT INTO conversations VALUES('*','t#A05',1,'{"Tag":"A05","Number":"+18585550100","Customer":"+13125550100","UsedAt":"2026-11-30T08:59:24.112Z","Version":1}');
INSERT INTO conversations VALUES('*','t#A18',1,'{"Tag":"A18","Number":"+18585550100","Customer":"+13125550101","UsedAt":"2026-11-30T08:59:24.166Z","Version":1}');
INSERT INTO conversations VALUES('*','t#A21',1,'{"Tag":"A21","Number":"+18585550100","Customer":"+13125550102","UsedAt":"2026-11-30T08:59:24.37Z","Version":1}');
INSERT INTO conversations VALUES('+18585550100','c#+13125550100',2,'{"TwilioNumber":"+18585550100","Customer":"+13125550100","Version":2,"ID":"4RYNE4X6GX2PEYDIVPDK5CY54K","UpdatedAt":"2026-11-30T08:59:24.125Z","Tag":"A05","TagUsedAt":"2026-11-30T08:59:24.112Z","TagVersion":1,"Spell":{"MessageSid":"SM1448244503770d6bee94ceda9a3fce4f","BeganAt":"2026-11-30T08:59:24.119Z","NewestSid":"SM1448244503770d6bee94ceda9a3fce4f","NewestAt":"2026-11-30T08:59:24.119Z","Texts":1,"Phones":["+16195550123"],"DueAt":"2026-11-30T09:14:24.119Z"},"Seal":"edd317c3ad5e018439c7b38de7008060c6401018187c9e382c23fff0dda2e6f3"}');
INSERT INTO conversations VALUES('+18585550100','c#+13125550101',2,'{"TwilioNumber":"+18585550100","Customer":"+13125550101","Version":2,"ID":"44T4S34YWW6MBO7IZOYZQUZVS6","UpdatedAt":"2026-11-30T08:59:24.193Z","Tag":"A18","TagUsedAt":"2026-11-30T08:59:24.166Z","TagVersion":1,"Spell":{"MessageSid":"SM657fca1317351d47f6cd13190c9555f6","BeganAt":"2026-11-30T08:59:24.179Z","NewestSid":"SM657fca1317351d47f6cd13190c9555f6","NewestAt":"2026-11-30T08:59:24.179Z","Texts":1,"Phones":["+16195550123"],"DueAt":"2026-11-30T09:14:24.179Z"},"Seal":"ace633b2e7be57caf745030c03f04981acb47c1bfc45eaf2694cad46c2851d13"}');
INSERT INTO conversations VALUES('+18585550100','c#+13125550102',1,'{"TwilioNumber":"+18585550100","Customer":"+13125550102","Version":1,"ID":"4WCXP4UZVF636X4NOJ7UPUOMFQ","UpdatedAt":"2026-11-30T08:59:24.37Z","Tag":"A21","TagUsedAt":"2026-11-30T08:59:24.37Z","TagVersion":1,"Seal":"ff37deed7d3514285ee021a44da0254bc78cffbf5f20466b9122f0d4bd8985e2"}');
INSERT INTO conversations VALUES('+18585550100','p#+18585550100#+16195550123',7,'{"TwilioNumber":"+18585550100","Phone":"+16195550123","Version":7,"Exchanges":[{"Customer":"+13125550102","Tag":"A21","SentAt":"2026-11-30T08:59:24.378Z","Texts":{"Until":"2026-11-30T09:02:24.378256916Z"}},{"Customer":"+13125550101","Tag":"A18","SentAt":"2026-11-30T08:59:24.33Z","Texts":{"Until":"2026-11-30T09:05:24.178923527Z"}},{"Customer":"+13125550100","Tag":"A05","SentAt":"2026-11-30T08:59:24.304Z","Texts":{"Until":"2026-11-30T09:05:24.118182249Z"}}],"LastAt":"2026-11-30T08:59:24.241Z","Sent":[{"MessageSid":"SM1448244503770d6bee94ceda9a3fce4f","Tag":"A05"},{"MessageSid":"SM657fca1317351d47f6cd13190c9555f6","Tag":"A18"},{"MessageSid":"SM02d1ebad002c0fdb4f9d4827295b0049","Tag":"A05"},{"MessageSid":"SM7a2d43feefc7cc04ecadb035a524389d","Tag":"A18"},{"MessageSid":"SM78d5028865d39491e27300363358c00c","Tag":"A21"}],"LastSids":["SMc27aa692bebb6edf9bfc78417aea30ce"],"Notices":{"Until":"2026-11-30T09:04:24.256173144Z"},"AutoReplyToldAt":"2026-11-30T08:59:24.241Z"}');
CREATE TABLE identity (
	id       INTEGER PRIMARY KEY CHECK (id = 1),
	machine  TEXT NOT NULL,
	device   TEXT NOT NULL,
	inode    TEXT NOT NULL,
	moved_at INTEGER NOT NULL
) STRICT;
INSERT INTO identity VALUES(1,'','1','2',0);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('changes',23);
INSERT INTO sqlite_sequence VALUES('queue_messages',13);
CREATE INDEX queue_lanes_turn ON queue_lanes (queue, locked_until, head);
CREATE INDEX queue_messages_order ON queue_messages (lane);
CREATE INDEX queue_messages_hidden ON queue_messages (lane, visible_at) WHERE visible_at > 0;
CREATE INDEX queue_deduplication_until ON queue_deduplication (until);
CREATE INDEX ledger_by_time ON ledger (received_at, message_sid);
CREATE INDEX ledger_by_state ON ledger (state, received_at, message_sid);
CREATE INDEX ledger_by_customer ON ledger (customer, received_at, message_sid);
CREATE INDEX ledger_by_twilio_number ON ledger (twilio_number, received_at, message_sid);
CREATE INDEX ledger_by_expiry ON ledger (expires_at) WHERE expires_at > 0;
COMMIT;
PRAGMA user_version = 5
