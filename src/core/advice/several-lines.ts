/** Of a file in which events go over several lines, so that none of its lines is one. */
export const SEVERAL_LINES =
  "An import takes one event a line. Where yours go over several, make each one line and import that: jq -c . <file> > events.ndjson";
