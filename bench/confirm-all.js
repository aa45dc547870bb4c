let contacts = 101;

/** Answers a batch upsert as HubSpot does where each record is a contact's first. */
export function confirmAll(response, inputs) {
  const results = inputs.map(({ id, objectWriteTraceId, properties }, index) => ({
    id: String(contacts + index),
    properties: { email: id, ...properties },
    objectWriteTraceId,
    new: true,
  }));
  contacts += inputs.length;
  response.setHeader("content-type", "application/json;charset=utf-8");
  response.end(JSON.stringify({ status: "COMPLETE", results }));
}
