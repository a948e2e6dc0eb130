-- A data folder's file as version 2 wrote it
PRAGMA application_id = 1382641255;
PRAGMA user_version = 2;
BEGIN TRANSACTION;
CREATE TABLE settings (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL);
INSERT INTO "settings" VALUES('window.last_trunk','"00000000000000000000000000000007"');
CREATE TABLE trunks ( id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, name_key TEXT NOT NULL UNIQUE, position INTEGER NOT NULL, settings TEXT NOT NULL);
INSERT INTO "trunks" VALUES('00000000000000000000000000000002','Office 2','office 2',1,'{"provider":"","connect":true,"allow_out":true,"allow_in":true,"notes":"","sign_in":"register","user":"493012342","auth_id":"","realm":"*","host":"sip.example.com","port":null,"transport":"udp","backup_hosts":[],"proxy":"","ca_file":"","expires":300,"keep_alive":15,"public_address":"","country":"","number_format":"as-typed","tech_prefix":"","tech_separator":"","caller_id":"","caller_id_format":"as-typed","caller_id_header":["From"],"privacy":false,"dids":[],"channels":null,"codecs":["PCMU","PCMA","G722"],"srtp":"off","dtmf":"rfc4733","session_timer":"supported","session_expires":1800,"prack":"off"}');
INSERT INTO "trunks" VALUES('00000000000000000000000000000007','Büro »Ost« 📞','büro »ost« 📞',2,'{"provider":"","connect":true,"allow_out":true,"allow_in":true,"notes":"","sign_in":"credentials","user":"493012347","auth_id":"tränk@sip.example.com","realm":"asterisk","host":"sip.example.com","port":5071,"transport":"tls","backup_hosts":[],"proxy":"[2001:db8::1]:5061","ca_file":"C:\\ca.pem","expires":60,"keep_alive":15,"public_address":"","country":"","number_format":"as-typed","tech_prefix":"","tech_separator":"","caller_id":"+4930123456","caller_id_format":"as-typed","caller_id_header":["From"],"privacy":false,"dids":[],"channels":null,"codecs":["iLBC","L16"],"srtp":"off","dtmf":"rfc4733","session_timer":"supported","session_expires":1800,"prack":"off"}');
COMMIT;
