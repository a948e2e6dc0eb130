-- A data folder's file as version 1 wrote it
PRAGMA application_id = 1382641255;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE settings (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL);
INSERT INTO "settings" VALUES('window.last_trunk','"00000000000000000000000000000007"');
CREATE TABLE trunks ( id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, name_key TEXT NOT NULL UNIQUE, position INTEGER NOT NULL, settings TEXT NOT NULL);
INSERT INTO "trunks" VALUES('00000000000000000000000000000007','Büro »Ost« 📞','büro »ost« 📞',2,'{"host":"sip.example.com","port":5071,"transport":"tls","user":"493012347","auth_id":"tränk@sip.example.com","realm":"asterisk","proxy":"[2001:db8::1]:5061","expires":60,"register":false,"caller_id":"+4930123456","codecs":["iLBC","L16"],"ca_file":"C:\\ca.pem"}');
INSERT INTO "trunks" VALUES('00000000000000000000000000000002','Office 2','office 2',1,'{"host":"sip.example.com","port":null,"transport":"udp","user":"493012342","auth_id":"","realm":"*","proxy":"","expires":300,"register":true,"caller_id":"","codecs":["PCMU","PCMA","G722"],"ca_file":""}');
COMMIT;
