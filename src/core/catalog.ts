/** Which tests the stages of an applicant tracking system's jobs ask for, and what a candidate's move makes of that. Pure. */
export interface StagePlace {
  jobId: string;
  stage: string;
}

/** What a job's stage triggers (guide, step 4). */
export interface CatalogEntry {
  test: string;
  required: boolean;
  trigger: "auto" | "manual";
  dueDays: number;
  emailTemplate: "branded" | "default";
}

/** Where a candidate stands on a job. */
export interface Application {
  applicationId: string;
  candidateId: string;
  jobId: string;
  status: string;
  /** Null where the status has none. */
  subStatus: string | null;
}

/** A step of a hiring process. */
export interface Stage {
  process: string;
  status: string;
  /** Null for a status that is a stage by itself. */
  subStatus: string | null;
}

/** As it is kept and shown: `INTERVIEW/Phone screen`, or `NEW`. */
export function stageName({ status, subStatus }: Pick<Stage, "status" | "subStatus">): string {
  return subStatus === null ? status : `${status}/${subStatus}`;
}

/** Does that stage ask for its test now? A status without a step stands for all of its steps. */
export function isReached(stage: string, application: Pick<Application, "status" | "subStatus">): boolean {
  return stage === stageName(application) || stage === application.status;
}

/** The stages that a person can mean by that text: a step by its own name too. Each name once. */
export function stagesMeant(text: string, stages: readonly Stage[]): string[] {
  const wanted = text.trim().toLowerCase();
  const means = (each: Stage) =>
    stageName(each).toLowerCase() === wanted || each.subStatus?.toLowerCase() === wanted;
  return [...new Set(stages.filter(means).map(stageName))];
}
