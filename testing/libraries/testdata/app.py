"""An application that texts by Twilio's library, and is texted. It prints what it saw as JSON."""

import json
import sys
import threading
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from twilio.twiml.messaging_response import MessagingResponse

base, account, token, number, customer = sys.argv[1:]
client = Client(account, token)
client.api.base_url = base  # all that points Twilio's library at the fake

saw = {"texts": [], "statuses": [], "forged": 0}


class Application(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = dict(urllib.parse.parse_qsl(body, keep_blank_values=True))
        url = f"http://{self.headers['Host']}{self.path}"
        if not RequestValidator(token).validate(url, form, self.headers["X-Twilio-Signature"]):
            saw["forged"] += 1
            self.send_error(403)
            return
        self.send_response(200)
        if self.path == "/status":
            saw["statuses"].append(form["MessageStatus"])
            self.end_headers()
            return
        saw["texts"].append(form["Body"])
        answer = MessagingResponse()
        answer.message("Thanks, " + form["From"])
        self.send_header("Content-Type", "text/xml")
        self.end_headers()
        self.wfile.write(str(answer).encode())

    def log_message(self, *args):
        pass


def fake(path, form=None, **query):
    """Asks the fake's own interface."""
    data = urllib.parse.urlencode(form).encode() if form else None
    with urllib.request.urlopen(f"{base}/fake/{path}?{urllib.parse.urlencode(query)}", data) as answer:
        return json.load(answer)


server = ThreadingHTTPServer(("127.0.0.1", 0), Application)
threading.Thread(target=server.serve_forever, daemon=True).start()
own = f"http://127.0.0.1:{server.server_port}"

# A customer texts the number, and gets the answer.
for found in client.incoming_phone_numbers.list(phone_number=number):
    found.update(sms_url=own + "/text")
fake("inbound", {"From": customer, "To": number, "Body": "Is the sofa gone?"})
fake("wait", to=customer, text="Thanks", status="delivered")

# The application texts the customer, and hears what became of it.
sent = client.messages.create(from_=number, to=customer, body="It is on its way", status_callback=own + "/status")
fake("wait", to=customer, text="on its way", status="delivered")
saw["delivered"] = client.messages(sent.sid).fetch().status
saw["listed"] = [message.body for message in client.messages.list(to=customer, limit=1)]
fake("assert", to=customer, direction="outbound", count=2)

# A customer who has opted out is not texted.
fake("inbound", {"From": customer, "To": number, "Body": "STOP"})
try:
    client.messages.create(from_=number, to=customer, body="One more")
except TwilioRestException as refused:
    saw["refused"] = refused.code
server.shutdown()
print(json.dumps(saw))
