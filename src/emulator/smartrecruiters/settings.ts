/** What tests and operators may set about the SmartRecruiters side. */
import { secret } from "../../shared/secret.ts";
import { isStringArray } from "../http.ts";
import { isBoolean, isCount, isText, orNull, type Settings, setting } from "../settings.ts";
import { DEFAULT_FIELDS, isCustomFields } from "./custom-fields.ts";
import { isHttpUrl } from "./input.ts";
import { isSigningSecret } from "./jobcannon-signature.ts";
import { PAGE_STYLES, type PageStyle, type SmartWorld } from "./world.ts";

export function smartrecruitersSettings(world: SmartWorld): Settings {
  const { webhooks, jobcannon } = world;
  return {
    read: () => ({
      companyId: world.companyId,
      grantedScopes: world.grantedScopes,
      redirectUris: world.redirectUris,
      oneUseTokens: world.oneUseTokens,
      accessTokenSeconds: world.accessTokenSeconds,
      customFields: world.customFields,
      jobs: world.jobs,
      pageSize: world.pageSize,
      pageStyle: world.pageStyle,
      webhookCopies: webhooks.copies,
      webhookReorder: webhooks.reorder,
      webhookReserialize: webhooks.reserialize,
      webhookDelayMs: webhooks.delayMs,
      webhookRetryMs: webhooks.retryMs,
      webhookResult: webhooks.carriesResult,
      webhookStatus: webhooks.status,
      jobcannonUrl: jobcannon.url,
      // A secret prints itself as redacted.
      jobcannonSecret: jobcannon.secret,
      jobcannonOrg: jobcannon.org,
    }),
    accept: {
      companyId: setting("text, or null", orNull(isText), (id) => {
        world.companyId = id;
      }),
      grantedScopes: setting("a list of texts, or null", orNull(isStringArray), (scopes) => {
        world.grantedScopes = scopes;
      }),
      redirectUris: setting("a list of texts, or null", orNull(isStringArray), (uris) => {
        world.redirectUris = uris;
      }),
      oneUseTokens: setting("true or false", isBoolean, (oneUse) => {
        world.oneUseTokens = oneUse;
      }),
      accessTokenSeconds: setting("a whole number", isCount, (seconds) => {
        world.accessTokenSeconds = seconds;
      }),
      customFields: setting("a list of {id, label, type}, or null", orNull(isCustomFields), (fields) => {
        world.customFields = fields ?? DEFAULT_FIELDS;
      }),
      jobs: setting("a list of texts, or null", orNull(isStringArray), (jobs) => {
        world.jobs = jobs;
      }),
      pageSize: setting("a whole number from 1 to 100", isPageSize, (size) => {
        world.pageSize = size;
      }),
      pageStyle: setting(PAGE_STYLES.join(" or "), isPageStyle, (style) => {
        world.pageStyle = style;
      }),
      webhookCopies: setting("a whole number", isCount, (copies) => {
        webhooks.copies = copies;
      }),
      webhookReorder: setting("true or false", isBoolean, (reorder) => {
        webhooks.reorder = reorder;
      }),
      webhookReserialize: setting("true or false", isBoolean, (reserialize) => {
        webhooks.reserialize = reserialize;
      }),
      webhookDelayMs: setting("a whole number", isCount, (delayMs) => {
        webhooks.delayMs = delayMs;
      }),
      webhookRetryMs: setting("a list of whole numbers", isCounts, (retryMs) => {
        webhooks.retryMs = retryMs;
      }),
      webhookResult: setting("true or false", isBoolean, (carriesResult) => {
        webhooks.carriesResult = carriesResult;
      }),
      webhookStatus: setting("text such as completed or EXPIRED", isText, (status) => {
        webhooks.status = status;
      }),
      jobcannonUrl: setting("a URL, or null", orNull(isHttpUrl), (url) => {
        jobcannon.url = url;
      }),
      jobcannonSecret: setting("whsec_ and base64, or null", orNull(isSigningSecret), (text) => {
        jobcannon.secret = text === null ? null : secret(text);
      }),
      jobcannonOrg: setting("text", isText, (org) => {
        jobcannon.org = org;
      }),
    },
  };
}

function isPageSize(value: unknown): value is number {
  return isCount(value) && value >= 1 && value <= 100;
}

function isPageStyle(value: unknown): value is PageStyle {
  return PAGE_STYLES.some((style) => style === value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isCount);
}
