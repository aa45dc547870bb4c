// HubSpot's own client, with the limiter its README gives, handed all batches at once.
import { readFileSync } from "node:fs";
import { Client } from "@hubspot/api-client";

const [basePath, accessToken, batchesFile] = process.argv.slice(2);
const batches = JSON.parse(readFileSync(batchesFile, "utf8"));

const client = new Client({
  accessToken,
  basePath,
  limiterOptions: { minTime: 1000 / 9, maxConcurrent: 6, id: "hubspot-client-limiter" },
  numberOfApiCallRetries: 6,
});

let confirmed = 0;
await Promise.all(
  batches.map(async (inputs) => {
    const { results } = await client.crm.contacts.batchApi.upsert({ inputs });
    confirmed += results.length;
  }),
);
console.log(JSON.stringify({ confirmed }));
