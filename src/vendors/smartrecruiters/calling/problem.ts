/** What SmartRecruiters says when it says no: `{message?, errors: [{code, message}]}`, or `{code, message}`. */
import * as v from "valibot";

export interface Problem {
  /** SmartRecruiters' words; may hold personal data. */
  message: string;
  /** As `FIELD_NOT_FOUND`. */
  code: string | null;
}

const text = v.fallback(v.nullable(v.string()), null);
const noError = { code: null, message: null };
const Envelope = v.object({
  message: text,
  code: text,
  errors: v.fallback(v.array(v.fallback(v.object({ code: text, message: text }), noError)), []),
});

/** Null when the value is no JSON object, and so not SmartRecruiters' answer but that of something on the way. */
export function readProblem(value: unknown): Problem | null {
  const parsed = v.safeParse(Envelope, Array.isArray(value) ? null : value);
  if (!parsed.success) return null;
  const { message, code, errors } = parsed.output;
  const said = [message, ...errors.map((error) => error.message)].filter((words) => words !== null);
  return {
    message: [...new Set(said)].join("; "),
    code: errors.find((each) => each.code !== null)?.code ?? code,
  };
}
