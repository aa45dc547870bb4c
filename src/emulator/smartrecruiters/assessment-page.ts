/** Where an assessment's link leads: the page on which a candidate finishes the test. */
import { escapeHtml, page } from "../consent-page.ts";
import { html, type Reply } from "../http.ts";
import { BRAND } from "./authorize.ts";
import type { Assessment } from "./company.ts";
import { readReceiver, tellCompleted } from "./jobcannon.ts";
import { findAssessment, type SmartWorld } from "./world.ts";

export function showAssessment(world: SmartWorld, id: string): Reply {
  const found = findAssessment(world, id);
  if (!found) return unknownAssessment();
  if (found.assessment.status === "completed")
    return answer(200, found.assessment, "<p>This assessment is completed.</p>");
  return answer(
    200,
    found.assessment,
    `<form method="post"><button class="main">Complete</button></form>
<p class="note">One press takes the whole test, always with the same result.</p>`,
  );
}

/** The candidate pressed the button. */
export async function completeOnPage(world: SmartWorld, id: string): Promise<Reply> {
  const found = findAssessment(world, id);
  if (!found) return unknownAssessment();
  if (found.assessment.status === "completed") return showAssessment(world, id);
  const receiver = readReceiver(world);
  if (typeof receiver === "string")
    return answer(409, found.assessment, `<p>JobCannon cannot be played: ${escapeHtml(receiver)}</p>`);
  const { status } = await tellCompleted(world, receiver, { ...found, org: world.jobcannon.org });
  return status === 202
    ? answer(200, found.assessment, "<p>Thank you, you have finished. The result is on its way.</p>")
    : answer(502, found.assessment, `<p>The receiver of the result answered ${status}, not 202.</p>`);
}

function answer(status: number, { id, test }: Assessment, body: string): Reply {
  return html(
    status,
    page(BRAND, "Assessment", `<p class="account">Assessment ${id}</p><h1>${escapeHtml(test)}</h1>${body}`),
  );
}

function unknownAssessment(): Reply {
  return html(404, page(BRAND, "Assessment", "<h1>There is no such assessment</h1>"));
}
