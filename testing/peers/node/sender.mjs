// Passes texts from the queue on to the phones, and keeps a record of each.
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import twilio from "twilio";

const { RELAY_LEDGER_TABLE, RELAY_ROUTING_TABLE, RELAY_TWILIO_AUTH_TOKEN_SECRET, TWILIO_API_BASE_URL } = process.env;

const dynamodb = DynamoDBDocumentClient.from(new DynamoDBClient());
const secret = await new SecretsManagerClient().send(new GetSecretValueCommand({ SecretId: RELAY_TWILIO_AUTH_TOKEN_SECRET }));
const { accountSid, authToken } = JSON.parse(secret.SecretString);
const client = twilio(accountSid, authToken);
if (TWILIO_API_BASE_URL) client.api.baseUrl = TWILIO_API_BASE_URL;

const now = () => new Date().toISOString();

async function relay(text) {
  const { Item: route } = await dynamodb.send(new GetCommand({ TableName: RELAY_ROUTING_TABLE, Key: { TwilioNumber: text.To } }));
  if (!route?.Active) return;
  const { MessageSid, From, To, Body } = text;
  try {
    await dynamodb.send(
      new PutCommand({
        TableName: RELAY_LEDGER_TABLE,
        Item: { MessageSid, State: "sending", From, To, Body, ReceivedAt: now() },
        ConditionExpression: "attribute_not_exists(MessageSid)",
      }),
    );
  } catch (error) {
    if (error.name === "ConditionalCheckFailedException") return; // Another delivery of the same text has it.
    throw error;
  }
  const sent = await client.messages.create({ to: route.DestinationCarrier, from: To, body: `${From}: ${Body}` });
  await dynamodb.send(
    new UpdateCommand({
      TableName: RELAY_LEDGER_TABLE,
      Key: { MessageSid },
      UpdateExpression: "SET #state = :state, OutboundSid = :sid, UpdatedAt = :now",
      ExpressionAttributeNames: { "#state": "State" },
      ExpressionAttributeValues: { ":state": "sent", ":sid": sent.sid, ":now": now() },
    }),
  );
}

export async function handler(event) {
  const batchItemFailures = [];
  for (const record of event.Records) {
    try {
      await relay(JSON.parse(record.body));
    } catch (error) {
      console.error("not relayed:", error);
      batchItemFailures.push({ itemIdentifier: record.messageId });
    }
  }
  return { batchItemFailures };
}
