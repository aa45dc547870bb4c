import { tellsCompletion } from "../../core/confirmation.ts";
import type { ReceivedWebhook } from "../contract/store.ts";

export interface ReceivedWebhookRow
  extends Omit<ReceivedWebhook, "conflict" | "hasResult" | "isCompletion" | "isMatched"> {
  conflict: number;
  hasResult: number;
  state: string;
}

export function receivedWebhookOf({
  conflict,
  hasResult,
  state,
  ...row
}: ReceivedWebhookRow): ReceivedWebhook {
  return {
    ...row,
    conflict: conflict === 1,
    hasResult: hasResult === 1,
    isCompletion: tellsCompletion(row.status),
    isMatched: state !== "unmatched",
  };
}
