// The Runtime API for a function on Node, in place of Lambda's own runtime, whose client is a native module. It is started with
// the path of the function's module, which has a handler.
import http from "node:http";
import { pathToFileURL } from "node:url";

const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
    const request = http.request({ agent, hostname, port, method, path: "/2018-06-01/runtime/" + path, headers }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(parts).toString() }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

const failure = (error) => JSON.stringify({ errorType: error.name, errorMessage: error.message, stackTrace: error.stack?.split("\n") });

let handler;
try {
  ({ handler } = await import(pathToFileURL(process.argv[2])));
} catch (error) {
  await call("POST", "init/error", failure(error));
  process.exit(1);
}
for (;;) {
  const { headers, body } = await call("GET", "invocation/next");
  const invocation = "invocation/" + headers["lambda-runtime-aws-request-id"];
  try {
    const answer = await handler(JSON.parse(body), { awsRequestId: headers["lambda-runtime-aws-request-id"] });
    await call("POST", invocation + "/response", JSON.stringify(answer ?? null));
  } catch (error) {
    await call("POST", invocation + "/error", failure(error));
  }
}
