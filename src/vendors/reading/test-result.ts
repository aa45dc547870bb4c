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
    ...(absent(score) ? {} : { score: scalar(score) }),
    ...(absent(type) ? {} : { type: scalar(type) }),
    ...(absent(code) ? {} : { code: scalar(code) }),
    ...(absent(durationSeconds) ? {} : { durationSeconds: scalar(durationSeconds) }),
  };
}

function readDimensions(value: unknown, path: string): NonNullable<TestResult["dimensions"]> {
  return list(value, path).map((item, index) => {
    const { name, score, percentile, interpretation } = fields(item, `${path}[${index}]`);
    return {
      name: text(name, `${path}[${index}].name`),
      score: scalar(score ?? null),
      ...(absent(percentile) ? {} : { percentile: scalar(percentile) }),
      ...(absent(interpretation) ? {} : { interpretation: scalar(interpretation) }),
    };
  });
}

/** A structure where a score belongs is nonsense all the same, and may be nested too deep to be written again. */
function scalar(value: unknown): unknown {
  return typeof value === "object" && value !== null ? "[structure]" : value;
}
