// Checks a text that Twilio brings, puts it on the queue and answers.
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import twilio from "twilio";

const { PUBLIC_BASE_URL, RELAY_QUEUE_URL, RELAY_TWILIO_AUTH_TOKEN_SECRET } = process.env;

const sqs = new SQSClient();
const secret = await new SecretsManagerClient().send(new GetSecretValueCommand({ SecretId: RELAY_TWILIO_AUTH_TOKEN_SECRET }));
const { authToken } = JSON.parse(secret.SecretString);

export async function handler(event) {
  const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
  const form = Object.fromEntries(new URLSearchParams(body));
  const signature = event.headers["x-twilio-signature"] ?? "";
  if (!twilio.validateRequest(authToken, signature, PUBLIC_BASE_URL + event.rawPath, form)) {
    return { statusCode: 403 };
  }
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: RELAY_QUEUE_URL,
      MessageBody: JSON.stringify(form),
      MessageGroupId: form.To + form.From,
      MessageDeduplicationId: form.MessageSid,
    }),
  );
  return { statusCode: 200, headers: { "content-type": "text/xml" }, body: new twilio.twiml.MessagingResponse().toString() };
}
