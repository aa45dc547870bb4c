/** A test's result as webhooks carry it, JobCannon's own and those of the systems that hold it. */
import type { TestResult } from "../../core/event.ts";
import { absent, type Fields, fields, list, text } from "./fields.ts";

/** Throws `EventRefused`. Scores stay as they came. */
export function readResult(result: Fields | null, path: string): TestResult | null {
  if (!result) return null;
  const { score, type, code, duration_seconds: durationSeconds } = result;
  return {
    ...(absent(result.dimensions)
      ? {}
      : { dimensions: readDimensions(result.dimensions, `${path}.dimensions`) }),
    ...(absent(score) ? {} : { score: scalar(score, `${path}.score`) }),
    ...(absent(type) ? {} : { type: scalar(type, `${path}.type`) }),
    ...(absent(code) ? {} : { code: scalar(code, `${path}.code`) }),
    ...(absent(durationSeconds)
      ? {}
      : { durationSeconds: scalar(durationSeconds, `${path}.duration_seconds`) }),
  };
}

function readDimensions(value: unknown, path: string): NonNullable<TestResult["dimensions"]> {
  return list(value, path).map((item, index) => {
    const at = `${path}[${index}]`;
    const { name, score, percentile, interpretation } = fields(item, at);
    return {
      name: text(name, `${at}.name`),
      score: scalar(score ?? null, `${at}.score`),
      ...(absent(percentile) ? {} : { percentile: scalar(percentile, `${at}.percentile`) }),
      ...(absent(interpretation) ? {} : { interpretation: scalar(interpretation, `${at}.interpretation`) }),
    };
  });
}

/** A structure where a score belongs is nonsense all the same, and may be nested too deep to be written again. */
function scalar(value: unknown, path: string): unknown {
  if (typeof value === "string" && value.trim() !== "") return text(value, path);
  return typeof value === "object" && value !== null ? "[structure]" : value;
}
