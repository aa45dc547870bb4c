/** Whom a command means that names no vendor, and so which vendor a hint need not name. */
export const DEFAULT_VENDOR = "hubspot";

/** The same where only an applicant tracking system will do. */
export const DEFAULT_ATS = "smartrecruiters";
