/** HubSpot as the product meets it: OAuth, account, properties and contacts, under all versions of the API at once. */
import { randomUUID } from "node:crypto";
import type { Call, Reply } from "../http.ts";
import { type Pattern, routeTable } from "../routes.ts";
import type { CreateVendor } from "../vendor.ts";
import { accountRoutes } from "./account.ts";
import { answerApi } from "./api.ts";
import { answerConsent, showConsent } from "./authorize.ts";
import { contactRoutes } from "./contacts.ts";
import { hubspotControl } from "./control.ts";
import { CORRELATION_HEADER, notFound } from "./errors.ts";
import { readPath, SERVED_VERSIONS, type Version } from "./path.ts";
import { propertyRoutes } from "./properties.ts";
import { groupRoutes } from "./property-groups.ts";
import { hubspotSettings } from "./settings.ts";
import {
  deleteRefreshToken,
  describeAccessToken,
  describeRefreshToken,
  exchangeToken,
  introspect,
  revoke,
} from "./token-endpoint.ts";
import { createWorld, type HubspotWorld } from "./world.ts";

export const createHubspot: CreateVendor = (stage) => {
  const world = createWorld(stage);
  const findOAuth = routeTable(oauthRoutes);
  const findApi = routeTable([...accountRoutes(world), ...groupRoutes, ...propertyRoutes, ...contactRoutes]);
  return {
    answer: (call) => {
      const { version, path } = readPath(call.path);
      const oauth = findOAuth(call.method, path);
      if (oauth?.route.versions.includes(version))
        return oauth.route.answer(world, call, oauth.param, version);
      const api = findApi(call.method, path);
      if (api && version !== undefined && version !== "v1") return answerApi(world, call, version, api);
      return notFound(`there is no ${call.method} ${call.path}`);
    },
    seal: addCorrelationId,
    settings: hubspotSettings(world),
    control: hubspotControl(world),
  };
};

interface OAuthRoute extends Pattern {
  /** `undefined`: the path carries none. */
  versions: readonly (Version | undefined)[];
  answer(
    world: HubspotWorld,
    call: Call,
    param: (name: string) => string,
    version: Version | undefined,
  ): Reply;
}

const UNVERSIONED = [undefined];
const FIRST: readonly Version[] = ["v1"];

const oauthRoutes: readonly OAuthRoute[] = [
  {
    method: "GET",
    path: "/oauth/authorize",
    versions: UNVERSIONED,
    answer: (world, call) => showConsent(world, call),
  },
  {
    method: "POST",
    path: "/oauth/authorize",
    versions: UNVERSIONED,
    answer: (world, call) => answerConsent(world, call),
  },
  {
    method: "GET",
    path: "/oauth/:hubId/authorize",
    versions: UNVERSIONED,
    answer: (world, call, param) => showConsent(world, call, param("hubId")),
  },
  {
    method: "POST",
    path: "/oauth/:hubId/authorize",
    versions: UNVERSIONED,
    answer: (world, call, param) => answerConsent(world, call, param("hubId")),
  },
  { method: "POST", path: "/oauth/token", versions: [...FIRST, ...SERVED_VERSIONS], answer: exchangeToken },
  { method: "POST", path: "/oauth/token/introspect", versions: SERVED_VERSIONS, answer: introspect },
  { method: "POST", path: "/oauth/token/revoke", versions: SERVED_VERSIONS, answer: revoke },
  {
    method: "GET",
    path: "/oauth/access-tokens/:token",
    versions: FIRST,
    answer: (world, _call, param) => describeAccessToken(world, param("token")),
  },
  {
    method: "GET",
    path: "/oauth/refresh-tokens/:token",
    versions: FIRST,
    answer: (world, _call, param) => describeRefreshToken(world, param("token")),
  },
  {
    method: "DELETE",
    path: "/oauth/refresh-tokens/:token",
    versions: FIRST,
    answer: (world, _call, param) => deleteRefreshToken(world, param("token")),
  },
];

function addCorrelationId(reply: Reply): Reply {
  if (reply.headers?.[CORRELATION_HEADER]) return reply;
  return { ...reply, headers: { ...reply.headers, [CORRELATION_HEADER]: randomUUID() } };
}
