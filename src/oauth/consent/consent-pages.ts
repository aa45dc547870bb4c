import { ended } from "../../core/advice/unbroken.ts";
import { isAppError } from "../../shared/errors.ts";
import { connectAgain, type TokenIssuer } from "../endpoint/issuer.ts";
import type { Page } from "../../shared/page.ts";

export function connectedPage({ label }: TokenIssuer): Page {
  return {
    tone: "good",
    title: `${label} is connected`,
    text: ["You may close this tab and go back to the terminal."],
  };
}

/** An AppError was written to be read by people; anything else is a bug, and the terminal has its details. */
export function failedPage(issuer: TokenIssuer, error: unknown): Page {
  const known = isAppError(error) ? error : null;
  const again = connectAgain(issuer);
  // Between the marks by which a page knows what is to be typed.
  const hint = known?.hint ? [ended(known.hint).replaceAll(again, "`$&`")] : [];
  return {
    tone: "bad",
    title: `${issuer.label} was not connected`,
    text: [
      ended(known?.message ?? "Something unexpected went wrong"),
      ...hint,
      "You may close this tab and go back to the terminal.",
    ],
    retry: known?.hint?.includes(again) ? undefined : again,
  };
}

export const waitingPage: Page = {
  tone: "waiting",
  title: "Almost there",
  text: [
    "Your consent has arrived; the vendor is slow to confirm it.",
    "The terminal will tell how it ends. You may close this tab.",
  ],
};

export const usedTwicePage: Page = {
  tone: "waiting",
  title: "This link was used already",
  text: ["Each consent counts once. The terminal shows how the first one ended."],
};

export const strangerPage: Page = {
  tone: "bad",
  title: "This is not the consent we asked for",
  text: [
    "It belongs to another attempt, or someone else sent you here. Nothing was changed.",
    "Go back to the terminal and open the link it shows.",
  ],
};
