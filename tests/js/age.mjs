// Does age operations for the tests with the npm package `age-encryption`.
//
// Standard input: a JSON list of requests; standard output: the list of answers, in order.
//   {"op": "generate"}                                     -> {"identity", "recipient"}
//   {"op": "recipient", "identity"}                        -> {"recipient"}
//   {"op": "encrypt", "recipients": [...], "data": base64} -> {"data": base64}
//   {"op": "decrypt", "identities": [...], "data": base64} -> {"data": base64}
// A request that fails answers {"error": message}. Keys never stand in the arguments.
import { Decrypter, Encrypter, generateHybridIdentity, identityToRecipient } from "age-encryption";
import { text } from "node:stream/consumers";

const fromBase64 = (data) => new Uint8Array(Buffer.from(data, "base64"));
const toBase64 = (data) => Buffer.from(data).toString("base64");

const operations = {
  async generate() {
    const identity = await generateHybridIdentity();
    return { identity, recipient: await identityToRecipient(identity) };
  },
  async recipient({ identity }) {
    return { recipient: await identityToRecipient(identity) };
  },
  async encrypt({ recipients, data }) {
    const encrypter = new Encrypter();
    recipients.forEach((recipient) => encrypter.addRecipient(recipient));
    return { data: toBase64(await encrypter.encrypt(fromBase64(data))) };
  },
  async decrypt({ identities, data }) {
    const decrypter = new Decrypter();
    identities.forEach((identity) => decrypter.addIdentity(identity));
    return { data: toBase64(await decrypter.decrypt(fromBase64(data))) };
  },
};

const answers = [];
for (const request of JSON.parse(await text(process.stdin))) {
  try {
    answers.push(await operations[request.op](request));
  } catch (error) {
    answers.push({ error: String(error) });
  }
}
process.stdout.write(JSON.stringify(answers));
