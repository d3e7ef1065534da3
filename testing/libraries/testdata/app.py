"""An application that texts by Twilio's library, and is texted. It prints what it saw as JSON."""

import json
import sys
import threading
import time
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
client.messaging.base_url = base  # and this, if the application has to do with Messaging Services

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

# The number gets into a Messaging Service, whose campaign the carriers verify. Then the service texts.
service = client.messaging.v1.services.create(friendly_name="Dumpsters", use_inbound_webhook_on_number=True)
service = client.messaging.v1.services(service.sid)
for found in client.incoming_phone_numbers.list(phone_number=number):
    service.phone_numbers.create(phone_number_sid=found.sid)
campaign = service.us_app_to_person.create(
    brand_registration_sid="BN00000000000000000000000000000001",
    us_app_to_person_usecase="CUSTOMER_CARE",
    description="Customers who rent a dumpster text us, and we answer them.",
    message_flow="Customers text the number that stands on our dumpsters and on our web site.",
    message_samples=["Your dumpster comes at two.", "We take the mattress along."],
    has_embedded_links=False,
    has_embedded_phone=False,
)
saw["campaigns"] = [campaign.campaign_status]
while service.us_app_to_person(campaign.sid).fetch().campaign_status != "VERIFIED":
    time.sleep(0.01)
saw["campaigns"] += [one.campaign_status for one in service.us_app_to_person.list()]
saw["members"] = [one.phone_number for one in service.phone_numbers.list(limit=5)]
saw["registered"] = [one.us_app_to_person_registered for one in client.messaging.v1.services.list()]
sent = client.messages.create(messaging_service_sid=service.fetch().sid, to=customer, body="It is there")
fake("wait", to=customer, text="It is there", status="delivered")
saw["sender"] = client.messages(sent.sid).fetch().from_

# A customer who has opted out is not texted.
fake("inbound", {"From": customer, "To": number, "Body": "STOP"})
try:
    client.messages.create(from_=number, to=customer, body="One more")
except TwilioRestException as refused:
    saw["refused"] = refused.code
server.shutdown()
print(json.dumps(saw))
