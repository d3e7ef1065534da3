// An application that texts by Twilio's library, and is texted. It prints what it saw as JSON.
const http = require("node:http");
const twilio = require("twilio");

const [base, account, token, number, customer] = process.argv.slice(2);
const client = twilio(account, token);
client.api.baseUrl = base; // all that points Twilio's library at the fake
client.messaging.baseUrl = base; // and this, if the application has to do with Messaging Services

const saw = { texts: [], statuses: [], forged: 0 };

const server = http.createServer((request, response) => {
  let body = "";
  request.on("data", (part) => (body += part));
  request.on("end", () => {
    const form = Object.fromEntries(new URLSearchParams(body));
    const url = `http://${request.headers.host}${request.url}`;
    if (!twilio.validateRequest(token, request.headers["x-twilio-signature"], url, form)) {
      saw.forged++;
      response.writeHead(403).end();
      return;
    }
    if (request.url === "/status") {
      saw.statuses.push(form.MessageStatus);
      response.end();
      return;
    }
    saw.texts.push(form.Body);
    const answer = new twilio.twiml.MessagingResponse();
    answer.message("Thanks, " + form.From);
    response.setHeader("Content-Type", "text/xml").end(answer.toString());
  });
});

// fake asks the fake's own interface.
async function fake(path, query, form) {
  const answer = await fetch(`${base}/fake/${path}?${new URLSearchParams(query)}`, form && { method: "POST", body: new URLSearchParams(form) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

async function main() {
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const own = `http://127.0.0.1:${server.address().port}`;

  // A customer texts the number, and gets the answer.
  for (const found of await client.incomingPhoneNumbers.list({ phoneNumber: number })) {
    await found.update({ smsUrl: own + "/text" });
  }
  await fake("inbound", {}, { From: customer, To: number, Body: "Is the sofa gone?" });
  await fake("wait", { to: customer, text: "Thanks", status: "delivered" });

  // The application texts the customer, and hears what became of it.
  const sent = await client.messages.create({ from: number, to: customer, body: "It is on its way", statusCallback: own + "/status" });
  await fake("wait", { to: customer, text: "on its way", status: "delivered" });
  saw.delivered = (await client.messages(sent.sid).fetch()).status;
  saw.listed = (await client.messages.list({ to: customer, limit: 1 })).map((message) => message.body);
  await fake("assert", { to: customer, direction: "outbound", count: 2 });

  // The number gets into a Messaging Service, whose campaign the carriers verify. Then the service texts.
  const made = await client.messaging.v1.services.create({ friendlyName: "Dumpsters", useInboundWebhookOnNumber: true });
  const service = client.messaging.v1.services(made.sid);
  for (const found of await client.incomingPhoneNumbers.list({ phoneNumber: number })) {
    await service.phoneNumbers.create({ phoneNumberSid: found.sid });
  }
  const campaign = await service.usAppToPerson.create({
    brandRegistrationSid: "BN00000000000000000000000000000001",
    usAppToPersonUsecase: "CUSTOMER_CARE",
    description: "Customers who rent a dumpster text us, and we answer them.",
    messageFlow: "Customers text the number that stands on our dumpsters and on our web site.",
    messageSamples: ["Your dumpster comes at two.", "We take the mattress along."],
    hasEmbeddedLinks: false,
    hasEmbeddedPhone: false,
  });
  saw.campaigns = [campaign.campaignStatus];
  while ((await service.usAppToPerson(campaign.sid).fetch()).campaignStatus !== "VERIFIED") {
    await new Promise((later) => setTimeout(later, 10));
  }
  saw.campaigns.push(...(await service.usAppToPerson.list()).map((one) => one.campaignStatus));
  saw.members = (await service.phoneNumbers.list({ limit: 5 })).map((one) => one.phoneNumber);
  saw.registered = (await client.messaging.v1.services.list()).map((one) => one.usAppToPersonRegistered);
  const there = await client.messages.create({ messagingServiceSid: made.sid, to: customer, body: "It is there" });
  await fake("wait", { to: customer, text: "It is there", status: "delivered" });
  saw.sender = (await client.messages(there.sid).fetch()).from;

  // A customer who has opted out is not texted.
  await fake("inbound", {}, { From: customer, To: number, Body: "STOP" });
  await client.messages.create({ from: number, to: customer, body: "One more" }).catch((refused) => (saw.refused = refused.code));
  server.close();
  server.closeAllConnections();
  console.log(JSON.stringify(saw));
}

main().catch((problem) => {
  console.error(problem);
  process.exit(1);
});
