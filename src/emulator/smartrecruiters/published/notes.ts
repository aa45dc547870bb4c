/** `/messages/shares`: notes in the activity feed. Nothing changes or removes one here. */
import { isRecord, json, type Reply } from "../../http.ts";
import { invalid } from "../errors.ts";
import { isText } from "../input.ts";
import { nextId, type SmartWorld } from "../world.ts";
import type { Note } from "./company.ts";
import { inputRecord, type PublishedCall, type PublishedRoute } from "./api.ts";

export function noteRoutes(world: SmartWorld): PublishedRoute[] {
  return [
    {
      method: "POST",
      path: "/messages/shares",
      scope: "messages_write",
      answer: (call) => share(world, call),
    },
  ];
}

function share(world: SmartWorld, call: PublishedCall): Reply {
  const { content, correlationId = null, shareWith } = inputRecord(call);
  if (!isText(content)) return invalid("content must be text");
  if (/<[a-z/!]/i.test(content)) return invalid("HTML tags are not allowed");
  if (!isRecord(shareWith)) return invalid("shareWith must say with whom");
  const candidateIds = [...content.matchAll(/#\[CANDIDATE:([^\]]+)\]/g)].map(([, id = ""]) => id);
  const note: Note = {
    id: nextId(world, "note"),
    content,
    correlationId: isText(correlationId) ? correlationId : null,
    shareWith,
    candidateIds,
    at: call.now,
  };
  call.company.published.notes.push(note);
  return json(world.published.shareStatus, { id: note.id });
}
