/** SmartRecruiters: as the setup guide has it (`v1`), and in `published/` as its own documents have it. */
import type { Call, Reply } from "../http.ts";
import { type Pattern, routeTable } from "../routes.ts";
import type { Settings } from "../settings.ts";
import type { CreateVendor } from "../vendor.ts";
import { answerApi } from "./api.ts";
import { completeOnPage, showAssessment } from "./assessment-page.ts";
import { assessmentRoutes } from "./assessments.ts";
import { answerConsent, showConsent } from "./authorize.ts";
import { candidateRoutes } from "./candidates.ts";
import { catalogueRoutes } from "./catalogue.ts";
import { smartrecruitersControl } from "./control.ts";
import { notFound } from "./errors.ts";
import { inviteControl, takeRequest } from "./invite-desk.ts";
import { answerPublished } from "./published/api.ts";
import { publishedRoutes } from "./published/routes.ts";
import { scorecardRoutes } from "./scorecards.ts";
import { publishedControl } from "./published/control.ts";
import { publishedSettings } from "./published/set.ts";
import { smartrecruitersSettings } from "./settings.ts";
import { subscriptionRoutes } from "./subscriptions.ts";
import { exchangeToken } from "./token-endpoint.ts";
import { createWorld, type SmartWorld } from "./world.ts";

export const createSmartrecruiters: CreateVendor = (stage) => {
  const world = createWorld(stage);
  const findPage = routeTable(pageRoutes);
  const findApi = routeTable([
    ...subscriptionRoutes(world),
    ...candidateRoutes(world),
    ...assessmentRoutes(world),
    ...scorecardRoutes(world),
    ...catalogueRoutes(world),
  ]);
  const findPublished = routeTable(publishedRoutes(world));
  return {
    answer: (call) => {
      const page = findPage(call.method, call.path);
      if (page) return page.route.answer(world, call, page.param);
      const published = findPublished(call.method, call.path);
      if (published) return answerPublished(world, call, published);
      const api = findApi(call.method, call.path);
      return api ? answerApi(world, call, api) : notFound(`There is no ${call.method} ${call.path}`);
    },
    settings: bothSettings(smartrecruitersSettings(world), publishedSettings(world)),
    control: [...smartrecruitersControl(world), ...publishedControl(world), ...inviteControl(world)],
  };
};

function bothSettings(one: Settings, other: Settings): Settings {
  return {
    read: () => ({ ...one.read(), ...other.read() }),
    accept: { ...one.accept, ...other.accept },
  };
}

/** What is reached without an access token. */
interface PageRoute extends Pattern {
  answer(world: SmartWorld, call: Call, param: (name: string) => string): Reply | Promise<Reply>;
}

const pageRoutes: readonly PageRoute[] = [
  { method: "GET", path: "/identity/oauth/allow", answer: showConsent },
  { method: "POST", path: "/identity/oauth/allow", answer: answerConsent },
  { method: "POST", path: "/identity/oauth/token", answer: exchangeToken },
  { method: "POST", path: "/jobcannon/invites", answer: takeRequest },
  {
    method: "GET",
    path: "/assessments/:id",
    answer: (world, _call, param) => showAssessment(world, param("id")),
  },
  {
    method: "POST",
    path: "/assessments/:id",
    answer: (world, _call, param) => completeOnPage(world, param("id")),
  },
];
